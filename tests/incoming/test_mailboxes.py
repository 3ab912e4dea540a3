"""A mailbox is read, over IMAP or as a folder, and what was done is marked in it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import quote

import pytest

from flows.context import Context
from flows.incoming.handle import read_returns
from flows.incoming.mailboxes import LEFT, SIZE, OpenMailbox, utf7
from flows.outcomes import Problem
from flows.storage.database import Database
from subscribers.bounces import BounceKind
from subscribers.model import SubscriptionState
from subscribers.people.store import Change
from subscribers.tokens import Purpose, sign
from tests.certificates import self_signed
from tests.conftest import free_port
from tests.context import NOON, context_of
from tests.incoming import imap
from tests.incoming.scene import complaint, report, scene_of

PASSWORD = 'a "pass" \\ word'
KEY = "a key of sixteen letters or more"


def message(subject: str, body: str = "bye\n") -> bytes:
    return f"From: someone@example.net\nSubject: {subject}\n\n{body}".encode()


BOUNCE = message("Undelivered Mail Returned to Sender", body="x" * 2 * SIZE)


async def readers(context: Context, *names: str) -> list[int]:
    """Confirmed subscriptions, their numbers."""
    changes = [Change(email=f"{name}@example.org", newsletter="daily", columns={}) for name in names]
    await context.subscribers.keep(changes, NOON)
    return [one.id async for one in context.subscribers.walk()]


async def left(context: Context) -> list[str]:
    """Who has unsubscribed."""
    everybody = [one async for one in context.subscribers.walk()]
    return [one.email for one in everybody if one.state is SubscriptionState.UNSUBSCRIBED]


def token(number: int, key: str = KEY) -> str:
    return sign(Purpose.UNSUBSCRIBE, number, key.encode())


# --- a maildir


class Folder:
    def __init__(self, place: Path) -> None:
        self.place = place
        for part in ("new", "cur", "tmp"):
            (place / part).mkdir(parents=True)

    def put(self, name: str, content: bytes) -> None:
        (self.place / "new" / name).write_bytes(content)

    def listed(self, part: str) -> list[str]:
        return sorted(file.name for file in (self.place / part).iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "returns ü")


def url_of(place: Path) -> str:
    return f"maildir://{quote(str(place))}"


async def test_what_is_no_message_is_left_alone(folder: Folder, tmp_path: Path) -> None:
    (folder.place / "new" / ".hidden").write_bytes(b"x")
    (folder.place / "new" / "folder").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (folder.place / "new" / "link").symlink_to(tmp_path / "secret")
    folder.put("1.big", BOUNCE)
    async with OpenMailbox(url_of(folder.place)) as mailbox:
        found = [one async for one in mailbox.unread()]
        assert [(one.key, len(one.content)) for one in found] == [("1.big", SIZE)]
        # somebody else was faster
        (folder.place / "new" / "1.big").unlink()
        await mailbox.done("1.big")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "PAPERROUND_RETURNS_URL is not set: name the mailbox of PAPERROUND_RETURN_PATH, such as imaps://"),
        ("pop3://u:hidden@h", "PAPERROUND_RETURNS_URL begins with 'pop3': use imaps://, imap:// or maildir://."),
        ("/var/mail", "PAPERROUND_RETURNS_URL names no scheme: use"),
        ("imaps://u:hidden@h:port/", "PAPERROUND_RETURNS_URL is no URL: "),
        ("imaps://[h/", "PAPERROUND_RETURNS_URL is no URL: "),
        ("imaps://h/INBOX", "PAPERROUND_RETURNS_URL should name a user and a host, such as"),
        ("imaps://u%0d%0ax:hidden@h/", "PAPERROUND_RETURNS_URL should name a user and a host, such as"),
        ("maildir://relative/x", "PAPERROUND_RETURNS_URL should name a folder from the root, such as maildir:///"),
        ("maildir:///x%00y", "PAPERROUND_RETURNS_URL should name a folder from the root, such as maildir:///"),
        ("maildir:///nowhere/at/all", "/nowhere/at/all is no maildir (it has no folder new): check PAPERROUND_RETURNS"),
        ("imap://u:hidden@127.0.0.1:9/", "The mailbox 127.0.0.1 can't be read (Connection refused): check PAPERROUND"),
    ],
)
async def test_a_mailbox_that_cannot_be_used_is_told_in_one_sentence(url: str, words: str) -> None:
    with pytest.raises(Problem) as told:
        async with OpenMailbox(url):
            pass
    assert str(told.value).startswith(words)
    assert str(told.value).endswith(".")
    assert "hidden" not in str(told.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_folder_that_may_not_be_read_is_told(folder: Folder) -> None:
    (folder.place / "new").chmod(0)
    with pytest.raises(Problem, match=r"can't be read \(Permission denied\)"):
        async with OpenMailbox(url_of(folder.place)) as mailbox:
            _ = [one async for one in mailbox.unread()]


async def test_a_server_that_is_no_mailbox_server_is_told() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def greet() -> None:
            with closing(server.accept()[0]) as connection:
                connection.sendall(b"220 mail.example.org ESMTP\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(Problem, match=r"The mailbox 127\.0\.0\.1 can't be read \("):
            async with OpenMailbox(f"imap://u:p@127.0.0.1:{server.getsockname()[1]}/"):
                pass
        thread.join()


# --- IMAP


@pytest.fixture(scope="module")
def certificate() -> bytes:
    return self_signed()


@pytest.fixture(scope="module")
def server(certificate: bytes) -> Iterator[imap.ImapServer]:
    if not imap.available():
        pytest.skip("no Dovecot of the 2.3 line on this machine")
    with imap.imap_server(certificate, (free_port(), free_port())) as running:
        yield running


def account(server: imap.ImapServer, folder: str, scheme: str = "imap") -> str:
    port = server.port if scheme == "imap" else server.secure_port
    return f"{scheme}://{quote(imap.USER)}:{quote(imap.PASSWORD)}@127.0.0.1:{port}/{quote(folder)}"


async def test_a_mailbox_is_read_over_imap_and_marked(
    server: imap.ImapServer, database: Database, tmp_path: Path
) -> None:
    folder = f"Rückläufer & mehr {database.engine.dialect.name}"
    context = context_of(database, tmp_path, secret_key=KEY, returns_url=account(server, folder))
    ada, ben, _ = await readers(context, "ada", "ben", "cleo")
    written = utf7(folder)
    server.put(message(f"unsubscribe {token(ada)}"), written)
    server.put(BOUNCE, written)
    server.put(message("unsubscribe me, please"), written)
    server.put(message(f"unsubscribe {token(ben)}"), written, r"(\Seen)")
    done = await read_returns(context)
    assert done.sentence == "Returned mail: 1 unsubscription, 2 left unread in the mailbox."
    assert await left(context) == ["ada@example.org"]
    assert server.flags(written) == [{r"\Seen"}, {LEFT}, {LEFT}, {r"\Seen"}]
    server.put(message(f"unsubscribe {token(ben)}"), written)
    assert (await read_returns(context)).sentence == "Returned mail: 1 unsubscription, 0 left unread in the mailbox."
    assert await left(context) == ["ada@example.org", "ben@example.org"]
    assert server.flags(written)[-1] == {r"\Seen"}


async def test_what_was_not_marked_comes_again(server: imap.ImapServer) -> None:
    for number in range(45):
        server.put(message(f"number {number}"), "crash")
    for _ in range(2):
        async with OpenMailbox(account(server, "crash")) as mailbox:
            found = [one async for one in mailbox.unread()]
        assert [one.content.splitlines()[1] for one in found] == [b"Subject: number %d" % n for n in range(45)]
    assert server.flags("crash") == [set()] * 45


async def test_no_more_of_a_message_is_fetched_than_is_needed(server: imap.ImapServer) -> None:
    server.put(BOUNCE, "big")
    async with OpenMailbox(account(server, "big")) as mailbox:
        assert [len(one.content) async for one in mailbox.unread()] == [SIZE]


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
async def test_tls_is_verified_and_an_authority_of_ones_own_is_trusted(
    server: imap.ImapServer, certificate: bytes, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if scheme == "imaps":
        with pytest.raises(Problem, match=r"is not trusted .* name your own authority's file in SSL_CERT_FILE"):
            async with OpenMailbox(account(server, "INBOX", scheme)):
                pass
    (tmp_path / "own.pem").write_bytes(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    async with OpenMailbox(account(server, "INBOX", scheme)) as mailbox:
        assert [one async for one in mailbox.unread()] == []


async def test_a_refused_login_and_a_folder_that_is_not_there_are_told(server: imap.ImapServer) -> None:
    for url, words in (
        (
            f"imap://{quote(imap.USER)}:hidden@127.0.0.1:{server.port}/",
            r"refuses the login \(.*: check the user and the password of PAPERROUND_RETURNS_URL",
        ),
        (
            account(server, "No such ü"),
            r"opens no folder 'No such ü' \(.*: check the end of PAPERROUND_RETURNS_URL",
        ),
    ):
        with pytest.raises(Problem, match=words) as told:
            async with OpenMailbox(url):
                pass
        assert "hidden" not in str(told.value)
        assert "example.org" not in str(told.value)


class OldServer:
    """Speaks just enough of IMAP to be read, without AUTHENTICATE and without keywords; keeps what it is told."""

    answers: ClassVar = {
        b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n",
        b"SELECT": b"* 1 EXISTS\r\n* OK [PERMANENTFLAGS (\\Seen \\Flagged)] limited\r\n",
        b"UID SEARCH": b"* SEARCH 7\r\n",
        b"UID FETCH": b"* 1 FETCH (BODY[]<0> {12}\r\nSubject: x\r\n UID 7)\r\n",
    }

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._thread.join(10)
        self._server.close()

    def _serve(self) -> None:
        connection = self._server.accept()[0]
        with closing(connection), connection.makefile("rwb", buffering=0) as stream:
            stream.write(b"* OK hello\r\n")
            while line := stream.readline():
                tag, _, command = line.strip().partition(b" ")
                self.told.append(command)
                stream.write(next((text for name, text in self.answers.items() if command.startswith(name)), b""))
                stream.write(tag + b" OK done\r\n")
                if command == b"LOGOUT":
                    return


async def test_an_old_server_is_read_with_its_own_login_and_marks() -> None:
    with OldServer() as old:
        async with OpenMailbox(f"imap://{quote('a user')}:{quote(PASSWORD)}@127.0.0.1:{old.port}/") as mailbox:
            assert [(one.key, one.content) async for one in mailbox.unread()] == [("7", b"Subject: x\r\n")]
            await mailbox.left("7")
            await mailbox.done("8")
    assert [command for command in old.told if command != b"CAPABILITY"] == [
        b'LOGIN "a user" "a \\"pass\\" \\\\ word"',
        b'SELECT "INBOX"',
        b"UID SEARCH 1:1 UNSEEN UNFLAGGED",
        b"UID FETCH 7 (UID BODY.PEEK[]<0.262144>)",
        b"UID STORE 7 +FLAGS.SILENT (\\Flagged)",
        b"UID STORE 8 +FLAGS.SILENT (\\Seen)",
        b"LOGOUT",
    ]


async def test_an_old_server_is_not_given_what_it_cannot_read() -> None:
    with OldServer() as old, pytest.raises(Problem, match="takes a user and a password in plain ASCII alone"):
        async with OpenMailbox(f"imap://{quote('a user')}:{quote('ü')}@127.0.0.1:{old.port}/"):
            pass


async def test_bounces_and_complaints_are_read_over_imap(
    server: imap.ImapServer, database: Database, tmp_path: Path
) -> None:
    folder = f"bounces {database.engine.dialect.name}"
    scene = scene_of(database, tmp_path, returns_url=account(server, folder))
    await scene.subscribe("ada@one.example", "ben@one.example", "cleo@one.example")
    number = await scene.send()
    server.put(report(scene.token_of(number, "ada@one.example")), folder)
    server.put(complaint(headers=f"Return-Path: <{scene.token_of(number, 'ben@one.example')}>\n"), folder)
    server.put(report(address="nobody@one.example"), folder)
    server.put(message("Automatic reply: 12 papers"), folder)
    done = await scene.read()
    assert (done.kinds, done.passing, done.left) == (
        {BounceKind.HARD: 1, BounceKind.COMPLAINT: 1}, {"out of office": 1}, 1,
    )  # fmt: skip
    assert server.flags(folder) == [{r"\Seen"}, {r"\Seen"}, {LEFT}, {r"\Seen"}]
    assert (await scene.read()).sentence == "Nothing has come back."
