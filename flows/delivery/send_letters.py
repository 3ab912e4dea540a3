"""What is in the outbox leaves, within two seconds of the click that put it there: a task of the web process.

Any number of processes may do it at a time: a letter is claimed, and its lease renewed until its outcome is recorded.
A letter of a process that died is taken by another when its lease ends, under the same Message-ID.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from flows.context import Context
from flows.delivery.write_letter import Scribe
from flows.mail.model import Message
from flows.outcomes import LOGIN_WANTED, Outcome, Problem, Stage, Verdict, anonymous
from flows.sending.transports import CantConnect, Connect, Connection, transport
from subscribers.ledger.model import Claim
from subscribers.model import Letter
from subscribers.people.outbox import Item

HANDS = 3
"""Letters that are sent at a time: one to a slow server keeps nobody waiting."""
LOOK = 1.0
"""Seconds after which one hand looks into the outbox unasked; it wakes the others."""
SELDOM = 20.0
"""Seconds after which the others do."""
KEPT = 5.0
"""Seconds that a connection is kept for the next letter."""
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds of rest after each failure of the mail server or the database in a row; the last one repeats."""
RECORDING = (0.5, 2.0, 5.0, 10.0)
"""Seconds after which an outcome is recorded again, where the database did not take it: the letter has left."""

log = logging.getLogger(__name__)

Renew = Callable[[], Awaitable[object]]


class _Unsent(Exception):  # noqa: N818
    """The mail server takes no letter now, for whomever: one sentence."""


async def work(context: Context, stop: asyncio.Event, wake: asyncio.Event) -> None:
    """Sends what is in the outbox until `stop` is set; a letter that is under way is brought to its end. Who puts one
    in sets `wake`, so that it leaves at once.

    What fails is said in the log, once and without addresses, and tried again: nothing that the mail server or the
    database does ends this.
    """
    waking = asyncio.create_task(_wake_at(stop, wake))
    try:
        try:
            connect = transport(context.settings.mail_url.get_secret_value())
        except Problem as problem:
            await _without_mail(problem, stop, wake)
            return
        office = _Office(context, stop, wake)
        hands = [_Hand(office, connect) for _ in range(HANDS)]
        await asyncio.gather(*(hand.work(SELDOM if number else LOOK) for number, hand in enumerate(hands)))
    finally:
        waking.cancel()


async def _wake_at(stop: asyncio.Event, wake: asyncio.Event) -> None:
    await stop.wait()
    wake.set()


async def _without_mail(problem: Problem, stop: asyncio.Event, wake: asyncio.Event) -> None:
    """Whoever signs up waits for a mail that nobody sends: the log says so at the start and at each of them."""
    while not stop.is_set():
        log.error("Mail is not set up: confirmations and all other letters wait in the outbox. %s", problem)
        await _within(stop, PAUSES[-1])
        wake.clear()
        if not stop.is_set():
            await wake.wait()


class _Office:
    """What the hands share."""

    def __init__(self, context: Context, stop: asyncio.Event, wake: asyncio.Event) -> None:
        self.context = context
        self.stop = stop
        self.wake = wake
        self.scribe = Scribe(context)
        self._trouble = ""

    def trouble(self, sentence: str) -> None:
        if sentence != self._trouble:
            log.error("%s Letters wait in the outbox until it works again.", sentence)
        self._trouble = sentence

    def well(self) -> None:
        if self._trouble:
            log.warning("Letters leave again.")
        self._trouble = ""


