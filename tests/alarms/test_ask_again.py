"""A later run for a source that failed, planned at a real Prefect server."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from prefect import flow

from flows.alarms.ask_again import EVERY, ask_again, asked_again_until
from flows.context import utc_now
from flows.editions.model import Kind
from tests import factories
from tests.factories import DAY
from tests.prefect_server import Installation, Prefect, in_a_run, planned

FAILED = "Hugging Face failed."
MINUTE = dt.timedelta(minutes=1)


@flow(name="asking")
async def asking() -> None:
    """What the deployments of these tests name."""


def later(prefect: Prefect, of: Any) -> list[dict[str, Any]]:
    """The runs that were planned of the deployment of a run, beside that one."""
    wanted = {"flow_runs": {"deployment_id": {"any_": [str(of.deployment_id)]}}}
    return [one for one in prefect.ask("POST", "/flow_runs/filter", wanted) if one["id"] != str(of.id)]


async def test_a_later_run_of_the_same_deployment_asks_in_ten_minutes(installation: Installation) -> None:
    began = utc_now()
    run = await planned(asking, began)
    said = await in_a_run(ask_again(factories.newsletter(deadline="2h"), Kind.DAILY, DAY, FAILED), run)
    [one] = later(installation.prefect, run)
    at, until = dt.datetime.fromisoformat(one["expected_start_time"]), began + dt.timedelta(hours=2)
    assert EVERY <= at - began < EVERY + MINUTE
    assert said == f"{FAILED} The sources are asked again at {at:%H:%M} UTC, until {until:%H:%M} UTC."
    assert one["parameters"]["order"] == {"newsletter": "daily", "date": str(DAY), "dry_run": False}


async def test_the_last_one_comes_with_the_deadline_which_it_knows_and_is_planned_once(
    installation: Installation,
) -> None:
    """However often a run and its retry ask for it."""
    newsletter, began = factories.newsletter(deadline="5m"), utc_now()
    first = await planned(asking, began)

    async def twice() -> list[str]:
        return [await ask_again(newsletter, Kind.DAILY, DAY, FAILED) for _ in range(2)]

    said = await in_a_run(twice(), first)
    assert said[0] == said[1]
    [one] = later(installation.prefect, first)
    until = began + 5 * MINUTE
    assert dt.datetime.fromisoformat(one["expected_start_time"]) == until
    assert dt.datetime.fromisoformat(one["labels"]["paperround.until"]) == until


@pytest.mark.parametrize(
    ("deadline", "kind"), [("0m", Kind.DAILY), ("2h", Kind.WEEKLY)], ids=["its time is over", "a week's"]
)
async def test_nothing_is_planned(installation: Installation, deadline: str, kind: Kind) -> None:
    run = await planned(asking, utc_now())
    newsletter = factories.newsletter(deadline=deadline)
    assert await in_a_run(ask_again(newsletter, kind, DAY, FAILED), run) == ""
    assert later(installation.prefect, run) == []


async def test_a_run_without_a_deployment_has_no_later_one(installation: Installation) -> None:
    async def both() -> tuple[str, dt.datetime | None]:
        return await ask_again(factories.newsletter(deadline="2h"), Kind.DAILY, DAY, FAILED), asked_again_until()

    assert await in_a_run(both()) == ("", None)
    assert asked_again_until() is None
