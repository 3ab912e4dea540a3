"""The last stage as a plain function: brings a frozen edition to its readers, by the ledger."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flows.context import Context, Say
from flows.editions.choose import choose
from flows.editions.model import Edition, Kind
from flows.mail.assemble import assemble
from flows.mail.cards import addressed, unpack
from flows.mail.courier import Courier, Report
from flows.mail.model import Cards, Message, Reader
from flows.mail.transports import transport
from flows.outcomes import Outcome, Verdict
from flows.overlap import dailies, seen
from flows.papers.model import PaperId
from flows.store import Frozen
from subscribers import policy
from subscribers.deliveries import Claim, Due
from subscribers.model import DeliveryState, Subscription, Suppressed
from subscribers.tokens import Purpose, sign

PROGRESS = dt.timedelta(seconds=10)
"""How often a delivery that goes on says how it stands."""
STALE = {Kind.DAILY: dt.timedelta(days=2), Kind.WEEKLY: dt.timedelta(days=9)}
"""How long after it was frozen an edition is delivered without being asked for. A weekly one waits for its readers' day
up to a week, and an hour more when the clocks change, and is tried again for a day after."""
LOOK = 5.0
"""Seconds after which a worker looks again whether another one has left something to do."""
LOST = 3
"""After so many deliveries in a row that could not be marked, the batch is read again."""


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


@dataclass(slots=True)
class _Open:
    """A claimed batch that is being worked."""

    claim: Claim
    left: int
    """How many of its deliveries are not settled."""
    seen: Mapping[int, Collection[PaperId]]
    """What its readers have got already, by subscription."""
    unmarked: int = 0
    """How many could not be marked, one after another."""
    dead: list[str] = field(default_factory=list)
    """Addresses that are no good."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A delivery of a batch."""

    due: Due
    batch: _Open


