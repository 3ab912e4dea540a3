"""Automations are made once, at a real Prefect server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.variables import Variable
from pydantic import SecretStr

from flows.alarms.automations import MADE, WEBHOOK, make_automations
from flows.config.settings import load_settings
from flows.outcomes import Problem
from tests.prefect_server import Installation

NAMES = [
    "Paperround: a run failed or crashed",
    "Paperround: an edition did not come",
    "Paperround: an edition is held",
    "Paperround: a newsletter is paused",
    "Paperround: a quota is spent",
]


@pytest.fixture
async def there(installation: Installation) -> AsyncIterator[Callable[[], list[dict[str, Any]]]]:
    """The automations that there are now; none is left for other tests' runs to set off."""

    def found() -> list[dict[str, Any]]:
        every = installation.prefect.ask("POST", "/automations/filter", {})
        return [one for one in every if one["name"] in NAMES]

    yield found
    for one in found():
        installation.prefect.ask("DELETE", f"/automations/{one['id']}")
    await Variable.aunset(MADE)


Found = Callable[[], list[dict[str, Any]]]


async def test_without_an_address_nobody_is_told(there: Found) -> None:
    assert await make_automations(load_settings()) == []
    assert there() == []


async def test_what_was_deleted_stays_away_and_another_address_is_taken_over(
    installation: Installation, there: Found
) -> None:
    installation.sets(alert_url="https://alerts.example.org/first")
    assert await make_automations(load_settings()) == NAMES
    actions = [action for one in there() for action in one["actions"]]
    assert {action["type"] for action in actions} == {"call-webhook"}
    assert all("tojson" in action["payload"] for action in actions)
    gone = there()[0]
    installation.prefect.ask("DELETE", f"/automations/{gone['id']}")
    installation.sets(alert_url="https://alerts.example.org/second")
    assert await make_automations(load_settings()) == []
    assert len(there()) == len(NAMES) - 1
    async with get_client() as client:
        hook = await client.read_block_document_by_name(WEBHOOK, "webhook", include_secrets=True)
    assert hook.data["url"] == "https://alerts.example.org/second"
    # as the README says: to have one again, its name is taken out
    await Variable.aset(MADE, [name for name in NAMES if name != gone["name"]], overwrite=True)
    assert await make_automations(load_settings()) == [gone["name"]]


async def test_a_block_that_is_named_is_notified(installation: Installation, there: Found) -> None:
    block = await Webhook(url=SecretStr("https://operators.example.org")).asave("operators", overwrite=True)
    installation.sets(alert_block="webhook/operators")
    assert await make_automations(load_settings()) == NAMES
    actions = [action for one in there() for action in one["actions"]]
    assert {(action["type"], action["block_document_id"]) for action in actions} == {("send-notification", str(block))}


async def test_a_block_that_is_not_there_is_a_problem_with_its_remedy(installation: Installation, there: Found) -> None:
    installation.sets(alert_block="slack-webhook/nobody")
    with pytest.raises(Problem, match=r"PAPERROUND_ALERT_BLOCK is 'slack-webhook/nobody', .* make it in its UI"):
        await make_automations(load_settings())
    assert there() == []
