"""What readers of a weekly edition have got of it already, in daily editions: before they changed to weekly, or with
their welcome."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from flows.context import Context
from flows.editions.choose import choose
from flows.editions.model import Edition, Kind
from flows.editions.week import DAYS
from flows.papers.model import PaperId
from flows.storage.editions import Frozen
from subscribers.ledger.model import Claim, Delivery


async def dailies(context: Context, weekly: Edition) -> Mapping[int, Edition]:
    """The daily editions that may hold papers of a week's, by their numbers in the ledger: those of its days, and those
    that came out while its readers waited for their day."""
    last = min(context.now().date() + dt.timedelta(days=1), weekly.day + dt.timedelta(days=DAYS + 1))
    found: dict[int, Edition] = {}
    day = weekly.day - dt.timedelta(days=DAYS - 1)
    while day <= last:
        kept = await context.store.find(weekly.newsletter, Kind.DAILY, day)
        if isinstance(kept, Frozen):
            found[kept.id] = kept.edition
        day += dt.timedelta(days=1)
    return found


async def seen(
    context: Context, claim: Claim, deliveries: Sequence[Delivery], editions: Mapping[int, Edition]
) -> Mapping[int, frozenset[PaperId]]:
    """The papers of these editions that each of the readers was sent, by subscription, as far as their interests are
    what they were then."""
    sent = await context.ledger.already(claim, editions.keys()) if editions else {}
    found: dict[int, frozenset[PaperId]] = {}
    # an edition at a time: what choosing from it needs is worked out once
    for identity, edition in editions.items():
        for delivery in deliveries:
            if delivery.subscription is not None and identity in sent.get(delivery.subscription_id, ()):
                digest = choose(edition, delivery.subscription.interests)
                papers = frozenset(paper for part in digest.parts for paper in part.papers)
                found[delivery.subscription_id] = found.get(delivery.subscription_id, frozenset()) | papers
    return found
