"""What is in the outbox leaves, within two seconds of the click that put it there: a task of the web process.

The sender of editions brings it, with the same brakes, pace and connections, in a lane of its own. Any number of
processes may do it at a time: a letter is claimed, and its lease renewed until its outcome is recorded. A letter of a
process that died is taken by another when its lease ends, under the same Message-ID.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from flows.context import Context
from flows.delivery.batches import first_of
from flows.delivery.write_letter import LetterWriter
from flows.mail.model import Message
from flows.outcomes import Outcome, Problem, Stage, Verdict, anonymous
from flows.sending.sender import Sender
from flows.sending.transports import Connect, transport
from flows.storage.away import until_back
from subscribers.ledger.model import Delivery
from subscribers.model import Letter
from subscribers.people.outbox import OutboxLetter

T = TypeVar("T")

CONNECTIONS = 3
"""Letters that are sent at a time: one to a slow server keeps nobody waiting."""
LOOK = 1.0
"""Seconds after which the outbox is looked into unasked."""
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds of rest after each failure of the mail server or the database in a row; the last one repeats."""
LOGIN_PAUSE = 300.0
"""Seconds of rest after a refused login: every further try could lock the account."""
FRESH = 600.0
"""Seconds after which what the sender remembers of the mail server is forgotten, where nothing is under way."""

log = logging.getLogger(__name__)


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
        trouble = _Trouble()
        failures = 0
        while not stop.is_set():
            letters = LetterBatches(context, wake, trouble)
            pause = await _send(context, connect, letters, stop, trouble)
            failures = 0 if pause is None or letters.sent else failures
            if pause is not None:
                await _within(stop, max(pause, PAUSES[min(failures, len(PAUSES) - 1)]))
                failures += 1
    finally:
        waking.cancel()


async def _send(
    context: Context, connect: Connect, letters: LetterBatches, stop: asyncio.Event, trouble: _Trouble
) -> float | None:
    """Sends until nothing is under way for a while, or nothing can be sent: then it gives the seconds of rest that are
    due in any case."""
    settings = context.settings
    sender: Sender[OutboxLetter] = Sender(
        connect,
        connections=min(CONNECTIONS, settings.mail_connections),
        rate=settings.limit,
        limits=settings.limits,
        warm_up=settings.warm_up,
        urgent=True,
        reserve=context.turns.reserve,
        slots=context.slots(letters=True),
        ahead=False,
    )
    keeping = asyncio.create_task(letters.keep())
    try:
        await sender.deliver(letters, stop)
    except Exception as error:
        trouble.tell(f"The outbox can't be worked ({_named(error)}).")
        return 0.0
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await letters.end()
        await sender.close()
    if not sender.report.halted:
        return None
    trouble.tell(anonymous(sender.report.halted))
    return LOGIN_PAUSE if sender.report.login else 0.0


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


class _Trouble:
    """What is wrong is said once."""

    def __init__(self) -> None:
        self._said = ""

    def tell(self, sentence: str) -> None:
        if sentence != self._said:
            log.error("%s Letters wait in the outbox until it works again.", sentence)
        self._said = sentence

    def well(self) -> None:
        if self._said:
            log.warning("Letters leave again.")
        self._said = ""


