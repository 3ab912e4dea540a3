"""Automations that tell the operator when something is wrong, made once: what is changed or deleted in Prefect's UI
afterwards stays so."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import PrefectClient, get_client
from prefect.events.actions import CallWebhook, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable
from pydantic import SecretStr

from flows.config.settings import Settings
from flows.outcomes import Problem

MADE = "paperround_automations"
"""The Prefect Variable that says which were made: without an entry there one is made anew."""
WEBHOOK = "paperround-alerts"
FLOWS = ("daily", "weekly", "collect", "compose", "deliver", "deliver-due", "returns", "upkeep", "watchdog")
_OF_A_RUN = 'flow.name ~ ": " ~ flow_run.name ~ " is " ~ flow_run.state.name ~ ". " ~ flow_run.state.message'
_OF_AN_EVENT = 'event.event ~ ": " ~ event.payload'


async def make_automations(settings: Settings) -> list[str]:
    """Makes those that were never made, if it is set where alerts go; their names. Raises Problem where the block
    that is named does not exist."""
    url, block = settings.alert_url.get_secret_value(), settings.alert_block
    if not url and not block:
        return []
    async with get_client() as client:
        if url:
            hook = Webhook(url=SecretStr(url))
            target = await hook.asave(WEBHOOK, overwrite=True)
        else:
            target = await _block(client, block)
        known: object = await Variable.aget(MADE)
        made = [str(name) for name in known] if isinstance(known, list) else []
        new = []
        for name, about, trigger, words in _wanted():
            if name in made:
                continue
            action: CallWebhook | SendNotification = SendNotification(
                block_document_id=target, subject=name, body=f"{{{{ {words} }}}}"
            )
            if url:
                payload = f'{{"text": {{{{ ({words}) | tojson }}}} }}'
                action = CallWebhook(block_document_id=target, payload=payload)
            await client.create_automation(
                AutomationCore(name=name, description=about, trigger=trigger, actions=[action])
            )
            new.append(name)
            await Variable.aset(MADE, [*made, *new], overwrite=True)
    return new


def _wanted() -> list[tuple[str, str, EventTrigger, str]]:
    """The name of each, what it is for, when it acts, and its words as an expression of Jinja's."""
    failed = EventTrigger(
        expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"},
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related={"prefect.resource.role": "flow", "prefect.resource.name": list(FLOWS)},
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=dt.timedelta(0),
    )
    events = {
        "Paperround: an edition did not come": "paperround.edition.late",
        "Paperround: an edition is held": "paperround.edition.held",
        "Paperround: a newsletter is paused": "paperround.newsletter.paused",
        "Paperround: a quota is spent": "paperround.quota.spent",
    }
    of_events = [
        (
            name,
            f"Tells the operator of the event {event}.",
            EventTrigger(expect={event}, posture=Posture.Reactive, threshold=1, within=dt.timedelta(0)),
            _OF_AN_EVENT,
        )
        for name, event in events.items()
    ]
    about = "Tells the operator of a run that failed, or whose process is gone."
    return [("Paperround: a run failed or crashed", about, failed, _OF_A_RUN), *of_events]


async def _block(client: PrefectClient, named: str) -> UUID:
    kind, _, name = named.partition("/")
    try:
        return (await client.read_block_document_by_name(name, kind)).id
    except ObjectNotFound as error:
        raise Problem(
            f"PAPERROUND_ALERT_BLOCK is {named!r}, and Prefect has no such Block: make it in its UI, and write its "
            "type and name, such as slack-webhook/operators."
        ) from error
