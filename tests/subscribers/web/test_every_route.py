"""Whatever is sent to whatever address, the site answers, and says nothing of its inside."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from subscribers.tokens import Purpose
from subscribers.web.operators import COOKIE
from tests import factories
from tests.context import NOON
from tests.factories import DAY
from tests.subscribers.site import SCRIPT, Site, ask, collect, link, preview, unsubscribe

PARTS = st.one_of(
    st.sampled_from(
        [
            "daily",
            "arxiv",
            "agents",
            str(DAY),
            "2606.00001",
            "2606.00001.bib",
            "weekly",
            "..",
            "%00",
            "a" * 3000,
            SCRIPT,
        ]
    ),
    st.dates(date.min, date.max).map(str),
    st.text(max_size=30).map(lambda text: quote(text, safe="")),
)
QUERIES = st.one_of(
    st.sampled_from(
        [b"", b"q=agents&page=2", b"q=%22", b"month=2026-06", b"month=x", b"page=-1", b"page=9999999999999999999999"]
    ),
    st.sampled_from([b"until=2026-06-09&seal=x", b"seal=%ff", b"q=" + b"a" * 5000, b"&&==%", b"q=%00%ff"]),
    st.binary(max_size=40),
)
METHODS = ("GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "G\x00T")


def routes(app: Any) -> list[str]:
    """The paths of all routes, from the app itself, however it is wrapped."""
    while not hasattr(app, "routes"):
        app = vars(app).get("app") or vars(app)["_app"]
    return [route.path for route in app.routes if isinstance(route, Route)]


def _path(template: str, parts: list[str]) -> str:
    left = iter(parts)
    return re.sub(r"\{[^}]*\}", lambda _: next(left), template)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 200),
    st.integers(0, 12),
    st.sampled_from(METHODS),
    st.lists(PARTS, min_size=6, max_size=6),
    QUERIES,
    st.booleans(),
)
async def test_no_route_fails(
    site: Site, at: int, token: int, method: str, parts: list[str], query: bytes, operator: bool
) -> None:
    """Neither for anybody nor for the operator, whose pages nobody else sees."""
    if await site.context.store.newest("daily", factories.edition().kind) is None:
        await collect(site, factories.paper(1))
        await site.publish(factories.edition([factories.paper(1)]))
    known = await site.subscribe()
    tokens = [link(purpose, known).split("/")[2] for purpose in Purpose if purpose.value in _LINKS]
    tokens += [unsubscribe(known).split("/")[2], preview(DAY).partition("?")[0].rpartition("/")[2]]
    first = dict(enumerate(tokens)).get(token, parts[0])
    every = routes(site.app)
    path = _path(every[at % len(every)], [first, *parts[1:]])
    cookie = f"{COOKIE}={await site.services.sessions.open(NOON)}" if operator else ""
    status, headers, body = await ask(site.app, method, path, query, cookie)
    assert 200 <= status < 500
    assert "content-security-policy" in headers
    for inside in (b"Traceback", b"PAPERROUND_", b"sqlalchemy", b"/site-packages/"):
        assert inside not in body
    if not operator:
        assert b'action="/logout"' not in body


_LINKS = ("manage", "confirm", "private", "address")


async def test_every_route_is_among_them(site: Site) -> None:
    found = routes(site.app)
    assert len(found) > 25
    assert {"/", "/subscribe", "/confirm/{token}/never", "/healthz", "/unsubscribe/{token}"} <= set(found)
    assert {"/favicon.ico", "/paper/{id:path}.bib", "/archive/{newsletter}/week/{day}.ris"} <= set(found)
    assert "/archive/{newsletter}/{day}.png" in found


async def test_an_operators_pages_can_be_told_by_their_way_out(site: Site) -> None:
    """Else the test above would look for what no page has."""
    cookie = f"{COOKIE}={await site.services.sessions.open(NOON)}"
    await site.publish(factories.edition([factories.paper(1)]))
    for path in (f"/report/daily/{DAY}", "/login"):
        assert b'action="/logout"' in (await ask(site.app, "GET", path, cookie=cookie))[2]
        assert b'action="/logout"' not in (await ask(site.app, "GET", path))[2]
