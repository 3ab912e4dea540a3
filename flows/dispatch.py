"""The last stage as a plain function: brings a frozen edition to its readers, by the ledger."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from flows.context import Context, Say
from flows.editions.choose import choose
from flows.editions.model import Edition
from flows.mail.assemble import assemble
from flows.mail.cards import addressed, unpack
from flows.mail.courier import Courier, Report
from flows.mail.model import Cards, Message, Reader
from flows.mail.transports import transport
from flows.outcomes import Outcome, Verdict
from flows.store import Frozen
from subscribers import policy
from subscribers.deliveries import Claim, Due
from subscribers.model import DeliveryState
from subscribers.tokens import Purpose, sign

PROGRESS = dt.timedelta(seconds=10)
"""How often a delivery that goes on says how it stands."""
STALE = dt.timedelta(days=2)
"""How long after it was frozen an edition is delivered without being asked for."""
LOOK = 5.0
"""Seconds after which a worker looks again whether another one has left something to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """How an edition's delivery stands."""

    counts: Mapping[DeliveryState, int]
    reasons: Mapping[DeliveryState, Mapping[str, int]]
    """The servers' words for what was deferred, rejected or is uncertain, and why readers were skipped."""
    next_due: dt.datetime | None = None
    """When the next delivery is due; None: every one is final."""
    sent_now: int = 0
    """How many of the mails were sent by this delivery, and not by an earlier one."""
    halted: str = ""
    """Why it stopped before its end, in one sentence."""

    @property
    def sentence(self) -> str:
        said = ", ".join(f"{count} {state}" for state, count in sorted(self.counts.items())) or "no readers"
        later = f"; the next is due at {self.next_due:%Y-%m-%d %H:%M} UTC" if self.next_due else ""
        before = self.counts.get(DeliveryState.SENT, 0) - self.sent_now
        known = f" ({before} of them before this run)" if before else ""
        return f"Deliveries: {said}{known}{later}."


class _Round:
    """A claimed batch, as the courier works it."""

    def __init__(self, context: Context, frozen: Frozen, cards: Cards, claim: Claim, items: Sequence[Due]) -> None:
        self.items = items
        self._context, self._frozen, self._cards, self._claim = context, frozen, cards, claim

    async def write(self, item: Due) -> Message | None:
        message = self._compose(item)
        if isinstance(message, str):
            await self._context.ledger.skip(self._claim, item, message, self._context.now())
            return None
        return message

    async def mark(self, item: Due) -> bool:
        return await self._context.ledger.mark(self._claim, item, self._context.now())

    def _compose(self, item: Due) -> Message | str:
        """The reader's message, or why there is none."""
        subscription = item.subscription
        if subscription is None:
            return "erased"
        if reason := policy.decide(subscription, self._frozen.edition.day):
            return reason
        digest = choose(self._frozen.edition, subscription.interests)
        if not digest.parts:
            return digest.reason
        reader = reader_of(self._context, self._frozen.edition, subscription.id, subscription.email)
        try:
            return assemble(self._cards, digest, reader)
        except ValueError as error:
            return f"the address can't be written in a mail: {error}"

    async def record(self, item: Due, outcome: Outcome) -> None:
        await self._context.ledger.record(self._claim, item, outcome, self._context.now())


def reader_of(context: Context, edition: Edition, subscription: int, address: str) -> Reader:
    """What is this reader's own in their message. The Message-ID is the same for every attempt."""
    host = urlsplit(context.settings.public_url).hostname or "localhost"
    return Reader(
        address=address,
        unsubscribe=sign(Purpose.UNSUBSCRIBE, subscription, context.settings.keys[0]),
        message_id=f"{edition.newsletter}.{edition.kind}.{edition.day}.{subscription}@{host}",
        date=context.now(),
    )


async def deliver(
    context: Context,
    frozen: Frozen,
    say: Say,
    *,
    at_once: bool = False,
    opened: bool = False,
    wait: dt.timedelta = dt.timedelta(minutes=10),
    stop: asyncio.Event | None = None,
) -> Delivered:
    """Delivers an edition until every row is final or next due later than `wait` from now; `at_once` disregards
    the readers' hours. Running it again goes on where it stopped and sends nothing twice.

    With `opened` it keeps to the rows that are there: who has subscribed since then is not added. `stop` ends it at
    the boundary of a message.
    """
    stop = stop or asyncio.Event()
    settings = context.settings
    courier = Courier(
        transport(settings.mail_url.get_secret_value()),
        connections=settings.mail_connections,
        rate=settings.mail_rate,
    )
    until = context.now() + wait
    if not opened:
        await _open(context, frozen, say, at_once=at_once)
    try:
        await _until(context, frozen, courier, until, stop, say)
    finally:
        await courier.close()
    return await _standing(context, frozen.id, courier.report)


