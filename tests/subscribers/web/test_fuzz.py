from __future__ import annotations

from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.tokens import Purpose
from tests import factories
from tests.subscribers.site import SCRIPT, Site, act, collect, link, unsubscribe

FIELDS: tuple[str, ...] = (
    "do",
    "address",
    "newsletter",
    "topics",
    "frequency",
    "keywords",
    "authors",
    "leave_out",
    "papers",
    "follow",
    "size",
    "weekday",
    "hour",
    "zone",
)
FIELDS += ("until", "revision", "reason", "sure", "website", "__proto__")
NASTY = ("", "\0", "__proto__", SCRIPT, "'; DROP TABLE subscriber; --", "a\r\nBcc: b@example.org", "\ud7ff", "9" * 50)
BUTTONS: tuple[str, ...] = (
    "save",
    "preview",
    "pause",
    "pause-week",
    "resume",
    "undo",
    "on:agents",
    "off:agents",
    "private",
    "erase",
)
BUTTONS += ("export", "address")
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(NASTY + BUTTONS),
    st.sampled_from(["agents", "daily", "weekly", "1", "2026-06-20", "Europe/Berlin", "x@example.org", "yes"]),
)
FORMS = st.lists(st.tuples(st.sampled_from(FIELDS), VALUES), max_size=8)
HEADERS = st.dictionaries(
    st.sampled_from(["Content-Type", "If-None-Match", "X-Forwarded-For", "Origin", "Accept", "Cookie", "Range"]),
    st.one_of(
        st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20).map(str.strip),
    ),
    max_size=3,
)


async def _paths(site: Site) -> list[str]:
    """The paths that readers' routes have, for readers in every state."""
    store, now = site.context.subscribers, site.context.now()
    known, left = await site.subscribe(), await site.subscribe("left@example.org")
    await store.unsubscribe(left, now)
    paths = ["/", "/subscribe", "/manage-link"]
    for reader in (known, left, 0, 999):
        paths += [
            link(purpose, reader) for purpose in (Purpose.CONFIRM, Purpose.MANAGE, Purpose.PRIVATE, Purpose.ADDRESS)
        ]
        paths += [f"{link(purpose, reader)}/never" for purpose in (Purpose.CONFIRM, Purpose.ADDRESS)]
        paths += [unsubscribe(reader) + tail for tail in ("", "/undo", "/reason")]
        paths += [
            act(reader, one)
            for one in (
                "mute/agents",
                "mute/nope",
                "more/2606.00001",
                "less/2606.00001",
                "less/nope",
                "teach",
                "pause",
                "weekly",
                "daily",
                f"tune/daily/{factories.DAY}",
            )
        ]
    return paths


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "PUT"]), FORMS, HEADERS)
async def test_no_form_makes_the_site_fail(
    site: Site, data: st.DataObject, method: str, form: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    path = data.draw(st.sampled_from(await _paths(site)))
    body = data.draw(st.one_of(st.just(urlencode(form, errors="replace").encode()), st.binary(max_size=60)))
    answer = await site.browser.request(method, path, content=body, headers=headers)
    assert answer.status_code < 500
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text.lower()
    assert "Set-Cookie" not in answer.headers
    if answer.headers.get("Content-Type", "").startswith("text/html") and method != "HEAD":
        assert answer.text.count("<h1") == 1


async def test_looking_at_any_page_changes_nothing(site: Site) -> None:
    paper = factories.paper(1)
    await collect(site, paper)
    await site.publish(factories.edition([paper]))
    paths = await _paths(site)
    before = await site.everything()
    for path in paths:
        for method in ("GET", "HEAD"):
            answer = await site.browser.request(method, path, headers={"Purpose": "prefetch"})
            assert answer.status_code < 500
            if path not in ("/",):
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["X-Robots-Tag"] == "noindex"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert await site.everything() == before
