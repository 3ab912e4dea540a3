from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message

from flows.context import Context
from flows.database import Database, metadata
from flows.dispatch import deliver
from flows.editions.model import Edition, Kind, NoEdition
from flows.mail.cards import pack
from flows.papers.model import Collected, Paper
from flows.serving import services
from flows.stages import cards_of
from flows.store import Frozen
from subscribers.model import DeliveryState, SubscriptionState
from subscribers.store import Change
from subscribers.tokens import PREVIEW_READER, Purpose, sign, sign_text
from subscribers.web import Services, create_app
from tests import factories
from tests.context import NOON, context_of
from tests.factories import DAY

NEW, OLD = "the newest key of many bytes", "an older key of many bytes"
READER = "ada.brook@example.org"
SCRIPT = "<script>alert('x')</script>"
OTHER_DAY = DAY - dt.timedelta(days=1)


@dataclass(frozen=True)
class Site:
    context: Context
    services: Services
    app: ASGIApp
    browser: httpx.AsyncClient

    async def publish(self, edition: Edition | None = None) -> Frozen:
        made = edition or factories.edition()
        cards = await cards_of(self.context, made, self.context.newsletters["daily"])
        return await self.context.store.freeze(made, pack(cards), NOON)

    async def subscribe(self, address: str = READER) -> int:
        await self.context.subscribers.keep([Change(email=address, newsletter="daily", columns={})], NOON)
        found = await self.context.subscribers.by_address(address, "daily")
        assert found
        return found.id

    async def state(self, identity: int) -> SubscriptionState:
        found = await self.context.subscribers.get(identity)
        assert found
        return found.state

    async def everything(self) -> dict[str, list[Any]]:
        """All rows of all tables."""
        async with self.context.database.read() as connection:
            return {
                table.name: sorted(map(repr, (await connection.execute(sa.select(table))).all()))
                for table in metadata.sorted_tables
            }


def served(made: Services) -> tuple[ASGIApp, httpx.AsyncClient]:
    app = create_app(made)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return app, httpx.AsyncClient(transport=transport, base_url="https://papers.example.org")


@pytest.fixture
async def site(database: Database, tmp_path: Path) -> AsyncIterator[Site]:
    context = context_of(database, tmp_path, secret_key=f"{NEW},{OLD}", public_url="https://papers.example.org")
    made = services(context)
    app, browser = served(made)
    async with browser:
        yield Site(context, made, app, browser)


def unsubscribe(identity: int, key: str = NEW) -> str:
    return f"/unsubscribe/{sign(Purpose.UNSUBSCRIBE, identity, key.encode())}"


def preview(day: dt.date) -> str:
    path = f"daily/{day}"
    return f"/preview/{path}?seal={sign_text(Purpose.PREVIEW, path, NEW.encode())}"


async def collect(site: Site, *papers: Paper) -> None:
    await site.context.store.keep(Collected(source="huggingface", day=DAY, papers=papers), NOON)


# --- pages


async def test_the_first_page_says_that_there_is_no_edition_yet(site: Site) -> None:
    answer = await site.browser.get("/")
    assert answer.status_code == 200
    assert "No edition has come out yet" in answer.text


async def test_the_first_page_leads_to_the_latest_edition_and_its_topics(site: Site) -> None:
    await site.publish(factories.edition(day=OTHER_DAY, number=6, listed=factories.papers(3)))
    await site.publish(factories.edition(listed=[factories.paper(n) for n in range(10, 17)]))
    page = (await site.browser.get("/")).text
    assert f'href="/archive/daily/{DAY}"' in page
    assert f'href="/archive/daily/{DAY}#t-agents"' in page
    assert str(OTHER_DAY) not in page
    assert "Tuesday, 9 June 2026 · No. 7 · 7 papers in 5 topics" in page


