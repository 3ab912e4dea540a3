"""Situations that others' users reported, each with the right value. What is named is where such a thing was met."""

from __future__ import annotations

import email
import email.policy
import json
import re
from contextlib import suppress
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from flows.editions.choose import choose
from flows.editions.model import Interests
from flows.incoming import unsubscribe_mail
from flows.mail.assemble import assemble
from flows.papers.model import Unreadable, Window
from flows.papers.sources import arxiv, huggingface
from flows.processes.prefect_api import PrefectApi
from tests import factories
from tests.mail.made import rendered
from tests.papers.shapes import FRIDAY, feed, item, listed
from tests.papers.sources.test_sources import ADDRESSES
from tests.subscribers.conftest import site
from tests.subscribers.site import Site, unsubscribe

__all__ = ["site"]

WINDOW = Window(day=FRIDAY, categories=("cs.AI",))


def mail_about(title: str) -> bytes:
    edition = factories.edition([factories.paper(1, title=title)])
    return assemble(rendered(edition), choose(edition, Interests()), factories.reader()).content


@pytest.mark.parametrize(
    "title",
    [
        # an encoded word in a title that would end the header (python/cpython #121650)
        "A \N{PILE OF POO} Chart=?UTF-8?Q?=0A?=Bcc: injected@example.com",
        # line breaks in a title (oneclickorgs/one-click-orgs #211, apache/commons-net #397)
        "Applying spit and polish\r\nBcc: injected@example.com\r\n\r\nWrapping up",
        "Lines\u2028apart\u2029Bcc: injected@example.com\x85x",
        # words before and behind the place where a line is folded (python/cpython #36520)
        "Hello Wörld! Hello Wörld! Hello Wörlds123! Hello Wörld!Hello Wörld!",
        # an encoded word that goes on in the next line (kartevonmorgen/kartevonmorgen #321)
        "Karte von Morgen – neuer Eintrag: Teikei Gemeinschaft Reyerhof Solawi Stuttgart und vieles andere",
        "文字" * 60,
        "\U0001f600" * 80,
    ],
)
def test_no_title_breaks_a_subject(title: str) -> None:
    content = mail_about(title)
    head = content.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78 + 20
    parsed = email.message_from_bytes(content, policy=email.policy.compat32)
    assert parsed.get_all("Bcc") is None
    assert len(parsed.get_all("Subject") or ()) == 1
    raw = parsed["Subject"]
    for word in re.findall(r"=\?[^\s]*", raw):
        assert re.fullmatch(r"=\?[\w-]+\?[bBqQ]\?[^? ]*\?=", word), "each word stands for itself (RFC 2047 section 5)"
    shown = str(make_header(decode_header(raw)))
    assert "\n" not in shown.replace("\n ", "")
    assert "\ufffd" not in shown


@pytest.mark.parametrize(
    "written", ["2026-06-19", "Fri, 19 Jun 2026 12:15 PM", "Fri, 19 Jun 2026", "19 Jun 26 08:00 EST", ""]
)
def test_a_date_in_another_form_is_read_or_the_feed_is_asked_again(written: str) -> None:
    """spacecowboy/Feeder #456, synzen/MonitoRSS #23, LaurenceWarne in EscherMoore/DitchTheBell #2: never today's."""
    body = feed(item(pubDate=written), date=written)
    (request,) = arxiv.requests(WINDOW, ADDRESSES)
    with suppress(Unreadable):
        assert {paper.day for paper in arxiv.parse(body, request, WINDOW, ADDRESSES).papers} <= {FRIDAY}


def test_a_channel_without_a_date_has_that_of_its_items() -> None:
    """Riduidel/rrss2imap #14."""
    (request,) = arxiv.requests(WINDOW, ADDRESSES)
    assert arxiv.parse(feed(item(), date=""), request, WINDOW, ADDRESSES).papers


def test_one_time_for_all_is_no_order() -> None:
    """leontloveless/ai-rss-feeds #10: what carries the same time everywhere says nothing of which is newer."""
    same = {"submittedOnDailyAt": "2026-06-19T00:00:00.000Z"}
    body = ("[" + ",".join(json.dumps(listed(n, **same)) for n in (3, 1, 2)) + "]").encode()
    (request,) = huggingface.requests(WINDOW, ADDRESSES)
    papers = huggingface.parse(body, request, WINDOW, ADDRESSES).papers
    assert [paper.id for paper in papers] == ["2606.00003", "2606.00001", "2606.00002"]


def test_a_folded_subject_is_one_line() -> None:
    """use-agent-os/agent-os #3088: servers on the way fold what they forward."""
    token = "AAAAAAAAAAEl-T_zo-I0YLrUFDcx-AbJ"
    for subject in (
        f"unsubscribe {token}",
        f"unsubscribe\r\n {token}",
        f"unsubscribe\r\n\t{token}",
        f" unsubscribe  {token} ",
    ):
        mail = f"From: ada@example.org\r\nTo: leave@example.org\r\nSubject: {subject}\r\n\r\n\r\n".encode()
        found = unsubscribe_mail.read(mail)
        assert found is not None, subject
        assert token in repr(found)


async def test_a_busy_prefect_server_is_asked_again() -> None:
    """PrefectHQ/prefect #10188, #19771: with SQLite it answers 503 where several write at once."""
    asked: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b"database is locked" if len(asked) < 3 else b"1"
            self.send_response(503 if len(asked) < 3 else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Busy)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        async with PrefectApi(f"http://127.0.0.1:{server.server_port}/api", "operator:secret") as prefect:
            assert await prefect.lets_in()
    finally:
        server.shutdown()
        server.server_close()
    assert asked == ["/api/flows/count"] * 3


@pytest.mark.parametrize("method", ["HEAD", "GET", "OPTIONS"])
async def test_what_looks_at_a_link_before_its_reader_changes_nothing(site: Site, method: str) -> None:
    """Mail scanners and link previews follow every link, some with HEAD first."""
    known = await site.subscribe()
    answer: httpx.Response = await site.browser.request(method, unsubscribe(known))
    assert answer.status_code < 500
    after = await site.context.subscribers.by_address("ada.brook@example.org", "daily")
    assert after is not None
    assert after.state == "confirmed"
