"""The last stage as a plain function: brings a frozen edition to its readers, by the ledger."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias, TypedDict, Unpack

from flows.context import Context, Say, utc_now
from flows.delivery import clock_jumps
from flows.delivery.batches import LOOK, EditionBatches, first_of
from flows.delivery.extra_processes import ExtraProcesses
from flows.editions.model import Kind
from flows.outcomes import Verdict
from flows.pipeline import in_all_languages
from flows.sending.sender import Sender, SenderReport
from flows.sending.transports import transport
from flows.storage.away import is_away, until_back
from flows.storage.editions import Frozen
from flows.turns import Asked, Granted
from subscribers.ledger import clocks
from subscribers.ledger.model import Delivery
from subscribers.model import DeliveryState

HELD = dt.timedelta(days=1)
"""What would start so late is not sent unasked: its papers are no news any more."""
REMEMBERED = {Kind.DAILY: dt.timedelta(days=7), Kind.WEEKLY: dt.timedelta(days=14)}
"""How long after it was frozen an edition that waits for an operator is spoken of."""


Beside: TypeAlias = Callable[[Frozen, asyncio.Event], AbstractAsyncContextManager[None]]
"""Asks others to work an edition's ledger as long as it is entered; they are told to stop when the event is set."""


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
    limited: str = ""
    """How many a limit keeps back, and until when; empty: none does."""
    remedy: str = ""
    """What to do where a mail server has refused readers wrongly; empty: it has refused nobody."""

    @property
    def sentence(self) -> str:
        later = f"; the next is due at {self.next_due:%Y-%m-%d %H:%M} UTC" if self.next_due else ""
        if not self.next_due and self.counts.get(DeliveryState.UNCERTAIN):
            later = "; what is uncertain waits for you, see `paperround deliveries --help`"
        before = self.counts.get(DeliveryState.SENT, 0) - self.sent_now
        known = f" ({before} of them before this run)" if before else ""
        more = " ".join(filter(None, (self.limited, self.remedy)))
        return f"{self.progress.rstrip('.')}{known}{later}.{f' {more}' if more else ''}"

    @property
    def progress(self) -> str:
        """As much as can be said while it goes on."""
        said = ", ".join(f"{count} {state}" for state, count in sorted(self.counts.items()))
        return f"Deliveries: {said or 'no readers'}."


@dataclass(frozen=True, slots=True)
class Held:
    """An edition that has something due, but too long ago to be sent unasked."""

    sentence: str
    halted: str = ""


class How(TypedDict, total=False):
    """How an edition is delivered, see `deliver`."""

    at_once: bool
    opened: bool
    wait: dt.timedelta
    stop: asyncio.Event | None
    beside: Beside | None


class Deliver(Protocol):
    """`deliver`, or what has somebody look on while it does its work."""

    async def __call__(self, context: Context, frozen: Frozen, say: Say, **how: Unpack[How]) -> Delivered: ...


async def deliver(
    context: Context,
    frozen: Frozen,
    say: Say,
    *,
    at_once: bool = False,
    opened: bool = False,
    wait: dt.timedelta = dt.timedelta(minutes=10),
    stop: asyncio.Event | None = None,
    beside: Beside | None = None,
) -> Delivered:
    """Delivers an edition until every row is final or next due later than `wait` from now; `at_once` disregards
    the readers' hours. Running it again goes on where it stopped and sends nothing twice.

    With `opened` it keeps to the rows that are there: who has subscribed since then is not added. `stop` ends it at
    the boundary of a message. A large list is shared with other processes of this machine, see `extra_processes`, or
    with whoever `beside` asks to work the same ledger.
    """
    transport(context.settings.mail_url.get_secret_value())  # a bad one is told before anything is made
    if paused := await paused_sentence(context, frozen.edition.newsletter):
        return await _standing(context, frozen.id, SenderReport(halted=paused))
    if held := await held_sentence(context, frozen):
        return await _standing(context, frozen.id, SenderReport(halted=held))
    began, ticked = context.now(), time.monotonic()
    until = began + wait
    await _look_at_the_clock(context, say)
    if not (opened or frozen.correction or await _replaced(context, frozen)):
        await open_rows(context, frozen, say, at_once=at_once)
    await in_all_languages(context, frozen, say)  # once, before others join
    if beside is None:
        report = await _on_this_machine(context, frozen, until, stop or asyncio.Event(), say)
    else:
        report = await _beside_others(context, frozen, until, stop or asyncio.Event(), say, beside)
    jumped = context.now() - began - dt.timedelta(seconds=time.monotonic() - ticked)
    if abs(jumped) > clocks.SLACK:
        words = f"This machine's clock jumped by {clock_jumps.hours(jumped)} while mail was delivered"
        say(f"{words}: look whether it is right.")
    return await until_back(partial(_standing, context, frozen.id, report), say, stop or asyncio.Event())