class _Hand:
    """One connection to the mail server, and what goes over it."""

    def __init__(self, office: _Office, connect: Connect) -> None:
        self._office = office
        self._context = office.context
        self._outbox = office.context.outbox
        self._connect = connect
        self._line: Connection | None = None
        self._proven = False
        """The connection has brought a letter: what fails next may be its age."""

    async def work(self, look: float) -> None:
        """Sends what is due, and looks again after `look` seconds, or when it is woken."""
        stop, wake = self._office.stop, self._office.wake
        failures = 0
        try:
            while not stop.is_set():
                wake.clear()
                try:
                    found = await self._next()
                    failures = 0
                except Exception as error:
                    self._office.trouble(_sentence(error))
                    await _within(stop, PAUSES[min(failures, len(PAUSES) - 1)])
                    failures += 1
                    continue
                if not found and not await _within(wake, min(look, KEPT) if self._line else look):
                    await self._close()
        finally:
            await self._close()

    async def _next(self) -> bool:
        """Sends the next letter; False: none is due."""
        now = self._context.now()
        # a claim writes: most looks find nothing, and need not
        due = await self._outbox.next_due(now)
        item = await self._outbox.claim(now) if due is not None and due <= now else None
        if item is None:
            return False
        self._office.wake.set()
        async with self._held(item) as renewals:
            await self._bring(item, renewals)
        return True

    async def _bring(self, item: Item, renewals: list[Renew]) -> None:
        try:
            await self._ready()
        except CantConnect as error:
            await self._outbox.release(item, self._context.now())
            raise _Unsent(anonymous(str(error))) from error
        try:
            letter = await self._context.signer(self._office.scribe.write(item))
        except Exception as error:
            # one letter that can't be made keeps no other waiting: it is put off as if the server had done it
            words = f"the letter can't be made ({_named(error)})"
            await self._record(item, Outcome(Verdict.DEFERRED, Stage.CONNECT, text=words))
            log.error("A letter (%s) waits: %s.", item.kind, words)
            return
        if item.kind is Letter.WELCOME and await self._bring_edition(item, renewals):
            return
        outcome = await self._send(letter)
        await self._record(item, outcome)
        self._judge(outcome)

    async def _bring_edition(self, item: Item, renewals: list[Renew]) -> bool:
        """Sends the latest edition with a welcome above it; False: the welcome goes alone, since no edition has
        anything for this reader, or they have got it, or its delivery brings it.

        The mark in the ledger decides that nobody gets it twice. Where somebody who may be dead is at it, the letter
        waits until that is known.
        """
        ledger, scribe = self._context.ledger, self._office.scribe
        try:
            latest = await scribe.latest(item.subscription)
            if latest is None:
                return False
            message = await self._context.signer(await scribe.welcome(item.subscription, latest))
        except Exception as error:
            log.error("A welcome goes without the latest edition, which can't be made (%s).", _named(error))
            return False
        claim = await ledger.claim_one(latest.frozen.id, item.subscription.id, self._context.now())
        if claim is None:
            now = self._context.now()
            until = await ledger.busy_until(latest.frozen.id, item.subscription.id, now)
            if until is None:
                return False
            await self._outbox.postpone(item, until, now)
            return True
        renewals.append(lambda: ledger.renew(claim))
        try:
            return await self._bring_claimed(item, claim, message)
        finally:
            await ledger.release(claim, self._context.now())

    async def _bring_claimed(self, item: Item, claim: Claim, message: Message) -> bool:
        ledger, now = self._context.ledger, self._context.now
        due = next(iter(await ledger.due(claim, now())), None)
        if due is None or not await ledger.mark(claim, due, now()):
            return False
        outcome = await self._send(message)
        # The outbox is told first: should this process die in between, the row in the ledger is uncertain, and this
        # mail is sent again, not another one.
        await self._record(item, outcome)
        await _again(lambda: ledger.record(claim, due, outcome, now()))
        self._judge(outcome)
        return True

    async def _send(self, message: Message) -> Outcome:
        """Sends over the connection that is open; over a new one where the server has closed it meanwhile."""
        while True:
            try:
                line = await self._ready()
            except CantConnect as error:
                return Outcome(Verdict.UNSENT, Stage.CONNECT, text=str(error)[:500])
            outcome = await line.send(message)
            aged = outcome.verdict is Verdict.UNSENT and self._proven and not line.usable
            self._proven = self._proven or outcome.verdict is Verdict.SENT
            if not aged:
                return outcome

    async def _record(self, item: Item, outcome: Outcome) -> None:
        await _again(lambda: self._outbox.record(item, outcome, self._context.now()))

    def _judge(self, outcome: Outcome) -> None:
        """Raises where the server refuses everybody, so that it is left in peace for a while."""
        if outcome.verdict is not Verdict.UNSENT:
            self._office.well()
            return
        said = f"{outcome.code or 'no reply'}: {anonymous(outcome.text)[:120]}"
        remedy = "PAPERROUND_MAIL_URL"
        if outcome.ours:
            login = outcome.code in LOGIN_WANTED
            remedy = "the user and password in PAPERROUND_MAIL_URL" if login else "PAPERROUND_SENDER and _RETURN_PATH"
        raise _Unsent(f"The mail server takes no letter ({said}): check {remedy}.")

    async def _ready(self) -> Connection:
        if self._line is not None and self._line.usable:
            return self._line
        await self._close()
        self._line, self._proven = await self._connect(), False
        return self._line

    async def _close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    @asynccontextmanager
    async def _held(self, item: Item) -> AsyncIterator[list[Renew]]:
        """Keeps a letter's lease while it is sent, and whatever else is to be renewed: a slow server must not make it
        look like a dead process's."""
        renewals: list[Renew] = [lambda: self._outbox.renew(item)]
        every = min(self._outbox.lease, self._context.ledger.lease).total_seconds() / 3

        async def renew() -> None:
            while True:
                await asyncio.sleep(every)
                for renewal in renewals:
                    with suppress(Exception):  # the next one may work; without a lease nothing can be marked
                        await renewal()

        renewing = asyncio.create_task(renew())
        try:
            yield renewals
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)


async def _again(write: Callable[[], Awaitable[object]]) -> None:
    """Writes down what can't be undone, also where the database is away for a moment."""
    for pause in RECORDING:
        try:
            await write()
        except Exception as error:
            log.error("The outcome of a letter can't be recorded (%s): it is tried again.", _named(error))
            await asyncio.sleep(pause)
        else:
            return
    await write()


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, _Unsent) else f"The outbox can't be worked ({_named(error)})."


def _named(error: Exception) -> str:
    """What failed in one line, without addresses; the database's own words have no values in them."""
    words = str(getattr(error, "orig", None) or error).splitlines()
    return f"{type(error).__name__}: {anonymous(words[0])[:200]}" if words else type(error).__name__
