"""What the command does about an edition before its readers get it: shows how it stands, decides, mails it to you."""

from __future__ import annotations

import signal

from flows.approval import asking, deciding, put_right, to_operator
from flows.commands.without_prefect import edition_of
from flows.config.settings import load_settings
from flows.context import Context, Say, open_context, preview_link
from flows.editions.decisions import Decisions, EditionDecision
from flows.editions.model import Edition, Kind, Newsletter
from flows.outcomes import Problem
from flows.pipeline import compose
from flows.process import stopping
from flows.storage.approvals import ApprovalState
from flows.storage.editions import Frozen
from subscribers.model import DeliveryState


async def test(newsletter: str, date: str, say: Say, *, kind: Kind) -> str:
    """Mails an edition to the operator, its papers collected if need be."""
    async with open_context(load_settings()) as context:
        wanted = context.newsletter(newsletter, kind)
        day = context.day(wanted, date)
        await edition_of(context, wanted, kind, day, say)
        return await to_operator.send_test(context, wanted, kind, day)


async def approve(newsletter: str, date: str, verdict: str, made: Decisions, reason: str, *, kind: Kind) -> str:
    """Keeps what an operator decides of an edition, or tells how it stands; a sentence or more."""
    async with open_context(load_settings()) as context:
        wanted = context.newsletter(newsletter, kind)
        day = context.day(wanted, date)
        if not verdict:
            return await _standing(context, wanted, kind, date)
        said = await deciding.answer(context, wanted, kind, day, EditionDecision(verdict), made, reason=reason)
        if verdict == EditionDecision.SEND and not isinstance(await context.store.find(newsletter, kind, day), Frozen):
            weekly = " --weekly" if kind is Kind.WEEKLY else ""
            said += (
                " It goes with the next run of `deliver-due`, or at once by "
                f"`paperround deliver --newsletter {newsletter} --date {day}{weekly}`."
            )
        return said


async def _standing(context: Context, newsletter: Newsletter, kind: Kind, date: str) -> str:
    day = context.day(newsletter, date)
    name = f"The {kind} edition of {day}"
    if isinstance(await context.store.find(newsletter.slug, kind, day), Frozen):
        return f"{name} is being delivered or was: see `paperround deliveries`."
    known = await context.approvals.find(newsletter.slug, kind, day)
    edition = await compose(context, newsletter, kind, day)
    if known is None:
        said = [f"{name}: nobody was asked about it."]
    elif known.state is ApprovalState.ASKED:
        said = [f"{name} waits for you until {known.deadline_at:%Y-%m-%d %H:%M} UTC; then: {known.otherwise}."]
    else:
        why = f" ({known.reason})" if known.reason else ""
        said = [f"{name}: {known.state}, decided by the {known.by}{why}."]
    if isinstance(edition, Edition):
        said += await asking.worries(context, newsletter, edition)
    else:
        said.append(edition.reason)
    return "\n".join([*said, f"See it at {preview_link(context, newsletter.slug, kind, day)}"])


async def correct(newsletter: str, date: str, made: Decisions, say: Say, *, whole: bool, kind: Kind) -> str:
    """Corrects an edition until it is asked to stop; how that stands."""
    async with open_context(load_settings()) as context:
        wanted = context.newsletter(newsletter, kind)
        day = context.day(wanted, date)
        with stopping(signal.SIGINT, signal.SIGTERM) as stop:
            delivered = await put_right.correct(context, wanted, kind, day, made, say, whole=whole, stop=stop)
    if delivered.halted:
        raise Problem(f"{delivered.halted} {delivered.sentence} Nobody was lost: say the same again when it is mended.")
    return delivered.sentence


async def who_got(newsletter: str, date: str, *, kind: Kind) -> str:
    """How many a correction would reach; nothing is changed."""
    async with open_context(load_settings()) as context:
        wanted = context.newsletter(newsletter, kind)
        day = context.day(wanted, date)
        kept = await context.store.find(wanted.slug, kind, day)
        if not isinstance(kept, Frozen):
            raise Problem(f"{wanted.title} has no delivered {kind} edition of {day}: nobody has to be corrected.")
        counts = (await context.report.summary(kept.id)).counts
    number = sum(counts.get(state, 0) for state in (DeliveryState.SENT, DeliveryState.UNCERTAIN))
    return f"{number:,} {'reader' if number == 1 else 'readers'} would get a correction; nothing was sent."