async def _on_this_machine(
    context: Context, frozen: Frozen, until: dt.datetime, stop: asyncio.Event, say: Say
) -> SenderReport:
    due = await context.ledger.due_batches(frozen.id, context.now())
    async with ExtraProcesses(context.settings, frozen.id, due, until, stop, say) as others:
        report = await work(context, frozen, until, others.ending, say, share=others.size)
        if report.halted:
            others.end()
        await others.ended()
    if others.lost and not others.ending.is_set():
        # what a process that died had claimed is free again when its lease ends
        again = await work(context, frozen, until, others.ending, say)
        report = SenderReport(report.verdicts + again.verdicts, report.halted or again.halted)
    report.verdicts[Verdict.SENT] += others.sent
    report.halted = report.halted or others.halted
    return report


async def _beside_others(
    context: Context, frozen: Frozen, until: dt.datetime, stop: asyncio.Event, say: Say, beside: Beside
) -> SenderReport:
    """Works until nothing is due and nobody has anything of the edition claimed: what others leave, or die with, is
    taken over."""
    ending = asyncio.Event()

    async def pass_on() -> None:
        await stop.wait()
        ending.set()

    async def look() -> tuple[bool, bool]:
        """Whether something is due that is free, and whether somebody else has some of it."""
        since = await context.ledger.due_since(frozen.id)
        return since is not None and since <= context.now(), await context.ledger.is_worked(frozen.id)

    before = (await context.ledger.counts(frozen.id)).get(DeliveryState.SENT, 0)
    passing = asyncio.create_task(pass_on())
    try:
        async with beside(frozen, ending):
            report = await work(context, frozen, until, ending, say)
            while not (report.halted or ending.is_set()):
                try:
                    free, worked = await until_back(look, say, ending)
                except Exception as error:
                    if ending.is_set() and is_away(error):
                        break
                    raise
                if free:
                    again = await work(context, frozen, max(until, context.now()), ending, say)
                    report = SenderReport(report.verdicts + again.verdicts, again.halted, again.login, again.full)
                elif not worked:
                    break
                await first_of(LOOK, ending)
            if report.halted:  # it is the mail server of all, most likely
                ending.set()
    finally:
        passing.cancel()
        await asyncio.gather(passing, return_exceptions=True)
    counts = await until_back(partial(context.ledger.counts, frozen.id), say, stop)
    report.verdicts[Verdict.SENT] = max(report.verdicts[Verdict.SENT], counts.get(DeliveryState.SENT, 0) - before)
    return report


async def take_part(context: Context, frozen: Frozen, say: Say, *, stop: asyncio.Event) -> SenderReport:
    """Works what is due of an edition, beside whoever began its delivery, until nothing of it is free any more: what
    others have claimed is theirs. Nothing of one that is held, or whose newsletter is paused."""
    transport(context.settings.mail_url.get_secret_value())
    if kept := await paused_sentence(context, frozen.edition.newsletter) or await held_sentence(context, frozen):
        say(kept)
        return SenderReport()
    await _look_at_the_clock(context, say)
    return await work(context, frozen, context.now(), stop, say)


async def _replaced(context: Context, frozen: Frozen) -> bool:
    """Whether a corrected edition goes instead of this one: who has not got it gets the other."""
    edition = frozen.edition
    found = await context.store.correction(edition.newsletter, edition.kind, edition.day)
    return found is not None and bool(found.edition.sections)


