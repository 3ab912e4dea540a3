from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from markupsafe import escape

from subscribers import addresses
from subscribers.model import Frequency, SubscriptionState, Suppressed
from subscribers.preferences import preferences_of
from subscribers.tables import subscription
from tests.context import NOON
from tests.factories import DAY
from tests.subscribers.readers import tree_of
from tests.subscribers.site import READER, SCRIPT, Site, served

TYPED = {"address": READER, "newsletter": "daily", "frequency": "daily"}


def snippet() -> str:
    """The form that the README gives to other sites."""
    readme = (Path(__file__).parents[4] / "subscribers" / "README.md").read_text("utf-8")
    return readme.partition("```html\n")[2].partition("```")[0]


async def sign_up(site: Site, **given: Any) -> int:
    """Signs up in a browser; the number of the subscription."""
    answer = await site.browser.post("/subscribe", data=TYPED | given)
    assert (answer.status_code, "Check your inbox" in answer.text) == (200, True)
    found = await site.context.subscribers.by_address(given.get("address", READER), "daily")
    assert found
    return found.id


async def test_a_sign_up_waits_for_its_confirmation_with_what_was_chosen(site: Site) -> None:
    woken: list[bool] = []
    _, browser = served(replace(site.services, wake=lambda: woken.append(True)))
    async with browser:
        await browser.post("/subscribe", data=TYPED | {"topics": ["agents", "video"], "frequency": "weekly"})
    found = await site.context.subscribers.by_address(READER, "daily")
    assert found
    assert (found.state, found.frequency) == (SubscriptionState.UNCONFIRMED, Frequency.WEEKLY)
    assert found.interests.topics == {"agents", "video"}
    assert found.consent_at == NOON
    assert await site.letters() == ["confirm"]
    assert woken


async def test_consent_is_kept_with_its_text_and_a_hash_of_the_network(site: Site) -> None:
    await sign_up(site)
    async with site.context.database.read() as connection:
        row = (await connection.execute(sa.select(subscription))).one()
    assert row.consent_version == site.services.phrases.text("subscribe.consent_version")
    assert len(row.consent_network) == 43
    assert row.consent_source == "web"
    for path in ("/", "/subscribe"):
        assert str(site.services.phrases("subscribe.consent")) in (await site.browser.get(path)).text


async def test_no_topic_chosen_means_all(site: Site) -> None:
    found = await site.now(await sign_up(site))
    assert (found.interests.topics, found.interests.muted) == (frozenset(), frozenset())


async def test_the_answer_is_the_same_whatever_is_known_of_an_address(site: Site) -> None:
    store = site.context.subscribers
    confirmed, paused = await site.subscribe("confirmed@example.org"), await site.subscribe("paused@example.org")
    await store.pause(paused, DAY + dt.timedelta(days=3), NOON)
    await store.unsubscribe(await site.subscribe("left@example.org"), NOON)
    await site.subscribe("suppressed@example.org")
    for address in ("suppressed@example.org", "unheard-of@example.org"):
        await store.suppress(address, Suppressed.COMPLAINT, NOON)
    await store.erase(await site.subscribe("erased@example.org"), NOON)
    names = ("new", "confirmed", "paused", "left", "suppressed", "unheard-of", "erased", "new")
    for path in ("/subscribe", "/manage-link"):
        answers = []
        for number, name in enumerate(names):
            app, _ = served(site.services)
            answers.append(
                await asked_from(app, f"192.0.2.{number}", path, {**TYPED, "address": f"{name}@example.org"})
            )
        assert {answer.status_code for answer in answers} == {200}
        alike = {answer.text.replace(f"{name}@example.org", "X") for name, answer in zip(names, answers, strict=True)}
        assert len(alike) == 1
        headers = [{**answer.headers, "content-length": ""} for answer in answers]
        assert len({repr(sorted(one.items())) for one in headers}) == 1
    assert sorted(await site.letters()) == ["confirm", "confirm", "confirm", "known", "known", "link", "link"]
    assert await site.state(confirmed) is SubscriptionState.CONFIRMED


