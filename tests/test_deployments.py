"""What Prefect offers to start, as values. That a real server keeps it, and what an operator changes and deletes there,
is tested in `tests/processes/test_demo.py`."""

from __future__ import annotations

import datetime as dt
import zlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

from flows.deployments import deployment, offers, planned
from flows.editions.model import Newsletter
from flows.offers.kept import KeptOffers
from tests import factories

BY_HAND = ("collect", "compose", "deliver", "send-test", "approve", "correct", "resend")
MORNING = CronSchedule(cron="0 7 * * 1-5", timezone="Europe/Berlin")
NOON = CronSchedule(cron="0 12 * * 1-5", timezone="Europe/Berlin")
OURS = "file-0-7-any-any-1-5-europe-by-berlin"


def names(*newsletters: Newsletter, **given: Any) -> list[str]:
    return [offer.whole_name for offer in offers(newsletters, **given)]


def test_a_newsletter_has_its_schedules_and_what_is_done_by_hand() -> None:
    two = (factories.newsletter(), factories.newsletter(slug="rare", weekly_cron=""))
    found = names(*two)
    assert found[:2] == ["daily/daily", "daily/rare"]  # the editions first
    of_both = {f"{flow}/{slug}" for flow in ("daily", "deliver-due", *BY_HAND) for slug in ("daily", "rare")}
    assert {*found} == of_both | {"weekly/daily", "upkeep/nightly", "watchdog/every-few-minutes"}
    assert {*names(*two, with_returns=True)} - {*found} == {"returns/mailbox"}


def test_one_delivery_goes_on_at_a_time_and_what_comes_again_and_again_does_not_queue() -> None:
    found = {offer.flow.name: offer for offer in offers([factories.newsletter()], with_returns=True)}
    alone = {name for name, offer in found.items() if offer.limit == 1}
    assert alone == {*found} - {"collect", "compose", "send-test", "approve"}
    assert {name for name, offer in found.items() if offer.cancels_new} == {"deliver-due", "watchdog", "returns"}
    assert {name for name, offer in found.items() if "by hand" in offer.tags} == {*BY_HAND}
    assert {name for name, offer in found.items() if offer.planned} == {*found} - {*BY_HAND}


def test_one_that_is_not_active_plans_no_edition_and_is_delivered_all_the_same() -> None:
    found = {offer.flow.name: offer for offer in offers([factories.newsletter(active=False)])}
    assert [found[name].active for name in ("daily", "weekly", "deliver-due")] == [False, False, True]


def there(schedule: CronSchedule | IntervalSchedule, slug: str | None, *, active: bool = True) -> DeploymentSchedule:
    return DeploymentSchedule(schedule=schedule, slug=slug, active=active)


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        ([], [(OURS, True)]),
        ([there(MORNING, OURS, active=False)], [(OURS, False)]),
        ([there(NOON, OURS)], [(OURS, True)]),
        ([there(NOON, "file-0-12-any-any-1-5-europe-by-berlin")], [(OURS, True)]),
        ([there(NOON, None, active=False), there(NOON, "theirs")], [(None, False), ("theirs", True), (OURS, True)]),
    ],
    ids=["none yet", "paused by its operator", "changed by them", "another time than before", "more of theirs"],
)
def test_schedules_are_kept_as_their_operator_has_them(
    standing: list[DeploymentSchedule], expected: list[tuple[str | None, bool]]
) -> None:
    made = planned(MORNING, True, standing)
    assert [(one.slug, one.active) for one in made] == expected
    kept = [one.schedule for one in standing if one.slug != "file-0-12-any-any-1-5-europe-by-berlin"]
    assert [one.schedule for one in made][: len(kept)] == kept


def test_a_schedule_that_an_earlier_version_named_otherwise_is_known_and_an_older_one_goes() -> None:
    same = f"ours-{zlib.crc32(MORNING.model_dump_json().encode()):08x}"
    made = planned(MORNING, True, [there(MORNING, same, active=False), there(NOON, "ours-00000000")])
    assert [(one.slug, one.active) for one in made] == [(OURS, False)]


def test_what_comes_at_intervals_says_so_in_its_name() -> None:
    every = IntervalSchedule(interval=dt.timedelta(minutes=15))
    assert [one.slug for one in planned(every, True, ())] == ["file-every-15-minutes"]


def present(**given: Any) -> DeploymentResponse:
    """A deployment as a server tells of it."""
    made: dict[str, Any] = {"id": uuid4(), "name": "daily", "flow_id": uuid4(), "tags": [], "parameters": {}}
    return DeploymentResponse(**(made | given))


@pytest.mark.parametrize("flow", ["daily", "collect", "upkeep"])
async def test_a_deployment_names_a_module_and_never_a_file(tmp_path: Path, flow: str) -> None:
    """A file's folder would come onto the path, and hide standard modules."""
    [offer] = [one for one in offers([factories.newsletter()]) if one.flow.name == flow]
    made = await deployment(offer, None, KeptOffers(tmp_path / "kept.json", "here"))
    assert made.entrypoint == f"flows.{flow}.{flow}"
    assert (made.description, made.tags, made.parameters) == (offer.about, [*offer.tags], dict(offer.parameters))
    assert bool(made.schedules) == (offer.planned is not None)


async def test_what_an_operator_changed_and_paused_stays_so(tmp_path: Path) -> None:
    kept = KeptOffers(tmp_path / "kept.json", "here")
    [offer] = [one for one in offers([factories.newsletter()]) if one.flow.name == "daily"]
    ours = {"description": offer.about, "tags": [*offer.tags], "parameters": {}, "concurrency_limit": 1}
    kept.say("daily/daily", ours)
    made = await deployment(offer, present(description="Ours, for the lab", tags=[*offer.tags], paused=True), kept)
    assert made.description == "Ours, for the lab"
    assert made.parameters == dict(offer.parameters)
    assert made.paused