async def test_the_address_in_the_list_archive_header_leads_somewhere(site: Site) -> None:
    answer = await site.browser.get("/archive", follow_redirects=True)
    assert (answer.status_code, str(answer.url)) == (200, "https://papers.example.org/")


async def test_an_edition_is_a_page_with_a_way_home_and_no_draft(site: Site) -> None:
    await site.publish()
    answer = await site.browser.get(f"/archive/daily/{DAY}")
    assert answer.status_code == 200
    assert answer.text.count("<main>") == answer.text.count("</main>") == 1
    assert '<a class="home" href="/"' in answer.text
    assert "Gardeners for Neural Hedges" in answer.text
    assert "Draft." not in answer.text


async def test_an_edition_that_a_browser_has_is_not_sent_again(site: Site) -> None:
    await site.publish()
    first = await site.browser.get(f"/archive/daily/{DAY}")
    assert "max-age" in first.headers["Cache-Control"]
    for known in (first.headers["ETag"], f"W/{first.headers['ETag']}", f'"other", {first.headers["ETag"]}', "*"):
        again = await site.browser.get(f"/archive/daily/{DAY}", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    other = await site.browser.get(f"/archive/daily/{DAY}", headers={"If-None-Match": '"other"'})
    assert other.content == first.content


async def test_a_draft_is_shown_to_who_has_the_link_alone_and_says_that_it_is_one(site: Site) -> None:
    await collect(site, factories.paper(1))
    assert (await site.browser.get(f"/archive/daily/{DAY}")).status_code == 404
    for seal in ("", "?seal=", "?seal=abc", "?seal=%00%ff", preview(OTHER_DAY).partition("daily/")[2][10:]):
        answer = await site.browser.get(f"/preview/daily/{DAY}{seal}")
        assert (answer.status_code, "take it from the run again" in answer.text) == (403, True)
    answer = await site.browser.get(preview(DAY))
    assert answer.status_code == 200
    assert "<strong>Draft.</strong>" in answer.text
    assert "A Lighthouse That Reads Its Own Log" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_preview_of_what_was_delivered_is_what_was_delivered(site: Site) -> None:
    await site.publish()
    await collect(site, factories.paper(99, title="Too Late"))
    answer = await site.browser.get(preview(DAY))
    assert "Draft." not in answer.text
    assert "Too Late" not in answer.text


async def test_a_day_without_an_edition_says_why(site: Site) -> None:
    reason = "Hugging Face lists nothing at weekends."
    none = NoEdition(newsletter="daily", kind=Kind.DAILY, day=DAY, reason=reason)
    await site.context.store.keep_draft(none, NOON)
    answer = await site.browser.get(f"/archive/daily/{DAY}")
    assert (answer.status_code, reason in answer.text) == (404, True)
    assert (await site.browser.get(preview(DAY))).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/archive/daily",
        "/archive/nope/2026-06-09",
        "/archive/daily/yesterday",
        "/archive/daily/20260609",
        "/archive/daily/2026-W24-2",
        "/archive/daily/2026-02-30",
        "/archive/%00/2026-06-09",
        "/archive/daily/2026-06-09/",
        "/unsubscribe/",
        "/inbox",
        "//example.com/",
    ],
)
async def test_what_is_not_there_is_a_page_that_says_so(site: Site, path: str) -> None:
    status, headers, body = await ask(site.app, "GET", path)
    assert status == 404
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert b'<a class="button" href="/">' in body


async def test_what_can_only_be_looked_at_takes_nothing(site: Site) -> None:
    for path in ("/", "/archive", f"/archive/daily/{DAY}", "/healthz"):
        answer = await site.browser.post(path, content=b"x")
        assert (answer.status_code, sorted(answer.headers["Allow"].split(", "))) == (405, ["GET", "HEAD"])
        assert "only shows something" in answer.text


