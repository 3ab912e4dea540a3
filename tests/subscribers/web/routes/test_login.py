"""The operator's pages: who opens them, and who does not."""

from __future__ import annotations

import httpx
import pytest

from subscribers.web.routes.login import ATTEMPTS
from subscribers.web.sessions import LIFE
from tests.factories import DAY
from tests.subscribers.readers import tree_of
from tests.subscribers.site import READER, Site
from tests.subscribers.web.routes.test_delivery_report import delivered

PAGES = (f"/report/daily/{DAY}", f"/report/daily/week/{DAY}", f"/preview/daily/{DAY}", f"/preview/daily/week/{DAY}")


@pytest.fixture(autouse=True)
def redirects_are_seen(site: Site) -> None:
    site.browser.follow_redirects = False


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


async def test_who_comes_from_another_site_is_led_on_by_one_link(site: Site) -> None:
    """Its cookie is not sent there at first, since it is for this site's pages alone."""
    path = f"/login?next={PAGES[0]}"
    shown = tree_of((await site.browser.get(path, headers={"Sec-Fetch-Site": "cross-site"})).text)
    assert shown.xpath(f"//main//a[@href='{PAGES[0]}']")
    assert not tree_of((await site.browser.get(path)).text).xpath("//main//a")