async def asked_from(app: Any, address: str, path: str, data: dict[str, Any]) -> Any:

    transport = httpx.ASGITransport(app, client=(address, 1))
    async with httpx.AsyncClient(
        transport=transport, base_url="https://papers.example.org", follow_redirects=True
    ) as browser:
        return await browser.post(path, data=data)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "is missing"),
        ("ada", "should look like"),
        ("ada@", "should look like"),
        ("ada@localhost", "should look like"),
        ("ada@[192.0.2.1]", "should look like"),
        ("ada brook@example.org", "should look like"),
        ("ada@example.org,ben@example.org", "should look like"),
        ("ada@example.org\r\nBcc: ben@example.org", "should look like"),
        (f"{'a' * 300}@example.org", "should look like"),
        (SCRIPT, "should look like"),
        ("'; DROP TABLE subscriber; --", "should look like"),
        ("adä@example.org", "before the @"),
        ("ada@mailinator.com", "a few minutes only"),
        ("ada@anything.mailinator.com", "a few minutes only"),
    ],
)
async def test_an_address_that_can_not_be_used_is_refused_beside_its_field(
    site: Site, address: str, words: str
) -> None:
    before = await site.everything()
    answer = await site.browser.post("/subscribe", data=TYPED | {"address": address})
    assert (answer.status_code, words in answer.text) == (422, True)
    assert 'role="alert"' in answer.text
    assert 'aria-describedby=" address-error"' in answer.text
    assert 'id="address-error"' in answer.text
    assert "<script" not in answer.text
    assert await site.everything() == before


def test_an_international_domain_is_kept_in_ascii() -> None:
    assert addresses.read("ada@bücher.example.org") == "ada@xn--bcher-kva.example.org"


def test_of_an_address_only_its_owner_knows_the_rest() -> None:
    assert addresses.masked("ada.brook@example.org") == "a…@example.org"


@pytest.mark.parametrize(
    "given",
    [
        {"newsletter": "nope"},
        {"newsletter": "sample"},
        {"newsletter": "__proto__"},
        {"topics": "nope"},
        {"topics": ["agents", "__proto__"]},
        {"frequency": "hourly"},
        {"frequency": SCRIPT},
    ],
)
async def test_what_is_not_offered_is_refused_and_nothing_kept(site: Site, given: dict[str, Any]) -> None:
    await site.publish()
    before = await site.everything()
    answer = await site.browser.post("/subscribe", data=TYPED | given)
    assert answer.status_code == 422
    assert f'value="{READER}"' in answer.text
    assert "<script" not in answer.text
    assert await site.everything() == before


async def test_a_program_that_fills_in_every_field_gets_the_same_answer_and_nothing_else(site: Site) -> None:
    person = await site.browser.post("/subscribe", data=TYPED)
    before = await site.everything()
    answer = await site.browser.post("/subscribe", data=TYPED | {"address": "x@example.org", "website": "spam"})
    assert answer.text == person.text.replace(READER, "x@example.org")
    assert await site.everything() == before


async def test_one_confirmation_an_hour_goes_to_an_address(site: Site) -> None:
    for _ in range(3):
        await sign_up(site)
    assert await site.letters() == ["confirm"]
    _, browser = served(replace(site.services, now=lambda: NOON + dt.timedelta(hours=1)))
    async with browser:
        await browser.post("/subscribe", data=TYPED)
    # the letter that waits says the same: whether there are two of it is the outbox's affair
    assert set(await site.letters()) == {"confirm"}


async def test_a_network_that_asks_too_often_is_told_when_to_come_back(site: Site) -> None:
    for number in range(10):
        await sign_up(site, address=f"reader{number}@example.org")
    answer = await site.browser.post("/subscribe", data=TYPED | {"address": "one.more@example.org"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert "try again in an hour" in answer.text
    # lost links have a budget of their own
    assert (await site.browser.post("/manage-link", data={"address": "one.more@example.org"})).status_code == 200
    other = await asked_from(site.app, "198.51.100.7", "/subscribe", TYPED | {"address": "one.more@example.org"})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("no address", "no address", True),
    ],
)
async def test_an_ipv6_network_counts_as_one_visitor(site: Site, first: str, second: str, same: bool) -> None:
    for number in range(10):
        await asked_from(site.app, first, "/subscribe", TYPED | {"address": f"r{number}@example.org"})
    answer = await asked_from(site.app, second, "/subscribe", TYPED | {"address": "another@example.org"})
    assert (answer.status_code == 429) == same