async def test_healthz_answers_while_the_database_does(site: Site) -> None:
    answer = await site.browser.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_a_failure_says_so_and_nothing_of_itself(site: Site) -> None:
    async def broken(frozen: Frozen) -> str:
        raise RuntimeError(f"{READER} and a secret")

    await site.publish()
    _, browser = served(replace(site.services, page_of=broken))
    async with browser:
        answer = await browser.get(f"/archive/daily/{DAY}")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_every_answer_has_the_security_headers(site: Site) -> None:
    await site.publish()
    reader = await site.subscribe()
    for method, path, status in (
        ("GET", "/", 200),
        ("GET", f"/archive/daily/{DAY}", 200),
        ("GET", "/archive", 307),
        ("GET", preview(DAY), 200),
        ("GET", f"/preview/daily/{DAY}", 403),
        ("GET", unsubscribe(reader), 200),
        ("POST", unsubscribe(reader), 200),
        ("GET", "/unsubscribe/x", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/", 405),
        ("GET", "/healthz", 200),
    ):
        answer = await site.browser.request(method, path)
        assert answer.status_code == status
        policy = answer.headers["Content-Security-Policy"]
        assert "script" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Strict-Transport-Security"]
        assert "Set-Cookie" not in answer.headers
        shared = path in ("/", f"/archive/daily/{DAY}") and status == 200
        assert ("ETag" in answer.headers) == shared
        assert (answer.headers["Cache-Control"] == "no-store") != shared
        assert (answer.headers.get("X-Robots-Tag") == "noindex") != shared


async def test_what_was_scraped_is_escaped_and_its_formulas_are_readable(site: Site) -> None:
    hostile = factories.paper(
        1, title=f"{SCRIPT} </style></head><body> $x^2$", authors=(SCRIPT,) * 5, organisation=SCRIPT, abstract=SCRIPT
    )
    await collect(site, hostile)
    draft = (await site.browser.get(preview(DAY))).text
    await site.publish(factories.edition([hostile], missing=(SCRIPT,)))
    pages = [draft, (await site.browser.get("/")).text, (await site.browser.get(f"/archive/daily/{DAY}")).text]
    for page in pages:
        assert "alert" in page
        assert "<script" not in page.lower()
        assert page.lower().count("<body") == page.lower().count("</body>") == 1
        assert "</i><sup>2</sup>" in page


# --- leaving


BODIES: dict[str, dict[str, Any]] = {
    "one click": {"data": {"List-Unsubscribe": "One-Click"}},
    "multipart": {"files": {"List-Unsubscribe": (None, "One-Click")}},
    "empty": {},
    "1 MB": {"content": b"x" * 1_000_000},
    "a form that is none": {
        "content": b"\xff\x00--",
        "headers": {"Content-Type": "multipart/form-data; boundary=\xe9".encode("latin-1")},
    },
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_post_unsubscribes_with_whatever_body_however_often(site: Site, body: dict[str, Any]) -> None:
    reader, other = await site.subscribe(), await site.subscribe("ben@example.org")
    asked = await site.browser.get(unsubscribe(reader))
    assert "<button" in asked.text
    assert await site.state(reader) is SubscriptionState.CONFIRMED
    for _ in range(2):
        answer = await site.browser.post(unsubscribe(reader), **body)
        assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
        assert await site.state(reader) is SubscriptionState.UNSUBSCRIBED
    assert await site.state(other) is SubscriptionState.CONFIRMED
    after = await site.browser.get(unsubscribe(reader))
    assert "<button" not in after.text
    assert READER not in asked.text + answer.text + after.text


async def test_a_link_of_an_older_key_still_unsubscribes(site: Site) -> None:
    reader = await site.subscribe()
    assert (await site.browser.post(unsubscribe(reader, OLD))).status_code == 200
    assert await site.state(reader) is SubscriptionState.UNSUBSCRIBED


async def test_a_link_that_was_changed_does_nothing_and_says_so(site: Site) -> None:
    reader, other = await site.subscribe(), await site.subscribe("ben@example.org")
    good, another = unsubscribe(reader), unsubscribe(other)
    before = await site.everything()
    for path in (
        good[:-1],
        good + "A",
        good[: len("/unsubscribe/") + 11] + another[len("/unsubscribe/") + 11 :],
        f"/unsubscribe/{sign(Purpose.MANAGE, reader, NEW.encode(), NOON)}",
        unsubscribe(reader, "a key of somebody else"),
        f"/unsubscribe/{reader}",
        "/unsubscribe/" + "A" * 32,
        "/unsubscribe/" + "é" * 32,
        "/unsubscribe/%00" + "A" * 31,
        "/unsubscribe/" + "A" * 10_000,
        f"{good}%0d%0aX-Injected:%20yes",
    ):
        for method in ("GET", "HEAD", "POST"):
            answer = await site.browser.request(method, path)
            assert answer.status_code == 404
            assert method == "HEAD" or "This link is not complete" in answer.text
            assert "X-Injected" not in answer.headers
    assert await site.everything() == before


async def test_a_link_of_who_was_erased_still_ends_in_peace(site: Site) -> None:
    answer = await site.browser.post(unsubscribe(4711))
    assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)


async def test_the_link_of_a_preview_unsubscribes_nobody(site: Site) -> None:
    await site.subscribe()
    before = await site.everything()
    for method in ("GET", "POST"):
        answer = await site.browser.request(method, unsubscribe(PREVIEW_READER))
        assert (answer.status_code, "comes from a preview" in answer.text) == (200, True)
    assert await site.everything() == before


async def test_looking_changes_nothing(site: Site) -> None:
    await collect(site, factories.paper(50))
    reader = await site.subscribe()
    drafted = preview(DAY)
    await site.publish(factories.edition(day=OTHER_DAY))
    before = await site.everything()
    for path in ("/", "/archive", f"/archive/daily/{OTHER_DAY}", drafted, preview(OTHER_DAY), unsubscribe(reader)):
        answers = [await site.browser.request(method, path) for method in ("GET", "HEAD", "GET")]
        assert len({answer.status_code for answer in answers}) == 1
        assert answers[0].headers == answers[1].headers
        assert answers[0].content == answers[2].content
        assert READER not in answers[0].text
    assert await site.everything() == before


async def test_who_leaves_while_a_delivery_waits_gets_no_mail_of_it(site: Site) -> None:
    frozen = await site.publish()
    reader, other = await site.subscribe(), await site.subscribe("ben@example.org")
    await site.context.ledger.open(frozen.id, "daily", Kind.DAILY, DAY, NOON, at_once=True)
    await site.browser.post(unsubscribe(reader))
    delivered = await deliver(site.context, frozen, lambda sentence: None, at_once=True)
    assert delivered.counts == {DeliveryState.SENT: 1, DeliveryState.SKIPPED: 1}
    assert await site.state(other) is SubscriptionState.CONFIRMED


# --- bad input


async def ask(app: ASGIApp, method: str, path: str, query: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """The answer to a path as it is: a client would have put it in order first."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "root_path": "",
        "query_string": query,
        "headers": [(b"host", b"papers.example.org"), (b"if-none-match", query)],
        "client": ("192.0.2.7", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


segments = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", ".", "..", "daily", "archive", "preview", "unsubscribe", "2026-06-09", "0001-01-01"]),
    st.dates().map(str),
)
starts = st.sampled_from(["", "archive", "preview", "unsubscribe", "archive/daily", "preview/daily", "healthz"])
paths = st.builds(lambda start, rest: "/" + "/".join([start, *rest]), starts, st.lists(segments, max_size=4))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "X"]), paths, st.binary(max_size=40))
async def test_no_path_makes_the_site_fail(site: Site, method: str, path: str, query: bytes) -> None:
    status, headers, _ = await ask(site.app, method, path, query)
    assert status < 500
    assert "default-src 'none'" in headers["content-security-policy"]