class LetterBatches:
    """The outbox as the sender fetches and works it, a letter at a time."""

    def __init__(self, context: Context, wake: asyncio.Event, trouble: _Trouble) -> None:
        self._context, self._outbox = context, context.outbox
        self._wake, self._trouble = wake, trouble
        self._writer = LetterWriter(context)
        self._mine: dict[int, OutboxLetter] = {}
        """The letters that are claimed and not settled."""
        self._editions: dict[int, Delivery] = {}
        """The edition that goes with a welcome, by the letter's number."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._began = asyncio.get_running_loop().time()
        self.sent = False
        """Whether the mail server has answered anything about a letter."""

    async def fetch(self, over: asyncio.Event) -> Sequence[OutboxLetter]:
        """The next letter that is due. None, for once, after a while in which there was none."""
        while not over.is_set():
            self._wake.clear()
            now = self._context.now()
            # a claim writes: most looks find nothing, and need not
            due = await self._outbox.next_due(now)
            letter = await self._outbox.claim(now) if due is not None and due <= now else None
            if letter is not None:
                self._mine[letter.id] = letter
                return [letter]
            if not self._mine and asyncio.get_running_loop().time() - self._began > FRESH:
                break
            await first_of(LOOK, over, self._wake)
        return []

    async def write(self, letter: OutboxLetter) -> Message | None:
        try:
            message = await self._context.signer(self._writer.write(letter))
        except Exception as error:
            # one letter that can't be made keeps no other waiting: it is put off as if the server had done it
            words = f"the letter can't be made ({_named(error)})"
            await self._record(letter, Outcome(Verdict.DEFERRED, Stage.CONNECT, text=words), marked=False)
            log.error("A letter (%s) waits: %s.", letter.kind, words)
            return None
        if letter.kind is not Letter.WELCOME:
            return message
        with_edition, later = await self._with_edition(letter)
        if later is not None:
            await self._outbox.postpone(letter, later, self._context.now())
            self._mine.pop(letter.id, None)
            return None
        return with_edition or message

    async def _with_edition(self, letter: OutboxLetter) -> tuple[Message | None, dt.datetime | None]:
        """The latest edition with a welcome above it; nothing: the welcome goes alone, since no edition has anything
        for this reader, or they have got it, or its delivery brings it.

        The mark in the ledger decides that nobody gets it twice. Where somebody who may be dead is at it, the letter
        waits until that is known: until then.
        """
        ledger, now = self._context.ledger, self._context.now
        try:
            latest = await self._writer.latest(letter.subscription)
            if latest is None:
                return None, None
            message = await self._context.signer(await self._writer.welcome(letter.subscription, latest))
        except Exception as error:
            log.error("A welcome goes without the latest edition, which can't be made (%s).", _named(error))
            return None, None
        claim = await ledger.claim_one(latest.frozen.id, letter.subscription.id, now())
        if claim is None:
            return None, await ledger.busy_until(latest.frozen.id, letter.subscription.id, now())
        delivery = next(iter(await ledger.due(claim, now())), None)
        if delivery is None:
            await ledger.release(claim, now())
            return None, None
        self._editions[letter.id] = delivery
        return message, None

    def rest(self, seconds: float) -> None:
        """A letter is urgent: no window keeps it waiting."""

    def mark(self, letter: OutboxLetter) -> asyncio.Future[bool]:
        """A letter is marked by its claim; the edition that goes with it here. One that is not to be had is looked at
        again."""
        delivery = self._editions.get(letter.id)
        if delivery is None:
            marked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            marked.set_result(True)
            return marked
        marking = self._context.ledger.mark(delivery, self._context.now())
        marking.add_done_callback(partial(self._not_marked, letter))
        return marking

    def _not_marked(self, letter: OutboxLetter, marking: asyncio.Future[bool]) -> None:
        if marking.cancelled() or marking.exception() is not None or not marking.result():
            self.give_back(letter)

    def record(
        self, letter: OutboxLetter, outcome: Outcome, *, marked: bool, proven: bool = True, not_before: float = 0
    ) -> Awaitable[object]:
        if outcome.verdict is not Verdict.UNSENT:
            self.sent = True
            self._trouble.well()
        return asyncio.ensure_future(self._record(letter, outcome, marked=marked))

    async def _record(self, letter: OutboxLetter, outcome: Outcome, *, marked: bool) -> None:
        """The outbox is told first: should this process die in between, the row in the ledger is uncertain, and this
        mail is sent again, not another one."""
        ledger, now = self._context.ledger, self._context.now
        await _again(lambda: self._outbox.record(letter, outcome, now()))
        delivery = self._editions.pop(letter.id, None)
        if delivery is not None:
            await _again(lambda: ledger.record(delivery, outcome, now(), marked=marked))
            await _again(lambda: ledger.release(delivery.claim, now()))
        self._mine.pop(letter.id, None)

    def put_off(self, letter: OutboxLetter, seconds: float) -> Awaitable[object]:
        return self._soon(self._back(letter, dt.timedelta(seconds=seconds)))

    async def was_well(self, domain: str = "") -> bool:
        return False  # nobody is suppressed for a letter

    async def nothing_but(self, number: int) -> bool:
        return True  # nobody knows when the next one comes

    def give_back(self, letter: OutboxLetter) -> None:
        self._soon(self._back(letter, dt.timedelta(0)))

    async def _back(self, letter: OutboxLetter, wait: dt.timedelta) -> None:
        now = self._context.now
        delivery = self._editions.pop(letter.id, None)
        if delivery is not None:
            await _again(lambda: self._context.ledger.release(delivery.claim, now()))
        await _again(lambda: self._outbox.postpone(letter, now() + wait, now()))
        self._mine.pop(letter.id, None)

    def _soon(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def keep(self) -> None:
        """Keeps the leases of what is under way: a slow server must not make it look like a dead process's."""
        ledger = self._context.ledger
        every = min(self._outbox.lease, ledger.lease).total_seconds() / 3
        while True:
            await asyncio.sleep(every)
            for letter in list(self._mine.values()):
                with suppress(Exception):  # the next one may work; without a lease nothing can be marked
                    await self._outbox.renew(letter)
                    if (delivery := self._editions.get(letter.id)) is not None:
                        await ledger.renew(delivery.claim)

    async def end(self) -> None:
        """Gives back all that is held."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        for letter in list(self._mine.values()):
            with suppress(Exception):  # its lease runs out
                await self._outbox.release(letter, self._context.now())


async def _again(write: Callable[[], Awaitable[T]]) -> T:
    """Writes down what can't be undone, however long the database is away."""

    def say(sentence: str) -> None:
        log.error("%s What became of letters is written down when it is back.", sentence)

    return await until_back(write, say, asyncio.Event())


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def _named(error: Exception) -> str:
    """What failed in one line, without addresses; the database's own words have no values in them."""
    words = str(getattr(error, "orig", None) or error).splitlines()
    return f"{type(error).__name__}: {anonymous(words[0])[:200]}" if words else type(error).__name__
