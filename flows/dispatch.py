"""The last stage as a plain function: brings a frozen edition to its readers, by the ledger."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from flows.context import Context, Say
from flows.editions.choose import choose
from flows.editions.model import Edition
from flows.mail.assemble import assemble
from flows.mail.cards import unpack
from flows.mail.courier import Courier
from flows.mail.model import Cards, Message, Reader
from flows.mail.transports import transport
from flows.outcomes import Outcome
from flows.store import Frozen
from subscribers import policy
from subscribers.ledger import Claim, Due, LostLease
from subscribers.model import DeliveryState
from subscribers.tokens import Purpose, sign

PROGRESS = dt.timedelta(seconds=10)
"""How often a delivery that goes on says how it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """How an edition's delivery stands."""

    counts: Mapping[DeliveryState, int]
    reasons: Mapping[DeliveryState, Mapping[str, int]]
    """The servers' words for what was deferred, rejected or is uncertain, and why readers were skipped."""
    next_due: dt.datetime | None = None
    """When the next delivery is due; None: every one is final."""
    halted: str = ""
    """Why it stopped before its end, in one sentence."""

    @property
    def sentence(self) -> str:
        said = ", ".join(f"{count} {state}" for state, count in sorted(self.counts.items())) or "no readers"
        later = f"; the next is due at {self.next_due:%Y-%m-%d %H:%M} UTC" if self.next_due else ""
        return f"Deliveries: {said}{later}."


class _Round:
    """A claimed batch, as the courier works it."""

    def __init__(self, context: Context, frozen: Frozen, cards: Cards, claim: Claim, items: Sequence[Due]) -> None:
        self.items = items
        self._context, self._frozen, self._cards, self._claim = context, frozen, cards, claim

    async def prepare(self, item: Due) -> Message | None:
        message = self._write(item)
        ledger, now = self._context.ledger, self._context.now()
        if isinstance(message, str):
            await ledger.skip(self._claim, item, message, now)
            return None
        return message if await ledger.mark(self._claim, item, now) else None

    def _write(self, item: Due) -> Message | str:
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
    wait: dt.timedelta = dt.timedelta(minutes=10),
    stop: asyncio.Event | None = None,
) -> Delivered:
    """Delivers an edition until every row is final or next due later than `wait` from now; `at_once` disregards
    the readers' hours. Running it again goes on where it stopped and sends nothing twice.

    `stop` ends it at the boundary of a message.
    """
    stop = stop or asyncio.Event()
    settings, ledger, edition = context.settings, context.ledger, frozen.edition
    connect = transport(settings.mail_url.get_secret_value())
    made = await ledger.open(frozen.id, edition.newsletter, edition.kind, edition.day, context.now(), at_once=at_once)
    if made:
        say(f"{made} {'reader is' if made == 1 else 'readers are'} new to this edition.")
    courier = Courier(connect, connections=settings.mail_connections, rate=settings.mail_rate)
    cards = unpack(frozen.cards)
    said = context.now()
    until = said + wait
    try:
        while not stop.is_set() and not courier.report.halted:
            claim = await ledger.claim(frozen.id, context.now())
            if claim is None:
                due = await ledger.next_due(frozen.id)
                if due is None or due > until:
                    break
                pause = max((due - context.now()).total_seconds(), 0.2)
                if pause > 2:
                    say(f"Waiting until {due:%H:%M:%S} UTC for what is due then.")
                await _wait(stop, pause)
                continue
            await _work(context, frozen, cards, claim, courier, stop)
            if context.now() - said > PROGRESS:
                said = context.now()
                say((await _standing(context, frozen.id, "")).sentence)
    finally:
        await courier.close()
    delivered = await _standing(context, frozen.id, courier.report.halted)
    say(delivered.sentence)
    return delivered


async def _work(
    context: Context, frozen: Frozen, cards: Cards, claim: Claim, courier: Courier, stop: asyncio.Event
) -> None:
    items = await context.ledger.due(claim, context.now())
    ours = True
    try:
        await courier.deliver(_Round(context, frozen, cards, claim, items), stop)
    except* LostLease:
        ours = False  # its new owner sees to what is left of it
    if ours:
        await context.ledger.release(claim, context.now())


async def _standing(context: Context, edition_id: int, halted: str) -> Delivered:
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
        next_due=await ledger.next_due(edition_id),
        halted=halted,
    )


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
