"""Who sees the operator's pages."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.web.operators import COOKIE
from tests import factories
from tests.factories import DAY
from tests.subscribers.site import READER, Site, collect
from tests.subscribers.web.routes.test_delivery_report import delivered
from tests.subscribers.web.routes.test_login import PAGES


@pytest.fixture(autouse=True)
def redirects_are_seen(site: Site) -> None:
    site.browser.follow_redirects = False


async def test_who_has_not_logged_in_is_asked_to_and_sees_nothing(site: Site) -> None:
    await delivered(site, READER)
    site.browser.cookies.clear()
    for path in (*PAGES, *(f"{page}?state=sent" for page in PAGES)):
        for method in ("GET", "HEAD", "POST"):
            answer = await site.browser.request(method, path)
            if (method, path.startswith("/preview")) == ("POST", True):
                assert answer.status_code == 405
                continue
            assert answer.status_code == 303, path
            assert answer.content == b""
            assert answer.headers["Location"].startswith("/login?next=")
            assert answer.headers["Cache-Control"] == "no-store"


async def test_a_page_of_somebody_elses_name_that_leads_here_reads_nothing(site: Site) -> None:
    """DNS rebinding: the browser takes this site for evil.example, whatever cookies it has for that."""
    await delivered(site, READER)
    cookie = {"Cookie": f"{COOKIE}={site.browser.cookies[COOKIE]}"}
    for name in (
        "evil.example",
        "evil.example:443",
        "papers.example.org.evil.example",
        "[",
        "",
        "127.0.0.1.evil.example",
    ):
        for path in (*PAGES, "/login"):
            answer = await site.browser.get(path, headers={"Host": name, **cookie})
            assert answer.status_code == 421, (name, path)
            assert READER not in answer.text
    for name in ("papers.example.org", "papers.example.org:8443", "PAPERS.example.org", "127.0.0.1:8180", "[::1]:8180"):
        assert (await site.browser.get(PAGES[0], headers={"Host": name, **cookie})).status_code == 200


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_no_request_shows_an_operators_page_without_the_login(site: Site, data: st.DataObject) -> None:
    await collect(site, factories.paper(1, title="A draft that is the operator's"))
    if not await site.context.store.find("daily", factories.edition().kind, DAY):
        await delivered(site, READER)
    site.browser.cookies.clear()
    path = data.draw(st.sampled_from(PAGES)) + data.draw(
        st.sampled_from(["", "/", "?", "?state=sent", "?next=/", "%2f"])
    )
    cookie = data.draw(st.one_of(st.just(""), st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=50)))
    headers = {
        "Cookie": f"{COOKIE}={cookie}",
        "Authorization": data.draw(st.sampled_from(["", "Basic eDp5", "Bearer x"])),
    }
    body = data.draw(st.binary(max_size=40))
    answer = await site.browser.request(
        data.draw(st.sampled_from(["GET", "HEAD", "POST", "PUT"])), path, headers=headers, content=body
    )
    assert answer.status_code in (303, 404, 405)
    assert READER not in answer.text
    assert "A draft that" not in answer.text
