"""An edition that went wrong is corrected: by words, or by the corrected edition, to exactly those who got it."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

from flows.context import Context, Say
from flows.delivery.run import Deliver, Delivered, deliver, open_rows
from flows.editions.decisions import Decisions, decided, unknown
from flows.editions.model import Edition, Kind, Newsletter
from flows.mail.cards import pack
from flows.outcomes import Problem
from flows.pipeline import cards_of
from flows.storage.editions import Frozen
from subscribers.ledger.create_rows import correct_rows
from subscribers.model import DeliveryState


async def correct(
    context: Context,
    newsletter: Newsletter,
    kind: Kind,
    day: dt.date,
    made: Decisions,
    say: Say,
    *,
    whole: bool = False,
    stop: asyncio.Event | None = None,
    by: Deliver = deliver,
) -> Delivered:
    """Brings a correction to each who got an edition, once: the note alone, or the `whole` edition with the decisions
    applied and the note at its top, which who has not got it yet gets instead.

    An edition is corrected once. Again with the same words it goes on, and reaches who has got the edition since.
    Raises Problem where there is nothing to correct, or other words than the first.
    """
    kept = await context.store.find(newsletter.slug, kind, day)
    if not isinstance(kept, Frozen):
        raise Problem(f"{newsletter.title} has sent no {kind} edition of {day}: there is nothing to correct.")
    if not made.note:
        raise Problem("Say what was wrong, in a note: readers see it at the top.")
    if missing := unknown(kept.edition, made):
        raise Problem(
            f"{', '.join(missing)} stands not in the {kind} edition of {day}: take identifiers from its page."
        )
    corrected = _corrected(kept.edition, made, whole=whole)
    found = await context.store.correction(newsletter.slug, kind, day)
    if found is None:
        cards = pack(await cards_of(context, corrected, newsletter)) if whole else kept.cards
        found = await context.store.correct(corrected, cards, context.now())
    if found.edition != corrected:
        raise Problem(
            f"The {kind} edition of {day} was corrected already, in other words: it is corrected once. "
            "Say the same again to go on with that correction."
        )
    if await context.store.release(found.id):
        say("It was held; it goes on, since you say so.")
    if whole:
        await open_rows(context, kept, say)
    new = await correct_rows(context.database, kept.id, found.id, context.now(), whole=whole)
    say(f"The correction goes to {new} {'reader' if new == 1 else 'readers'} more.")
    delivered = await by(context, found, say, wait=dt.timedelta(0), stop=stop)
    counts = await context.ledger.counts(kept.id)
    waiting = (DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.SENDING)
    if open_yet := sum(counts.get(state, 0) for state in waiting):
        say(f"{open_yet} are still to get the edition itself: start the correction again when its delivery has ended.")
    return delivered


def _corrected(edition: Edition, made: Decisions, *, whole: bool) -> Edition:
    if not whole:
        if made.dropped or made.lead:
            raise Problem("Papers are dropped from a corrected edition: ask for the whole edition, or leave them away.")
        return replace(edition, sections=(), best=(), told="", told_of=(), subject=made.subject, note=made.note)
    found = decided(edition, made)
    if not isinstance(found, Edition):
        raise Problem("Every paper would be dropped: send words instead.")
    return found
