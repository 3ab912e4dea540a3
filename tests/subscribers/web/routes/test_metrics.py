"""Figures for a scraper: in Prometheus' form, counted rightly, and for nobody who has neither token nor login."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from subscribers.ledger.figures import MEANINGS
from subscribers.people.store import Change
from tests.context import NOON
from tests.factories import DAY
from tests.subscribers.site import Site, served

TOKEN = "a token for the scraper"
GRAFANA = Path(__file__).parents[4] / "flows/grafana.json"


async def with_deliveries(site: Site) -> None:
    """An edition for three readers: one gets it, one is refused, one has to wait."""
    people = [Change(email=f"reader{n}@example.org", newsletter="daily", columns={}) for n in range(3)]
    await site.context.subscribers.keep(people, NOON)
    frozen, ledger = await site.publish(), site.context.ledger
    await ledger.open(frozen.id, "daily", Kind.DAILY, DAY, NOON, at_once=True)
    claim = await ledger.claim(frozen.id, NOON)
    assert claim is not None
    verdicts = (
        Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "taken"),
        Outcome(Verdict.REJECTED, Stage.RCPT, 550, "5.1.1", "nobody"),
        Outcome(Verdict.DEFERRED, Stage.RCPT, 451, "4.2.0", "later"),
    )
    for item, outcome in zip(await ledger.due(claim, NOON), verdicts, strict=True):
        assert await ledger.mark(item, NOON)
        await ledger.record(item, outcome, NOON)
    await ledger.release(claim, NOON)
    await ledger.settled()


async def scraped(site: Site, **headers: str) -> dict[tuple[str, ...], float]:
    _, browser = served(replace(site.services, metrics_token=TOKEN))
    answer = await browser.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"} | headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "example.org" not in answer.text
    return {
        (sample.name.removeprefix("paperround_"), *(f"{k}={v}" for k, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture(autouse=True)
def redirects_are_seen(site: Site) -> None:
    site.browser.follow_redirects = False


async def test_what_is_counted(site: Site) -> None:
    await with_deliveries(site)
    found = await scraped(site)
    states = {state: found["deliveries", "kind=daily", "newsletter=daily", f"state={state}"] for state in STATES}
    assert states == {"sent": 1, "rejected": 1, "deferred": 1}
    assert found["sent_per_second", "newsletter=daily"] == pytest.approx(1 / 300)
    assert found["subscriptions", "newsletter=daily", "state=confirmed"] == 3
    assert found["edition_age_seconds", "kind=daily", "newsletter=daily"] == 0
    assert found[("letters_waiting",)] == 0


STATES = ("sent", "rejected", "deferred")


async def test_an_empty_installation_says_that_nothing_waits(site: Site) -> None:
    assert await scraped(site) == {("letters_waiting",): 0, ("oldest_letter_seconds",): 0}


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer another", f"Basic {TOKEN}", f"bearer{TOKEN}"])
async def test_nobody_else_sees_it(site: Site, authorization: str) -> None:
    for token in ("", TOKEN):
        _, browser = served(replace(site.services, metrics_token=token))
        answer = await browser.get("/metrics", headers={"Authorization": authorization} if authorization else {})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "Say the token" in answer.text
    page = await site.browser.get("/metrics", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Location"]) == (303, "/login?next=/metrics")


async def test_who_has_logged_in_sees_it(site: Site) -> None:
    answer = await site.browser.post("/login", data={"login": site.context.settings.login, "next": "/metrics"})
    assert answer.headers["Location"] == "/metrics"
    seen = await site.browser.get("/metrics", headers={"Accept": "text/html"})
    assert "paperround_letters_waiting 0.0" in seen.text


async def test_the_dashboard_asks_for_figures_that_there_are() -> None:
    asked = set(
        re.findall(r"paperround_(\w+)", json.dumps([p["targets"] for p in json.loads(GRAFANA.read_text())["panels"]]))
    )
    assert asked <= set(MEANINGS)
    assert len(asked) >= 8
