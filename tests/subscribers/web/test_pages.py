"""What every page of the site has: its headers, and strangers' texts as text."""

from __future__ import annotations

from tests import factories
from tests.factories import DAY
from tests.subscribers.site import SCRIPT, Site, collect, preview, unsubscribe


async def test_every_answer_has_the_security_headers(site: Site) -> None:
    await site.publish()
    reader = await site.subscribe()
    await site.log_in()
    for method, path, status in (
        ("GET", "/", 200),
        ("GET", f"/archive/daily/{DAY}", 200),
        ("GET", preview(DAY), 200),
        ("GET", "/login", 200),
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
    await site.log_in()
    draft = (await site.browser.get(preview(DAY))).text
    await site.publish(factories.edition([hostile], missing=(SCRIPT,)))
    pages = [draft, (await site.browser.get("/")).text, (await site.browser.get(f"/archive/daily/{DAY}")).text]
    for page in pages:
        assert "alert" in page
        assert "<script" not in page.lower()
        assert page.lower().count("<body") == page.lower().count("</body>") == 1
        assert "</i><sup>2</sup>" in page


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


async def test_an_edition_is_a_page_with_a_way_home_and_no_draft(site: Site) -> None:
    await site.publish()
    answer = await site.browser.get(f"/archive/daily/{DAY}")
    assert answer.status_code == 200
    assert answer.text.count("<main>") == answer.text.count("</main>") == 1
    assert '<a class="home" href="/"' in answer.text
    assert "Gardeners for Neural Hedges" in answer.text
    assert "Draft." not in answer.text
