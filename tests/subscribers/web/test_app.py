from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.editions.model import Kind, NoEdition
from flows.storage.editions import Frozen
from tests import factories
from tests.context import NOON
from tests.factories import DAY
from tests.subscribers.site import OTHER_DAY, READER, Site, ask, collect, preview, served, unsubscribe

# --- pages


async def test_the_address_in_the_list_archive_header_leads_somewhere(site: Site) -> None:
    answer = await site.browser.get("/archive", follow_redirects=True)
    assert (answer.status_code, str(answer.url)) == (200, "https://papers.example.org/archive")


async def test_a_draft_is_shown_to_the_operator_alone_and_says_that_it_is_one(site: Site) -> None:
    await collect(site, factories.paper(1))
    assert (await site.browser.get(f"/archive/daily/{DAY}")).status_code == 404
    answer = await site.browser.get(preview(DAY), follow_redirects=False)
    assert (answer.status_code, answer.content) == (303, b"")
    await site.log_in()
    answer = await site.browser.get(preview(DAY))
    assert answer.status_code == 200
    assert "<strong>Draft.</strong>" in answer.text
    assert "A Lighthouse That Reads Its Own Log" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_preview_of_what_was_delivered_is_what_was_delivered(site: Site) -> None:
    await site.publish()
    await collect(site, factories.paper(99, title="Too Late"))
    await site.log_in()
    answer = await site.browser.get(preview(DAY))
    assert "Draft." not in answer.text
    assert "Too Late" not in answer.text


async def test_a_day_without_an_edition_says_why(site: Site) -> None:
    reason = "Hugging Face lists nothing at weekends."
    none = NoEdition(newsletter="daily", kind=Kind.DAILY, day=DAY, reason=reason)
    await site.context.store.keep_draft(none, NOON)
    answer = await site.browser.get(f"/archive/daily/{DAY}")
    assert (answer.status_code, reason in answer.text) == (404, True)
    await site.log_in()
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


async def test_looking_changes_nothing(site: Site) -> None:
    await collect(site, factories.paper(50))
    reader = await site.subscribe()
    drafted = preview(DAY)
    await site.log_in()
    await site.publish(factories.edition(day=OTHER_DAY))
    before = await site.everything()
    for path in ("/", "/archive", f"/archive/daily/{OTHER_DAY}", drafted, preview(OTHER_DAY), unsubscribe(reader)):
        answers = [await site.browser.request(method, path) for method in ("GET", "HEAD", "GET")]
        assert len({answer.status_code for answer in answers}) == 1
        assert answers[0].headers == answers[1].headers
        assert answers[0].content == answers[2].content
        assert READER not in answers[0].text
    assert await site.everything() == before


# --- bad input


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