class _Work:
    """An edition's deliveries, as the courier fetches and works them: a batch is claimed while the last messages of the
    one before are under way, and given back when all of its own are settled."""

    def __init__(
        self, context: Context, frozen: Frozen, cards: Cards, until: dt.datetime, report: Report, say: Say
    ) -> None:
        self._context, self._frozen, self._cards = context, frozen, cards
        self._until, self._report, self._say = until, report, say
        self._open: dict[int, _Open] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._failed: list[BaseException] = []
        self._earlier: Mapping[int, Edition] | None = None
        self._said = context.now()
        self._told: dt.datetime | None = None

    async def fetch(self, over: asyncio.Event) -> Sequence[_Item]:
        """The next batch that has something due; none: nothing more is due in time."""
        ledger = self._context.ledger
        while not over.is_set():
            self._raise()
            self._changed.clear()
            claim = await ledger.claim(self._frozen.id, self._context.now())
            if claim is not None:
                if items := await self._read(claim):
                    await self._progress()
                    return items
                continue
            if self._open:  # what they leave is seen when they are given back
                await _first(LOOK, over, self._changed)
                continue
            due = await ledger.next_due(self._frozen.id, self._context.now())
            if due is None or due > self._until:
                return []
            pause = (due - self._context.now()).total_seconds()
            if pause > LOOK and due != self._told:
                self._told = due
                self._say(f"Waiting until {due:%H:%M:%S} UTC for what is due then.")
            await _first(min(max(pause, 0.2), LOOK), over)
        return []

    async def _read(self, claim: Claim) -> Sequence[_Item]:
        ledger, edition = self._context.ledger, self._frozen.edition
        if self._earlier is None:
            self._earlier = await dailies(self._context, edition) if edition.kind is Kind.WEEKLY else {}
        items = await ledger.due(claim, self._context.now())
        if not items:
            await ledger.release(claim, self._context.now())
            return []
        batch = _Open(claim, len(items), await seen(self._context, claim, items, self._earlier))
        self._open[claim.id] = batch
        return [_Item(item, batch) for item in items]

    async def _progress(self) -> None:
        if self._context.now() - self._said > PROGRESS:
            self._said = self._context.now()
            self._say((await _standing(self._context, self._frozen.id, self._report)).sentence)

    def address(self, item: _Item) -> str:
        return item.due.subscription.email if item.due.subscription else ""

    async def write(self, item: _Item) -> Message | None:
        if item.batch.unmarked > LOST:  # it has another owner, most likely: the ledger is asked again
            self._settled(item)
            return None
        message = self._compose(item.due, item.batch.seen)
        if isinstance(message, str):
            skipped = self._context.ledger.skip(item.batch.claim, item.due, message, self._context.now())
            skipped.add_done_callback(partial(self._written, item, None))
            return None
        return await self._context.signer(message)

    def mark(self, item: _Item) -> asyncio.Future[bool]:
        marking = self._context.ledger.mark(item.batch.claim, item.due, self._context.now())
        marking.add_done_callback(partial(self._marked, item))
        return marking

    def record(self, item: _Item, outcome: Outcome, *, marked: bool) -> asyncio.Future[bool]:
        recording = self._context.ledger.record(item.batch.claim, item.due, outcome, self._context.now(), marked=marked)
        recording.add_done_callback(partial(self._written, item, outcome))
        return recording

    def _marked(self, item: _Item, marking: asyncio.Future[bool]) -> None:
        if marking.cancelled() or marking.exception() is not None:
            return  # the courier has been told
        if marking.result():
            item.batch.unmarked = 0
        else:
            item.batch.unmarked += 1
            self._settled(item)

    def _written(self, item: _Item, outcome: Outcome | None, writing: asyncio.Future[bool]) -> None:
        if not writing.cancelled() and (error := writing.exception()) is not None:
            self._failed.append(error)
            self._changed.set()
        elif outcome is not None and outcome.dead:
            item.batch.dead.append(self.address(item))
        self._settled(item)

    def _settled(self, item: _Item) -> None:
        item.batch.left -= 1
        if not item.batch.left:
            closing = asyncio.create_task(self._close(item.batch))
            self._closing.add(closing)
            closing.add_done_callback(self._closed)

    async def _close(self, batch: _Open) -> None:
        """Gives a batch back."""
        self._open.pop(batch.claim.id, None)
        for address in batch.dead:
            await self._context.subscribers.suppress(address, Suppressed.HARD_BOUNCE, self._context.now())
        await self._context.ledger.release(batch.claim, self._context.now())

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled() and (error := closing.exception()) is not None:
            self._failed.append(error)
        self._changed.set()

    async def keep(self) -> None:
        """Keeps the batches while nothing is marked for long: a slow server, or a low MAIL_RATE, must not lose them."""
        while True:
            await asyncio.sleep(self._context.ledger.lease.total_seconds() / 3)
            for batch in list(self._open.values()):
                # without its lease nothing of a batch can be marked: its new owner sees to it
                with suppress(Exception):
                    await self._context.ledger.renew(batch.claim)

    async def end(self) -> None:
        """Gives back all that is held. Raises what could not be written."""
        for batch in list(self._open.values()):
            await self._close(batch)
        while self._closing:
            await asyncio.wait(self._closing)
        self._raise()

    def _raise(self) -> None:
        if self._failed:
            raise self._failed[0]

    def _compose(self, item: Due, seen: Mapping[int, Collection[PaperId]]) -> Message | str:
        """The reader's message, or why there is none."""
        subscription = item.subscription
        if subscription is None:
            return "erased"
        edition = self._frozen.edition
        if reason := policy.decide(subscription, self._today(subscription)):
            return reason
        if reason := policy.superseded(subscription, edition.kind, self._frozen.at):
            return reason
        digest = choose(edition, subscription.interests, seen.get(subscription.id, ()))
        if not digest.parts:
            return digest.reason
        reader = reader_of(self._context, edition, subscription.id, subscription.email)
        try:
            return assemble(self._cards, digest, reader)
        except ValueError as error:
            return f"the address can't be written in a mail: {error}"

    def _today(self, subscription: Subscription) -> dt.date:
        """The day that a pause is held against: the edition's, or of a weekly one, which may come days later, the
        reader's own."""
        day = self._frozen.edition.day
        if self._frozen.edition.kind is Kind.DAILY:
            return day
        return max(day, self._context.now().astimezone(ZoneInfo(subscription.zone)).date())


def reader_of(context: Context, edition: Edition, subscription: int, address: str) -> Reader:
    """What is this reader's own in their message. The Message-ID is the same for every attempt."""
    host = urlsplit(context.settings.public_url).hostname or "localhost"
    key, now = context.settings.keys[0], context.now()
    return Reader(
        address=address,
        unsubscribe=sign(Purpose.UNSUBSCRIBE, subscription, key),
        manage=sign(Purpose.MANAGE, subscription, key, now),
        message_id=f"{edition.newsletter}.{edition.kind}.{edition.day}.{subscription}@{host}",
        date=now,
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
        limits=settings.limits,
        reserve=context.turns.reserve,
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
    now = context.now()
    cut_off = await context.store.unopened(newsletter, now - max(STALE.values()))
    unfinished = await context.ledger.unfinished(now)
    done = []
    for identity in dict.fromkeys([*cut_off, *unfinished]):
        frozen = await context.store.frozen(identity)
        if frozen is None or frozen.edition.newsletter != newsletter:
            continue
        named = f"The {frozen.edition.kind} edition of {frozen.edition.day}"
        if frozen.at < now - STALE[frozen.edition.kind]:
            if identity in unfinished:
                say(f"{named} still has something due, but is too old to be sent unasked.")
            continue
        say(f"{named} has something due.")
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
    cards = addressed(unpack(frozen.cards), context.newsletter(frozen.edition.newsletter), context.site)
    work = _Work(context, frozen, cards, until, courier.report, say)
    keeping = asyncio.create_task(work.keep())
    try:
        await courier.deliver(work, stop)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await work.end()


async def _first(seconds: float, *events: asyncio.Event) -> None:
    """Waits for the first of some events, at most so long."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


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