async def _look_at_the_clock(context: Context, say: Say) -> None:
    """Says where our clock jumped or is not the database's, and puts right what one that was wrong has left."""
    now, home, seen = context.now(), context.settings.home_dir, clock_jumps.look()
    seen = seen.after(clock_jumps.remembered(home))
    clock_jumps.remember(home, seen)
    wrong = await clock_jumps.against_the_database(context.database, now, utc_now())
    for sentence in (*clock_jumps.told(seen), *wrong):
        say(sentence)
    if mended := await clocks.mend(context.database, now, max(context.settings.back_off)):
        what = f"{mended} {'delivery' if mended == 1 else 'deliveries'}"
        say(f"The clock has been set back: {what} waited for a time that no wait leads to, and are due now.")


async def work(
    context: Context, frozen: Frozen, until: dt.datetime, stop: asyncio.Event, say: Say, *, share: int = 1
) -> SenderReport:
    """Works what is due of an edition whose rows are there, until nothing more is due by `until`; any number of
    processes may do so at a time. `share`: how many the connections are divided among."""
    settings = context.settings
    over = asyncio.Event()

    async def reserve(asked: Asked) -> Granted:
        return await until_back(partial(context.turns.reserve, asked), say, over)

    async def standing() -> str:
        return Delivered(counts=await context.ledger.counts(frozen.id), reasons={}).progress

    sender: Sender[Delivery] = Sender(
        transport(settings.mail_url.get_secret_value()),
        connections=max(1, settings.mail_connections // share),
        rate=settings.limit,
        limits={domain: limit.divided(share) for domain, limit in settings.limits.items()},
        warm_up=settings.warm_up,
        reserve=reserve,
        slots=context.slots(),
        say=say,
        patience=settings.mail_wait,
    )
    batches = EditionBatches(context, frozen, await in_all_languages(context, frozen, say), until, standing, say)
    keeping = asyncio.create_task(batches.keep())
    try:
        await sender.deliver(batches, stop)
    finally:
        over.set()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        try:
            await batches.end()
        finally:
            await sender.close()
    return sender.report


async def deliver_due(
    context: Context, newsletter: str, say: Say, stop: asyncio.Event | None = None, *, by: Deliver = deliver
) -> list[Delivered | Held]:
    """Delivers what has become due of a newsletter's editions, and finishes the opening of one that was cut off.

    What has been due for longer than `HELD`, with nobody at work on it, is left alone, and said to be.
    """
    now = context.now()
    await _look_at_the_clock(context, say)
    if paused := await paused_sentence(context, newsletter):
        say(paused)
        return [Held(paused)]
    cut_off = await context.store.unopened(newsletter, now - max(REMEMBERED.values()))
    unfinished = await context.ledger.unfinished(now)
    done: list[Delivered | Held] = []
    for identity in dict.fromkeys([*cut_off, *unfinished]):
        frozen = await context.store.frozen(identity)
        if frozen is None or frozen.edition.newsletter != newsletter:
            continue
        kind, day = frozen.edition.kind, frozen.edition.day
        if held := await held_sentence(context, frozen):
            say(held)
            done.append(Held(held))
            continue
        since = frozen.at if identity in cut_off else await context.ledger.due_since(identity)
        if since is not None and now - since > HELD:
            if now - frozen.at < REMEMBERED[kind]:
                late = (
                    f"Held: the {kind} edition of {day} has something due since {since:%Y-%m-%d %H:%M} UTC, more than "
                    f"a day. To send it all the same, start a `{kind}` run with the date {day}."
                )
                say(late)
                done.append(Held(late))
            continue
        say(f"The {kind} edition of {day} has something due.")
        opened = identity not in cut_off
        delivered = await by(context, frozen, say, opened=opened, wait=dt.timedelta(0), stop=stop)
        done.append(delivered)
        if delivered.halted or (stop is not None and stop.is_set()):
            break
    return done


async def hold_unfinished(context: Context, newsletter: str, why: str) -> None:
    """Holds every edition of a newsletter that has something due."""
    for identity in await context.ledger.unfinished(context.now()):
        frozen = await context.store.frozen(identity)
        if frozen is not None and frozen.edition.newsletter == newsletter:
            await context.store.hold(identity, context.now(), why)


async def held_sentence(context: Context, frozen: Frozen) -> str:
    """Why an edition is not delivered any further, in a sentence with the remedy; empty: it is."""
    if not (held := await context.store.held(frozen.id)):
        return ""
    edition = frozen.edition
    if frozen.correction:
        return (
            f"The correction of the {edition.kind} edition of {edition.day} is {held}: *Resume* the run, or start "
            "`correct` again with the same words, and it goes on."
        )
    call = f"paperround deliver -n {edition.newsletter} -d {edition.day}"
    weekly = " --weekly" if edition.kind is Kind.WEEKLY else ""
    return (
        f"The {edition.kind} edition of {edition.day} is {held}: *Retry* or *Resume* the run, start `deliver` for it, "
        f"or say `{call}{weekly}`, and it goes on."
    )


async def paused_sentence(context: Context, newsletter: str) -> str:
    """Why nothing of a newsletter is sent, in a sentence with the remedy; empty: it is. It is paused here if too much
    has come back."""
    paused = await context.watch(newsletter)
    if paused is None:
        return ""
    return (
        f"{newsletter} is paused since {paused.at:%Y-%m-%d %H:%M} UTC: {paused.reason} Find out why; then "
        f"`paperround bounces resume --newsletter {newsletter}` lets it go on."
    )


async def open_rows(context: Context, frozen: Frozen, say: Say, *, at_once: bool = False) -> None:
    """Makes the rows of the ledger for all readers of an edition who have none."""
    edition = frozen.edition
    zone = context.newsletter(edition.newsletter).zone
    made = await context.ledger.open(
        frozen.id, edition.newsletter, edition.kind, edition.day, frozen.at, at_once=at_once, zone=zone
    )
    if made:
        say(f"{made} {'reader is' if made == 1 else 'readers are'} new to this edition.")
        if unknown := await context.subscribers.unknown_zones(edition.newsletter):
            count, names = sum(unknown.values()), ", ".join(map(repr, sorted(unknown)[:3]))
            has, page = ("reader has", "Their page says") if count == 1 else ("readers have", "Their pages say")
            say(
                f"{count} {has} a time zone that this machine does not know ({names}): {zone}, the newsletter's, "
                f"counts instead. {page} so and offer another; newer zones come with the package tzdata."
            )
    await context.store.opened(frozen.id, context.now())


async def _standing(context: Context, edition_id: int, report: SenderReport) -> Delivered:
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
        limited=await _limited(context, edition_id, report),
        remedy=await _remedy(context, edition_id) if counts.get(DeliveryState.REJECTED) else "",
    )


