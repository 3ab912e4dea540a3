"""The operator's pages: who opens them, and who does not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.tables import operator_session
from subscribers.web.operators import COOKIE
from subscribers.web.routes.login import ATTEMPTS
from subscribers.web.sessions import LIFE
from tests import factories
from tests.context import NOON
from tests.factories import DAY
from tests.subscribers.readers import tree_of
from tests.subscribers.site import READER, Site, collect, served
from tests.subscribers.web.routes.test_delivery_report import delivered

PAGES = (f"/report/daily/{DAY}", f"/report/daily/week/{DAY}", f"/preview/daily/{DAY}", f"/preview/daily/week/{DAY}")


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


async def test_the_login_leads_to_the_page_that_was_asked_for(site: Site) -> None:
    await delivered(site, READER)
    site.browser.cookies.clear()
    asked = await site.browser.get(f"{PAGES[0]}?state=pending")
    form = tree_of((await site.browser.get(asked.headers["Location"])).text).xpath("//form")[0]
    sent = {"next": form.xpath("input[@name='next']/@value")[0], "login": f" {site.context.settings.login} "}
    answer = await site.browser.post(form.get("action"), data=sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGES[0]}?state=pending")
    cookie = answer.headers["Set-Cookie"].lower()
    for part in ("httponly", "samesite=strict", "secure", "path=/", f"max-age={int(LIFE.total_seconds())}"):
        assert part in cookie
    assert site.context.settings.login not in cookie
    assert READER in (await site.browser.get(answer.headers["Location"])).text


async def test_the_cookie_of_a_site_without_tls_is_sent_back_to_it(site: Site) -> None:
    transport = httpx.ASGITransport(site.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8180") as plain:
        answer = await plain.post("/login", data={"login": site.context.settings.login})
        assert "secure" not in answer.headers["Set-Cookie"].lower()
        assert "Log out" in (await plain.get("/login")).text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/report//evil.example",
        "/\\evil.example",
        "/unsubscribe/x",
        "report/x",
    ],
)
async def test_the_login_leads_nowhere_else(site: Site, elsewhere: str) -> None:
    answer = await site.browser.post("/login", data={"login": site.context.settings.login, "next": elsewhere})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert elsewhere not in (await site.browser.get("/login", params={"next": elsewhere})).text


async def test_what_is_no_login_opens_nothing_and_after_some_attempts_is_not_looked_at(site: Site) -> None:
    login = site.context.settings.login
    wrong = ["", " ", login[:-1], login.upper(), f"{login}x", "ä", "\ud800"][: ATTEMPTS - 1]
    for typed in (*wrong, *["x"] * (ATTEMPTS - len(wrong))):
        answer = await site.browser.post("/login", content=f"login={typed}".encode("utf-8", "replace"))
        assert answer.status_code in (400, 422)
        assert "Set-Cookie" not in answer.headers
    answer = await site.browser.post("/login", data={"login": login})
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (429, False)
    assert answer.headers["Retry-After"] == "900"


async def test_logging_out_ends_the_session_for_whoever_has_copied_its_cookie(site: Site) -> None:
    await delivered(site, READER)
    copied = dict(site.browser.cookies)
    answer = await site.browser.post("/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert COOKIE not in site.browser.cookies
    site.browser.cookies.update(copied)
    assert (await site.browser.get(PAGES[0])).status_code == 303


async def test_a_session_ends_after_a_week_and_with_another_login(site: Site) -> None:
    await site.log_in()
    token = site.browser.cookies[COOKIE]
    sessions = site.services.sessions
    assert await sessions.is_open(token, NOON + LIFE - dt.timedelta(seconds=1))
    assert not await sessions.is_open(token, NOON + LIFE)
    assert not await type(sessions)(site.context.database, "another login of many letters").is_open(token, NOON)


async def test_a_session_is_kept_as_a_hash_and_forgotten_when_it_is_over(site: Site) -> None:
    await site.log_in()
    token = site.browser.cookies[COOKIE]
    assert token not in str(await site.everything())
    await site.services.sessions.open(NOON + LIFE + dt.timedelta(days=1))
    async with site.context.database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(operator_session)) == 1


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


async def test_who_comes_from_another_site_is_led_on_by_one_link(site: Site) -> None:
    """Its cookie is not sent there at first, since it is for this site's pages alone."""
    path = f"/login?next={PAGES[0]}"
    shown = tree_of((await site.browser.get(path, headers={"Sec-Fetch-Site": "cross-site"})).text)
    assert shown.xpath(f"//main//a[@href='{PAGES[0]}']")
    assert not tree_of((await site.browser.get(path)).text).xpath("//main//a")


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


async def test_the_pages_of_another_installation_take_no_session_of_this_one(site: Site) -> None:
    await site.log_in()
    others = replace(site.services, sessions=type(site.services.sessions)(site.context.database, "of another machine"))
    _, browser = served(others)
    async with browser:
        answer = await browser.get(PAGES[0], headers={"Cookie": f"{COOKIE}={site.browser.cookies[COOKIE]}"})
        assert answer.status_code == 303
