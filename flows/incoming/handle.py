"""What came back by mail is read, done, and marked in the mailbox."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from flows.context import Context
from flows.incoming.mailboxes import OpenMailbox
from flows.incoming.model import Event, Passing, Report, Unsubscription
from flows.incoming.recognise import Read, read
from flows.incoming.whose import said
from subscribers.bounces import BounceKind, BounceState, ReportedMail
from subscribers.ledger.came_back import Heard
from subscribers.tokens import Purpose, verify

AT_ONCE = 100
"""Messages whose reports are written down in one transaction, and that are marked together."""
KINDS = {
    BounceKind.HARD: "hard bounces",
    BounceKind.SOFT: "soft bounces",
    BounceKind.REFUSED: "refusals of our mail",
    BounceKind.COMPLAINT: "complaints",
}


@dataclass(slots=True)
class Returns:
    """How many messages were read, and what they were: numbers alone, nobody's name."""

    unsubscribed: int = 0
    kinds: Counter[BounceKind] = field(default_factory=Counter)
    """Bounces and complaints that were new."""
    known: int = 0
    """Reports about what was known."""
    passing: Counter[str] = field(default_factory=Counter)
    """Messages that ask for nothing, by what they are."""
    suppressed: int = 0
    held: int = 0
    """Bounces that are one of a mass, and wait for the operator."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why messages were not understood."""
    paused: list[str] = field(default_factory=list)
    """Newsletters that were paused after it, a sentence each."""

    @property
    def left(self) -> int:
        """Not understood: left in the mailbox for somebody else."""
        return self.reasons.total()

    @property
    def sentence(self) -> str:
        parts = [_number(self.unsubscribed, "unsubscriptions")] if self.unsubscribed else []
        parts += [_number(self.kinds[kind], words) for kind, words in KINDS.items() if self.kinds[kind]]
        parts += [_number(self.known, "reports known before")] if self.known else []
        if self.passing:
            parts.append(f"{self.passing.total()} to pass over ({_listed(self.passing)})")
        if not (parts or self.reasons):
            return "Nothing has come back."
        told = f"Returned mail: {', '.join([*parts, f'{self.left} left unread in the mailbox'])}."
        if self.suppressed:
            told += f" {_number(self.suppressed, 'addresses')} suppressed."
        if self.held:
            told += f" {self.held} held for you: `paperround bounces held` shows them."
        return told

    @property
    def why_left(self) -> str:
        """Why messages were left, in a sentence; empty where none was."""
        return f"Left unread: {_listed(self.reasons)}." if self.reasons else ""

    def count(self, heard: Heard) -> None:
        if not heard.fresh:
            self.known += 1
            return
        self.kinds[heard.kind] += 1
        self.suppressed += heard.state is BounceState.SUPPRESSED
        self.held += heard.state is BounceState.HELD

    def hold_back(self, readers: int) -> None:
        """Readers whom earlier bounces had suppressed are held now."""
        self.held += readers
        self.suppressed = max(0, self.suppressed - readers)


_ONE = {
    "addresses": "address",
    "reports known before": "report known before",
    "refusals of our mail": "refusal of our mail",
}


def _number(count: int, words: str) -> str:
    return f"{count} {_ONE.get(words, words.removesuffix('s')) if count == 1 else words}"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common(10))


async def read_returns(context: Context) -> Returns:
    """Does what all that has come back asks for. Raises Problem where the mailbox can't be read.

    Messages are marked after what they ask for is done, a hundred at a time: a crash in between does it again, which
    changes nothing. Memory does not grow with the mailbox.
    """
    found = Returns()
    async with OpenMailbox(context.settings.returns_url.get_secret_value()) as mailbox:
        waiting: list[tuple[str, Read]] = []
        async for message in mailbox.unread():
            waiting.append((message.key, read(message.content)))
            if len(waiting) >= AT_ONCE:
                await _do(context, mailbox, waiting, found)
                waiting.clear()
        await _do(context, mailbox, waiting, found)
    return found


async def _do(context: Context, mailbox: OpenMailbox, messages: list[tuple[str, Read]], found: Returns) -> None:
    done, left = [], []
    said_by = {key: _said(context, what) for key, what in messages if isinstance(what, list)}
    recorded = await context.came_back.record([one for some in said_by.values() for one in some], context.now())
    heard = iter(recorded.heard)
    found.hold_back(recorded.held_back)
    for key, what in messages:
        if isinstance(what, list):
            reason = await _reported(context, what, [next(heard) for _ in said_by[key]], found)
        else:
            reason = await _other(context, what, found)
        if reason:
            found.reasons[reason] += 1
            left.append(key)
        else:
            done.append(key)
    await mailbox.done(*done)
    await mailbox.left(*left)


def _said(context: Context, reports: list[Report]) -> list[ReportedMail]:
    keys = context.settings.keys
    return [one for report in reports if report.event is not Event.UNSUBSCRIBED and (one := said(report, keys))]


async def _reported(context: Context, reports: list[Report], heard: list[Heard | None], found: Returns) -> str:
    """Counts what reports came to; why the message is left, if it is."""
    ended = [await opt_out(context, one) for one in reports if one.event is Event.UNSUBSCRIBED]
    found.unsubscribed += sum(ended)
    for one in heard:
        if one is not None:
            found.count(one)
    if any(ended) or any(heard):
        return ""
    return "about no mail of ours" if heard or ended else "a report that names nobody"


async def opt_out(context: Context, report: Report) -> bool:
    """Ends the subscription that a report shows to be the reader's own; False: it shows none."""
    about = said(report, context.settings.keys)
    if about is None or not about.sealed:
        return False
    if about.subscription_id is not None:
        await context.subscribers.unsubscribe(about.subscription_id, context.now())
        return True
    return await context.subscribers.unsubscribe_address(about.address, context.now())


async def _other(context: Context, what: Read, found: Returns) -> str:
    match what:
        case Passing():
            found.passing[what.what] += 1
            return ""
        case Unsubscription():
            number = verify(Purpose.UNSUBSCRIBE, what.token, context.settings.keys)
            if number is None:
                return "asks to unsubscribe with a token that is not ours"
            await context.subscribers.unsubscribe(number, context.now())
            found.unsubscribed += 1
            return ""
        case list():
            raise AssertionError("reports are counted elsewhere")
        case unknown:
            return unknown.reason
