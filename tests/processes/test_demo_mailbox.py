from __future__ import annotations

import mailbox
import smtplib
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from flows.context import TEMPLATES
from flows.processes.demo_mailbox import SHOWN, mail_server, read, routes
from subscribers.web.pages import Pages, SecurityHeaders
from tests import factories
from tests.conftest import free_port

SCRIPT = "<script>alert('x')</script>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "inbox"


@pytest.fixture
def postman(folder: Path) -> Iterator[smtplib.SMTP]:
    """A connection to the mail server that keeps everything in `folder`."""
    server = mail_server(folder, free_port())
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", server.port) as connection:
            yield connection
    finally:
        server.stop()


@pytest.fixture
async def browser(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = SecurityHeaders(
        Starlette(routes=routes(folder, Pages([TEMPLATES], factories.phrases(), {"/inbox": "inbox.title"})))
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


def letter(html: str = "<p>Hello</p>", text: str = "Hello", **headers: str) -> EmailMessage:
    message = EmailMessage()
    given = {"From": "a@example.org", "To": "b@example.org", "Subject": "A letter"} | headers
    for name, value in given.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def put(folder: Path, raw: bytes) -> str:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return mailbox.Maildir(folder).add(raw)


def there(folder: Path) -> bool:
    return folder.exists()


async def test_a_mail_that_the_server_took_is_shown(
    postman: smtplib.SMTP, browser: httpx.AsyncClient, folder: Path
) -> None:
    date = "Tue, 09 Jun 2026 07:00:00 +0000"
    postman.send_message(letter("<h1>Grüße</h1>", "Grüße, als Text", Subject="Grüße & Küsse", Date=date))
    (key,) = mailbox.Maildir(folder).keys()
    listing = (await browser.get("/inbox")).text
    assert f'<a href="/inbox/{key}"' in listing
    assert "Grüße &amp; Küsse" in listing
    assert "09 Jun 2026, 07:00 UTC" in listing
    shown = (await browser.get(f"/inbox/{key}")).text
    assert f'<iframe src="/inbox/{key}/html"' in shown
    assert "<dt>To</dt><dd><bdi>b@example.org</bdi>" in shown
    assert (await browser.get(f"/inbox/{key}/html")).text.strip() == "<h1>Grüße</h1>"
    assert "Grüße, als Text" in (await browser.get(f"/inbox/{key}/text")).text
    assert "Subject: =?utf-8?" in (await browser.get(f"/inbox/{key}/source")).text
    assert b"Subject: =?utf-8?" in (await browser.get(f"/inbox/{key}/eml")).content


async def test_an_inbox_that_does_not_exist_yet_is_empty_and_is_not_made_by_looking(
    browser: httpx.AsyncClient, folder: Path
) -> None:
    answer = await browser.get("/inbox")
    assert (answer.status_code, "No mail yet" in answer.text) == (200, True)
    assert (await browser.get("/inbox/1.x")).status_code == 404
    assert not there(folder)


async def test_the_newest_mail_is_first_and_old_ones_are_counted(browser: httpx.AsyncClient, folder: Path) -> None:
    for number in range(SHOWN + 3):
        put(folder, letter(Subject=f"Letter {number}.").as_bytes())
    listing = (await browser.get("/inbox")).text
    assert listing.index(f"Letter {SHOWN + 2}.") < listing.index(f"Letter {SHOWN + 1}.") < listing.index("Letter 3.")
    assert "Letter 2." not in listing
    assert "And 3 older messages" in listing


async def test_a_script_in_a_mail_is_escaped_or_runs_nowhere(browser: httpx.AsyncClient, folder: Path) -> None:
    raw = letter(SCRIPT, SCRIPT, Subject=SCRIPT, From=f'"{SCRIPT}" <a@example.org>', List_ID=SCRIPT).as_bytes()
    key = put(folder, raw)
    for path in ("/inbox", f"/inbox/{key}", f"/inbox/{key}/text", f"/inbox/{key}/source"):
        answer = await browser.get(path)
        assert answer.status_code == 200
        assert "alert" in answer.text
        assert "<script" not in answer.text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "script-src" not in answer.headers["Content-Security-Policy"]
    html = await browser.get(f"/inbox/{key}/html")
    policy = html.headers["Content-Security-Policy"]
    assert "allow-scripts" not in policy
    assert policy.startswith("sandbox ")
    assert "default-src 'none'" in policy
    eml = await browser.get(f"/inbox/{key}/eml")
    assert eml.headers["Content-Disposition"] == "attachment"
    assert eml.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_link_in_a_mail_opens_a_window_of_its_own_and_one_within_it_does_not(
    browser: httpx.AsyncClient, folder: Path
) -> None:
    key = put(folder, letter('<a class="t" href="https://example.org/">x</a><a href="#below">y</a>').as_bytes())
    shown = (await browser.get(f"/inbox/{key}/html")).text
    assert '<a target="_blank" class="t" href="https://example.org/">' in shown
    assert '<a href="#below">' in shown


@pytest.mark.parametrize(
    "key", ["unknown", "..%2F..%2Fsecret", "%2e%2e%2f%2e%2e%2fsecret", "..", "%00", "new", "x:2,S", "é", "x" * 5000]
)
async def test_a_key_that_names_no_message_reads_nothing(browser: httpx.AsyncClient, folder: Path, key: str) -> None:
    put(folder, letter().as_bytes())
    (folder.parent / "secret").write_text("top secret")
    for view in ("", "/html", "/text", "/source", "/eml"):
        answer = await browser.get(f"/inbox/{key}{view}")
        assert (answer.status_code, "secret" in answer.text) == (404, False)


async def test_a_view_that_there_is_none_of_is_not_found(browser: httpx.AsyncClient, folder: Path) -> None:
    key = put(folder, letter().as_bytes())
    assert (await browser.get(f"/inbox/{key}/foo")).status_code == 404


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\nbody alone",
        b"Date: never\nSubject: x\n\nbody",
        b"Date: Tue, 99 Jun 99999 77:00:00 +9999\nSubject: x\n\nbody",
        b"Subject: =?no-such-charset?q?x?= =?utf-8?b?!!!?=\n\nbody",
        b"From: =?\nTo: @@@,<<>>\nSubject: \xff\xfe\n\nbody",
        b"Subject: x\nContent-Type: text/html; charset=no-such-charset\n\n<p>\xff</p>",
        b"Subject: x\nContent-Type: multipart/alternative\n\nno boundary",
        b'Subject: x\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: image/png\n\n\x00\xff\n--b--',
        b"Subject: x\nContent-Type: text/plain; charset=utf-7\nContent-Transfer-Encoding: base64\n\n!!!",
        b"Subject: " + b"x" * 100_000 + b"\nContent-Type: ;;;=\n\n" + b"\xff" * 1000,
    ],
)
async def test_a_mail_that_breaks_the_rules_breaks_no_page(
    browser: httpx.AsyncClient, folder: Path, raw: bytes
) -> None:
    key = put(folder, raw)
    for path in ("/inbox", *(f"/inbox/{key}{view}" for view in ("", "/html", "/text", "/source", "/eml"))):
        assert (await browser.get(path)).status_code == 200


headers = st.sampled_from([b"Subject", b"From", b"To", b"Date", b"Content-Type", b"Content-Transfer-Encoding", b"X"])
mails = st.builds(
    lambda fields, body: b"".join(name + b": " + value + b"\n" for name, value in fields) + b"\n" + body,
    st.lists(st.tuples(headers, st.binary(max_size=60)), max_size=6),
    st.binary(max_size=200),
)


@given(mails | st.binary(max_size=300))
def test_any_bytes_are_a_mail_that_can_be_shown(raw: bytes) -> None:
    mail = read("key", raw)
    for text in (mail.subject, mail.html, mail.text, *mail.headers.values()):
        text.encode()
    assert mail.subject
