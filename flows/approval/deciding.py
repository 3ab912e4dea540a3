"""What follows from an operator's word about an edition, or from a deadline at which there was none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

from flows.context import Context, Say
from flows.editions.decisions import Decisions, EditionDecision, unknown
from flows.editions.model import Kind, Newsletter, NoEdition
from flows.outcomes import Problem
from flows.pipeline import compose, draft, freeze
from flows.storage.approvals import Approval, ApprovalState
from flows.storage.editions import Frozen

Withdrawn = Callable[[str], Awaitable[bool]]
"""Whether somebody cancelled a run of Prefect's: who does so wants nothing to be sent."""


async def answer(
    context: Context,
    newsletter: Newsletter,
    kind: Kind,
    day: dt.date,
    verdict: EditionDecision,
    made: Decisions,
    *,
    reason: str = "",
    run: str = "",
) -> str:
    """Keeps an operator's word about an edition; what follows, in a sentence. Any number of times: until the edition is
    frozen the latest word counts, afterwards none does, and the answer to one `run` is taken once.

    Raises Problem for a paper that the edition does not hold, and for an edition that there is none of.
    """
    if verdict is EditionDecision.SEND:
        await _check(context, newsletter, kind, day, made)
    known = await context.approvals.find(newsletter.slug, kind, day)
    if verdict is not EditionDecision.SEND and made == Decisions() and known is not None:
        # a note that was written, and held back with the edition, is not lost
        made = known.decisions
    kept = await context.approvals.decide(
        newsletter.slug, kind, day, verdict, made, now=context.now(), reason=reason[:300], answer=run
    )
    if not kept:
        return await _too_late(context, newsletter, kind, day)
    name = f"The {kind} edition of {day}"
    match verdict:
        case EditionDecision.SEND:
            return f"{name} is allowed."
        case EditionDecision.HOLD:
            return f"{name} is held: nothing leaves until you allow it."
        case EditionDecision.SKIP:
            await draft(context, newsletter, kind, day)
            return f"{name} is skipped: the day has no edition, and its page says so. To undo that, allow it."


async def _check(context: Context, newsletter: Newsletter, kind: Kind, day: dt.date, made: Decisions) -> None:
    kept = await context.store.find(newsletter.slug, kind, day)
    if isinstance(kept, Frozen):
        return
    edition = await compose(context, newsletter, kind, day)
    if isinstance(edition, NoEdition):
        known = await context.approvals.find(newsletter.slug, kind, day)
        if known is None or not known.decisions.dropped:
            raise Problem(f"{newsletter.title} has no {kind} edition on {day}: {edition.reason}")
        return
    known = await context.approvals.find(newsletter.slug, kind, day)
    gone = set(known.decisions.dropped) if known else set()
    if missing := [one for one in unknown(edition, made) if one not in gone]:
        raise Problem(
            f"{', '.join(missing)} {'is no paper' if len(missing) == 1 else 'are no papers'} of the {kind} edition of "
            f"{day}, and nothing was decided: take the identifiers from its table."
        )


async def _too_late(context: Context, newsletter: Newsletter, kind: Kind, day: dt.date) -> str:
    if isinstance(await context.store.find(newsletter.slug, kind, day), Frozen):
        return (
            f"Too late: the {kind} edition of {day} is being delivered or was, and is not altered any more. "
            "To stop its delivery cancel the run; to correct it use `correct`."
        )
    known = await context.approvals.find(newsletter.slug, kind, day)
    return f"This answer was taken before; the {kind} edition of {day} is at: {known.state if known else 'not asked'}."


async def due(
    context: Context, newsletter: Newsletter, say: Say, withdrawn: Withdrawn | None = None
) -> list[tuple[Approval, Frozen | NoEdition]]:
    """What has become of the editions whose deadline is over, and of those that were allowed and have not begun:
    frozen, and now to be delivered, or none, with the reason."""
    found: list[tuple[Approval, Frozen | NoEdition]] = []
    for known in await context.approvals.due(newsletter.slug, context.now()):
        if known.state is ApprovalState.ASKED:
            await _over(context, known, say, withdrawn)
        found.append((known, await freeze(context, newsletter, known.kind, known.day, say)))
    return found


async def _over(context: Context, known: Approval, say: Say, withdrawn: Withdrawn | None) -> None:
    verdict, reason = known.otherwise, "nobody decided"
    if known.run and verdict is not EditionDecision.HOLD and withdrawn is not None and await withdrawn(known.run):
        verdict, reason = EditionDecision.HOLD, "its run was cancelled"
    done = await context.approvals.decide(
        known.newsletter,
        known.kind,
        known.day,
        verdict,
        known.decisions,
        now=context.now(),
        by="deadline",
        reason="" if verdict is EditionDecision.SEND else reason,
    )
    if done:
        at = f"{known.deadline_at:%Y-%m-%d %H:%M} UTC"
        said = {
            EditionDecision.SEND: "it is sent",
            EditionDecision.HOLD: "it is held",
            EditionDecision.SKIP: "it is skipped",
        }[verdict]
        say(f"The deadline of the {known.kind} edition of {known.day} was {at}, and {reason}: {said}.")