async def deliver_due(context: Context, newsletter: str, say: Say) -> list[Delivered]:
    """Delivers what has become due of a newsletter's editions, and finishes the opening of one that was cut off.

    An edition that was frozen more than `STALE` ago is left alone, and said to be: its papers are no news any more.
    """
    since = context.now() - STALE
    cut_off = await context.store.unopened(newsletter, since)
    done = []
    for identity in dict.fromkeys([*cut_off, *await context.ledger.unfinished(context.now())]):
        frozen = await context.store.frozen(identity)
        if frozen is None or frozen.edition.newsletter != newsletter:
            continue
        if frozen.at < since:
            say(f"The edition of {frozen.edition.day} still has something due, but is too old to be sent unasked.")
            continue
        say(f"The edition of {frozen.edition.day} has something due.")
        opened = identity not in cut_off
        done.append(await deliver(context, frozen, say, opened=opened, wait=dt.timedelta(0)))
        if done[-1].halted:
            break
    return done


async def _open(context: Context, frozen: Frozen, say: Say, *, at_once: bool) -> None:
    edition = frozen.edition
    made = await context.ledger.open(
        frozen.id, edition.newsletter, edition.kind, edition.day, frozen.at, at_once=at_once
    )
    if made:
        say(f"{made} {'reader is' if made == 1 else 'readers are'} new to this edition.")
    await context.store.opened(frozen.id, context.now())


async def _until(
    context: Context, frozen: Frozen, courier: Courier, until: dt.datetime, stop: asyncio.Event, say: Say
) -> None:
    """Works what is due, until nothing more is due by `until`."""
    ledger = context.ledger
    cards = addressed(unpack(frozen.cards), context.newsletter(frozen.edition.newsletter), context.site)
    said, told = context.now(), None
    while not stop.is_set() and not courier.report.halted:
        claim = await ledger.claim(frozen.id, context.now())
        if claim is not None:
            await _work(context, frozen, cards, claim, courier, stop)
        else:
            due = await ledger.next_due(frozen.id, context.now())
            if due is None or due > until:
                return
            pause = (due - context.now()).total_seconds()
            if pause > LOOK and due != told:
                told = due
                say(f"Waiting until {due:%H:%M:%S} UTC for what is due then.")
            await _set_within(stop, min(max(pause, 0.2), LOOK))
        if context.now() - said > PROGRESS and claim is not None:
            said = context.now()
            say((await _standing(context, frozen.id, courier.report)).sentence)


async def _work(
    context: Context, frozen: Frozen, cards: Cards, claim: Claim, courier: Courier, stop: asyncio.Event
) -> None:
    ledger = context.ledger
    async with _held(context, claim):
        items = await ledger.due(claim, context.now())
        await courier.deliver(_Round(context, frozen, cards, claim, items), stop)
    await ledger.release(claim, context.now())


@asynccontextmanager
async def _held(context: Context, claim: Claim) -> AsyncIterator[None]:
    """Keeps a batch while nothing is marked for long: a slow server, or a low MAIL_RATE, must not lose it."""
    done = asyncio.Event()

    async def renew() -> None:
        while not await _set_within(done, context.ledger.lease.total_seconds() / 3):
            if not await context.ledger.renew(claim):
                return  # its new owner sees to it: nothing more can be marked here

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        done.set()
        # a renewal that failed is no reason to stop: without its lease a batch lets nothing be marked
        await asyncio.gather(renewing, return_exceptions=True)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


async def _standing(context: Context, edition_id: int, report: Report) -> Delivered:
    ledger = context.ledger
    counts = await ledger.counts(edition_id)
    explained = (
        DeliveryState.DEFERRED,
        DeliveryState.REJECTED,
        DeliveryState.UNCERTAIN,
        DeliveryState.SKIPPED,
    )
    return Delivered(
        counts=counts,
        reasons={state: await ledger.reasons(edition_id, state) for state in explained if counts.get(state)},
        next_due=await ledger.next_due(edition_id, context.now()),
        sent_now=report.verdicts[Verdict.SENT],
        halted=report.halted,
    )