async def _remedy(context: Context, edition_id: int) -> str:
    frozen = await context.store.frozen(edition_id)
    if frozen is None:
        return ""
    edition = frozen.edition
    of = f"--edition {edition.newsletter}/{edition.day}{' --weekly' if edition.kind is Kind.WEEKLY else ''}"
    remedy = (
        f"If the mail server was wrong to reject: `paperround deliveries {of} --state rejected --resend`, and "
        f"`paperround subscribers suppress --lift {of}`."
    )
    if not (held := await context.held_bounces.of_edition(edition_id)):
        return remedy
    who = "1 reader is" if held == 1 else f"{held:,} readers are"
    return (
        f"{remedy} {who} held for you, since so many at once are rarely dead: `paperround bounces held` shows them, "
        "`bounces suppress` and `bounces free` decide."
    )


async def _limited(context: Context, edition_id: int, report: SenderReport) -> str:
    """How many mails wait for a limit, and until when, in sentences."""
    now, said = context.now(), []
    for place, waits in report.full.items():
        until = now + dt.timedelta(seconds=waits.seconds)
        number = waits.number if place else await context.ledger.waiting(edition_id, until)
        if not number or not waits.seconds:
            continue
        named = f"{place} ({waits.limit})" if place else f"all mail ({waits.limit})"
        verb = "waits" if number == 1 else "wait"
        said.append(f"{number:,} {verb} for the limit of {named}, until {until:%Y-%m-%d %H:%M} UTC at least.")
    return " ".join(said)