async def test_who_does_not_choose_begins_as_the_newsletter_has_it(site: Site) -> None:
    usual = site.services.newsletters["daily"]
    early = {"daily": replace(usual, frequency="weekdays", hour=6, zone="Europe/Berlin")}
    _, browser = served(replace(site.services, newsletters=early))
    sent = {name: value for name, value in TYPED.items() if name != "frequency"}
    async with browser:
        await browser.post("/subscribe", data=sent)
        await browser.post("/subscribe", data=sent | {"address": "ben@example.org", "frequency": "daily"})
    found = [await site.context.subscribers.by_address(one, "daily") for one in (READER, "ben@example.org")]
    assert [(one.frequency, one.hour, one.zone) for one in found if one] == [
        ("weekdays", 6, "Europe/Berlin"),
        ("daily", 6, "Europe/Berlin"),
    ]


async def test_who_comes_back_has_the_hour_that_they_chose(site: Site) -> None:
    reader, store = await site.reader(), site.context.subscribers
    await store.change(reader.id, replace(preferences_of(reader), hour=9, zone="Asia/Tokyo"), NOON)
    await store.unsubscribe(reader.id, NOON)
    early = {"daily": replace(site.services.newsletters["daily"], hour=6)}
    _, browser = served(replace(site.services, newsletters=early))
    async with browser:
        await browser.post("/subscribe", data=TYPED)
    found = await site.now(reader.id)
    assert (found.state, found.hour, found.zone) == (SubscriptionState.UNCONFIRMED, 9, "Asia/Tokyo")


async def test_the_page_after_a_sign_up_names_the_address_and_the_sender(site: Site) -> None:
    page = (await site.browser.post("/subscribe", data=TYPED)).text
    assert f"If <bdi>{READER}</bdi> can be signed up" in page
    assert f"Look for a mail from <bdi>{escape(site.context.settings.sender)}</bdi>" in page
    assert "Did you mean" not in page
    assert "can be signed up" in (await site.browser.get("/check-inbox")).text


async def test_a_likely_slip_is_offered_to_be_corrected_by_one_press(site: Site) -> None:
    page = tree_of((await site.browser.post("/subscribe", data=TYPED | {"address": "ada@gmail.co"})).text)
    form = page.xpath("//form[contains(@class, 'notice')]")[0]
    assert form.xpath("input[@name='address']/@value") == ["ada@gmail.com"]
    sent = {field.get("name"): field.get("value") for field in form.xpath("input")}
    answer = await site.browser.post(form.get("action"), data=sent)
    assert "If <bdi>ada@gmail.com</bdi> can be signed up" in answer.text
    assert await site.context.subscribers.by_address("ada@gmail.com", "daily")


async def test_a_slip_that_is_a_disposable_domain_is_corrected_in_the_form(site: Site) -> None:
    answer = await site.browser.post("/subscribe", data=TYPED | {"address": "ada@gmial.com"})
    assert answer.status_code == 422
    assert "ada@gmial.com is most likely a slip" in answer.text
    assert 'value="ada@gmail.com"' in answer.text
    assert await site.letters() == []


async def test_the_form_asks_for_the_address_alone(site: Site) -> None:
    await site.publish()
    for path in ("/", "/subscribe"):
        form = tree_of((await site.browser.get(path)).text).xpath("//form[@action='/subscribe']")[0]
        assert form.xpath(".//input[not(@type='hidden') and @name!='website']/@name") == ["address"]
        assert not form.xpath(".//select | .//textarea")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_the_form_for_another_site_stands_in_the_readme_as_it_works(site: Site) -> None:
    """It is read from there and sent as a browser on another site sends it."""
    form = tree_of(snippet()).xpath("//form")[0]
    assert form.get("action") == "https://papers.example.org/subscribe"
    sent = {field.get("name"): field.get("value") or "" for field in form.xpath(".//input")} | {"address": READER}
    elsewhere = {"Origin": "https://blog.example.net", "Sec-Fetch-Site": "cross-site"}
    answer = await site.browser.post("/subscribe", data=sent, headers=elsewhere)
    assert (answer.status_code, answer.url.path) == (200, "/check-inbox")
    assert await site.letters() == ["confirm"]
