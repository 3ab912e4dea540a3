"""The last stage as a plain function: brings a frozen edition to its readers, by the ledger."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from flows.context import Context, Say
from flows.delivery.batches import Worklist
from flows.delivery.extra_processes import Fleet
from flows.editions.model import Kind
from flows.outcomes import Verdict
from flows.sending.sender import Courier, Report
from flows.sending.transports import transport
from flows.storage.editions import Frozen
from subscribers.model import DeliveryState

HELD = dt.timedelta(days=1)
"""What would start so late is not sent unasked: its papers are no news any more."""
REMEMBERED = {Kind.DAILY: dt.timedelta(days=7), Kind.WEEKLY: dt.timedelta(days=14)}
"""How long after it was frozen an edition that waits for an operator is spoken of."""


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
        later = f"; the next is due at {self.next_due:%Y-%m-%d %H:%M} UTC" if self.next_due else ""
        if not self.next_due and self.counts.get(DeliveryState.UNCERTAIN):
            later = "; what is uncertain waits for you, see `paperround deliveries --help`"
        before = self.counts.get(DeliveryState.SENT, 0) - self.sent_now
        known = f" ({before} of them before this run)" if before else ""
        return f"{self.progress.rstrip('.')}{known}{later}."

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
    the boundary of a message. A large list is shared with other processes of this machine, see `extra_processes`.
    """
    transport(context.settings.mail_url.get_secret_value())  # a bad one is told before anything is made
    if paused := await paused_sentence(context, frozen.edition.newsletter):
        return await _standing(context, frozen.id, Report(halted=paused))
    until = context.now() + wait
    if not opened:
        await _open(context, frozen, say, at_once=at_once)
    due = await context.ledger.due_batches(frozen.id, context.now())
    async with Fleet(context.settings, frozen.id, due, until, stop or asyncio.Event(), say) as fleet:
        report = await work(context, frozen, until, fleet.ending, say, share=fleet.size)
        if report.halted:
            fleet.end()
        await fleet.ended()
    if fleet.lost and not fleet.ending.is_set():
        # what a process that died had claimed is free again when its lease ends
        again = await work(context, frozen, until, fleet.ending, say)
        report = Report(report.verdicts + again.verdicts, report.halted or again.halted)
    report.verdicts[Verdict.SENT] += fleet.sent
    report.halted = report.halted or fleet.halted
    return await _standing(context, frozen.id, report)


async def work(
    context: Context, frozen: Frozen, until: dt.datetime, stop: asyncio.Event, say: Say, *, share: int = 1
) -> Report:
    """Works what is due of an edition whose rows are there, until nothing more is due by `until`; any number of
    processes may do so at a time. `share`: how many the connections are divided among."""
    settings = context.settings
    courier = Courier(
        transport(settings.mail_url.get_secret_value()),
        connections=max(1, settings.mail_connections // share),
        rate=settings.mail_rate,
        limits={domain: limit.divided(share) for domain, limit in settings.limits.items()},
        reserve=context.turns.reserve,
    )

    async def standing() -> str:
        return Delivered(counts=await context.ledger.counts(frozen.id), reasons={}).progress

    worklist = Worklist(context, frozen, until, standing, say)
    keeping = asyncio.create_task(worklist.keep())
    try:
        await courier.deliver(worklist, stop)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        try:
            await worklist.end()
        finally:
            await courier.close()
    return courier.report


async def deliver_due(
    context: Context, newsletter: str, say: Say, stop: asyncio.Event | None = None
) -> list[Delivered | Held]:
    """Delivers what has become due of a newsletter's editions, and finishes the opening of one that was cut off.

    What has been due for longer than `HELD`, with nobody at work on it, is left alone, and said to be.
    """
    now = context.now()
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
        since = frozen.at if identity in cut_off else await context.ledger.due_since(identity)
        if since is not None and now - since > HELD:
            if now - frozen.at < REMEMBERED[kind]:
                held = (
                    f"Held: the {kind} edition of {day} has something due since {since:%Y-%m-%d %H:%M} UTC, more than "
                    f"a day. To send it all the same, start a `{kind}` run with the date {day}."
                )
                say(held)
                done.append(Held(held))
            continue
        say(f"The {kind} edition of {day} has something due.")
        opened = identity not in cut_off
        delivered = await deliver(context, frozen, say, opened=opened, wait=dt.timedelta(0), stop=stop)
        done.append(delivered)
        if delivered.halted or (stop is not None and stop.is_set()):
            break
    return done


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


async def _open(context: Context, frozen: Frozen, say: Say, *, at_once: bool) -> None:
    edition = frozen.edition
    made = await context.ledger.open(
        frozen.id, edition.newsletter, edition.kind, edition.day, frozen.at, at_once=at_once
    )
    if made:
        say(f"{made} {'reader is' if made == 1 else 'readers are'} new to this edition.")
    await context.store.opened(frozen.id, context.now())


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
