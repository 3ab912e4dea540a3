"""The flow `approve`: an operator's word about an edition, whether a run waits for it or not."""

from __future__ import annotations

from typing import Any, Literal

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.approval import deciding
from flows.by_hand.suspension import end
from flows.config.settings import load_settings
from flows.context import open_context
from flows.deliver import deliver_edition
from flows.editions.decisions import EditionDecision, decisions
from flows.events.emit import tell_decision
from flows.parameters import KindOfDay


class ApproveForm(KindOfDay):
    """What is to become of an edition."""

    decision: Literal["hold", "send", "skip"] = Field(
        title="Decision",
        description="hold: nothing leaves until you allow it; send: its readers get it now; skip: no edition that day",
        json_schema_extra={"position": 3},
    )
    subject: str = Field(
        "",
        title="Subject",
        description="The same for all readers; empty: it names each reader's first papers",
        json_schema_extra={"position": 4},
    )
    note: str = Field(
        "",
        title="Editor's note",
        description="Above the papers; links as `https://…` or `[words](https://…)`",
        json_schema_extra={"position": 5, "format": "textarea"},
    )
    drop: list[str] = Field(
        # a form leaves out an empty list, and what has no default is refused then
        default_factory=list,
        title="Papers to drop",
        description="Their identifiers, such as 2606.10651; no later edition brings them either",
        json_schema_extra={"position": 6},
    )
    lead: str = Field(
        "", title="Paper to lead", description="Its identifier, or nothing", json_schema_extra={"position": 7}
    )
    reason: str = Field(
        "",
        title="Reason",
        description="Of a hold or a skip; of a skip its page tells it",
        json_schema_extra={"position": 8},
    )


@flow(name="approve", flow_run_name="{word.decision}-{word.newsletter}-{word.date}")
async def approve(word: ApproveForm) -> State[Any]:
    """Hold, send or skip an edition that is not delivered yet, with a subject, a note, papers to drop and one to lead.

    What is sent is delivered by this run. A run that waits for the answer ends.
    """
    made = decisions(word.subject, word.note, word.drop, word.lead)
    async with open_context(load_settings()) as context:
        newsletter = context.newsletter(word.newsletter, word.kind)
        day = context.day(newsletter, word.date)
        verdict, since = EditionDecision(word.decision), context.now()
        words = await deciding.answer(context, newsletter, word.kind, day, verdict, made, reason=word.reason)
        await tell_decision(context, newsletter.slug, word.kind, day, since)
        known = await context.approvals.find(newsletter.slug, word.kind, day)
    get_run_logger().info(words)
    if known is not None:
        await end(known.run, words)
    if verdict is EditionDecision.SEND:
        words = f"{words} {await deliver_edition(newsletter.slug, word.kind, day)}"
    return Completed(message=words)
