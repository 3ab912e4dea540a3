"""SMTP brings a message and says what came of it, with TLS and login as the URL says; what is wrong is a sentence."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flows import process
from flows.mail.model import Message
from flows.outcomes import Outcome, Stage, Verdict
from flows.sending.brakes import Says, read
from flows.sending.transports import CantConnect, transport
from tests.certificates import self_signed
from tests.conftest import free_port
from tests.sending.smtp import MailServer, mail_server


def message(recipient: str, sender: str = "bounces@example.org") -> Message:
    content = f"Message-ID: <{recipient}>\r\nSubject: Papers\r\n\r\n" + "A line of the day's papers.\r\n" * 2000
    return Message(sender=sender, recipient=recipient, content=content.encode())


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


async def send(url: str, *messages: Message) -> list[Outcome]:
    """One connection's outcomes; a new one is opened where the last can't be used."""
    connect = transport(url)
    connection = await connect()
    outcomes = []
    for each in messages:
        if not connection.usable:
            await connection.close()
            connection = await connect()
        outcomes.append(await connection.send(each))
    await connection.close()
    return outcomes


async def test_messages_share_a_connection_and_arrive_byte_for_byte(server: MailServer) -> None:
    sent = [message(f"reader{n}@example.org") for n in range(3)]
    outcomes = await send(server.url, *sent)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.SENT] * 3
    assert [taken.content for taken in server.taken] == [one.content for one in sent]
    assert server.taken[0].sender == "bounces@example.org"
    assert server.connections == 1
    assert not server.breaches


@pytest.mark.parametrize(
    ("kind", "verdict", "stage", "code"),
    [
        ("reject", Verdict.REJECTED, Stage.RCPT, 550),
        ("grey", Verdict.DEFERRED, Stage.RCPT, 451),
        ("full", Verdict.DEFERRED, Stage.RCPT, 452),
        ("foreign", Verdict.REJECTED, Stage.RCPT, 550),
        ("shut", Verdict.DEFERRED, Stage.RCPT, 421),
        ("nodata", Verdict.REJECTED, Stage.DATA, 554),
        ("spam", Verdict.REJECTED, Stage.CONTENT, 554),
        ("later", Verdict.DEFERRED, Stage.CONTENT, 451),
        ("drop", Verdict.UNCERTAIN, Stage.CONTENT, None),
        ("lost", Verdict.UNCERTAIN, Stage.CONTENT, None),
        ("slow", Verdict.SENT, Stage.CONTENT, 250),
    ],
)
async def test_what_befalls_one_message_does_not_touch_the_next(
    server: MailServer, kind: str, verdict: Verdict, stage: Stage, code: int | None
) -> None:
    server.slowness = 0.1
    bad, good = await send(server.url, message(f"{kind}-1@example.org"), message("good@example.org"))
    assert (bad.verdict, bad.stage, bad.code) == (verdict, stage, code)
    assert good.verdict is Verdict.SENT
    assert not server.breaches


async def test_a_connection_that_has_had_enough_can_be_replaced(server: MailServer) -> None:
    server.per_connection = 2
    outcomes = await send(server.url, *(message(f"{n}@example.org") for n in range(4)))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.SENT, Verdict.SENT, Verdict.UNSENT, Verdict.SENT]


async def test_a_sender_that_no_mail_server_could_read_is_our_fault(server: MailServer) -> None:
    for sender in ("bücher@example.org", "tab\t@example.org"):
        (outcome,) = await send(server.url, message("good@example.org", sender))
        assert read(outcome) is Says.SENDER
        assert outcome.verdict is Verdict.UNSENT


async def test_a_recipient_with_spaces_in_quotes_arrives_as_written(server: MailServer) -> None:
    await send(server.url, message('"a reader"@example.org'))
    assert server.readers == {'"a reader"@example.org': 1}


async def test_the_login_of_the_url_is_used(server: MailServer) -> None:
    server.login = ("me@example.org", "p#ss/w:rd")
    url = server.url.replace("//", "//me%40example.org:p%23ss%2Fw%3Ard@")
    (outcome,) = await send(url, message("good@example.org"))
    assert outcome.verdict is Verdict.SENT


async def test_a_refused_login_is_for_good_and_names_the_setting(server: MailServer) -> None:
    server.login = ("me", "right")
    with pytest.raises(
        CantConnect, match=r"refused the login \(535 .*user and password in PAPERROUND_MAIL_URL"
    ) as told:
        await send(server.url.replace("//", "//me:wrong@"))
    assert told.value.lasting
    assert "wrong@" not in str(told.value)


async def test_a_server_that_greets_nobody_may_do_so_later(server: MailServer) -> None:
    server.closed = True
    with pytest.raises(CantConnect, match=r"can't be used \(421 4.3.2 too many of you\)") as told:
        await send(server.url)
    assert not told.value.lasting


async def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(CantConnect, match="check PAPERROUND_MAIL_URL"):
        await send(f"smtp://127.0.0.1:{free_port()}")


async def test_a_host_name_that_cannot_be_is_named() -> None:
    with pytest.raises(CantConnect, match="check PAPERROUND_MAIL_URL"):
        await send(f"smtp://{'a' * 70}..example:25")


# --- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(self_signed())
    return file


def secured(scheme: str, certificate: Path) -> MailServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return MailServer(tls=context) if scheme == "smtps" else MailServer(starttls=context)


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(scheme: str, certificate: Path) -> None:
    async with mail_server(secured(scheme, certificate)) as server:
        with pytest.raises(CantConnect, match=r"not trusted.*SSL_CERT_FILE") as told:
            await send(server.url.replace("smtp:", f"{scheme}:"))
    assert told.value.lasting


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_an_authority_of_ones_own_is_trusted_by_openssls_own_variable(
    scheme: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with mail_server(secured(scheme, certificate)) as server:
        (outcome,) = await send(server.url.replace("smtp:", f"{scheme}:"), message("good@example.org"))
        assert outcome.verdict is Verdict.SENT
        assert server.taken[0].encrypted


async def test_plain_smtp_takes_the_encryption_that_it_is_offered(certificate: Path) -> None:
    async with mail_server(secured("smtp", certificate)) as server:
        await send(server.url, message("good@example.org"))
        assert server.taken[0].encrypted


async def test_where_starttls_is_demanded_nothing_goes_in_the_clear(server: MailServer) -> None:
    with pytest.raises(CantConnect, match="STARTTLS"):
        await send(server.url.replace("smtp:", "smtp+starttls:"), message("good@example.org"))
    assert not server.taken


@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_the_loop_that_deliveries_run_on_takes_all_of_them(
    scheme: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def delivered() -> tuple[list[Outcome], MailServer]:
        async with mail_server(secured(scheme, certificate)) as server:
            letters = [message(f"{kind}-1@example.org") for kind in ("good", "reject", "drop", "lost", "better")]
            return await send(server.url.replace("smtp:", f"{scheme}:"), *letters), server

    outcomes, server = process.run(delivered())
    assert [outcome.verdict for outcome in outcomes] == [
        Verdict.SENT,
        Verdict.REJECTED,
        Verdict.UNCERTAIN,
        Verdict.UNCERTAIN,
        Verdict.SENT,
    ]
    assert all(taken.encrypted for taken in server.taken)
