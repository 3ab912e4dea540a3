"""The flow `resend`: what a mail server refused wrongly, or what is uncertain and held, is sent again."""

from __future__ import annotations

from typing import Any, Literal

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.config.settings import load_settings
from flows.context import open_context
from flows.deliver import deliver_edition
from flows.outcomes import Problem
from flows.parameters import KindOfDay
from flows.storage.editions import Frozen


class Again(KindOfDay):
    """Deliveries that are to be tried once more."""

    state: Literal["rejected", "uncertain"] = Field(
        title="Which",
        description="rejected: the mail server was wrong to refuse them; uncertain: nobody knows whether it took them",
        json_schema_extra={"position": 3},
    )
    domain: str = Field(
        title="Domain",
        description="Rejected ones of this domain alone, such as example.org; none means all",
        json_schema_extra={"position": 4},
    )
    dry_run: bool = Field(
        title="Dry run", description="Count them, and change nothing", json_schema_extra={"position": 5}
    )


@flow(name="resend", flow_run_name="resend-{again.newsletter}-{again.date}")
async def resend(again: Again) -> State[Any]:
    """Send again, under the same Message-ID, what was rejected or is uncertain and held; this run delivers it."""
    rejected = again.state == "rejected"
    async with open_context(load_settings()) as context:
        newsletter = context.newsletter(again.newsletter, again.kind)
        day = context.day(newsletter, again.date)
        kept = await context.store.find(newsletter.slug, again.kind, day)
        if not isinstance(kept, Frozen):
            raise Problem(f"The {again.kind} edition of {day} has not been delivered: start `deliver` for it.")
        found = await context.held.count(kept.id, rejected=rejected, domain=again.domain)
        if again.dry_run or not found:
            return Completed(message=f"{found} {again.state}: nothing was changed")
        done = await context.held.resend(kept.id, context.now(), rejected=rejected, domain=again.domain)
    get_run_logger().info("%s of %s %s deliveries are due again.", done, found, again.state)
    return Completed(message=await deliver_edition(newsletter.slug, again.kind, day))
