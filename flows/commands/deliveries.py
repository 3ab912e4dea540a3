"""What the command `deliveries` does: shows who got an edition, and decides what is uncertain."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from flows.commands.subscribers import lifting_done, opened, shown
from flows.config.settings import load_settings
from flows.context import Context, open_context, report_link
from flows.delivery.run import held_sentence
from flows.editions.model import Edition, Kind, NoEdition
from flows.outcomes import Problem
from flows.storage.editions import Frozen
from subscribers.ledger.report import STATES, DeliveryLine, Summary
from subscribers.model import DeliveryState
from subscribers.text import cell

COLUMNS = ("email", "state", "attempts", "code", "words", "first_attempt", "last_change", "due", "came_back")
TITLES = ("email", "state", "attempts", "code", "first attempt", "last change", "next attempt", "words")
"""Of the lines for people: the words, of any length, stand last."""
WIDEST = 64
"""An address that is longer moves the rest of its line."""
ANSWERS = 3
"""Different answers that the summary shows of a state."""
STANDARD = Path("-")

Say = Callable[[str], object]


async def show(edition: str, state: str, say: Say, *, kind: Kind, as_csv: bool = False, as_json: bool = False) -> None:
    """Writes who got an edition to standard output, in lines, as CSV or as one JSON object; `say` gets what does not
    belong there.

    Read in pages, and written as it is read: memory does not grow with the edition.
    """
    wanted = _state(state)
    async with open_context(load_settings()) as context:
        frozen = await _delivered(context, edition, kind)
        summary = await context.report.summary(frozen.id, ANSWERS)
        nobody = "" if summary.total else await _nobody(context, frozen)
        with opened(STANDARD, "w") as out:
            write = _table(out) if as_csv else _objects(out, summary) if as_json else _lines(out)
            if held := await held_sentence(context, frozen):
                say(held)
            if nobody and (as_csv or as_json):
                say(nobody)
            elif not (as_csv or as_json):
                out.write(nobody + "\n" if nobody else _told(context, frozen.edition, edition, summary))
            async for page in context.report.walk(frozen.id, state=wanted):
                write(page)
            if as_json:
                out.write("\n]}\n")


def _state(written: str) -> DeliveryState | None:
    if written and written not in tuple(DeliveryState):
        raise Problem(f"There is no state {written[:40]!r}: use one of {', '.join(STATES)}.")
    return DeliveryState(written) if written else None


async def _delivered(context: Context, written: str, kind: Kind) -> Frozen:
    """The edition that is meant, which has been frozen for its delivery. Raises Problem where there is none."""
    slug, slash, date = written.partition("/")
    if not slash:
        raise Problem(f"--edition {written[:40]!r} names no edition: write it as daily/2026-06-09.")
    newsletter = context.newsletter(slug)
    day = context.day(newsletter, date)
    kept = await context.store.find(slug, kind, day)
    if isinstance(kept, Frozen):
        return kept
    named = f"{newsletter.title} has no {kind} edition of {day}"
    deliver = f"`{_deliver(slug, kind, day)}`"
    if isinstance(kept, NoEdition):
        raise Problem(f"{named}, so nobody got one: {kept.reason}")
    if kept is not None:
        raise Problem(f"The {kind} edition of {day} is a draft and nobody has got it: {deliver} delivers it.")
    raise Problem(f"{named}: choose another date, or make and deliver it with {deliver}.")


def _deliver(slug: str, kind: Kind, day: dt.date) -> str:
    return f"paperround deliver --newsletter {slug} --date {day}{_weekly(kind)}"


async def _nobody(context: Context, frozen: Frozen) -> str:
    """Why an edition has no deliveries."""
    edition = frozen.edition
    if frozen.id in await context.store.unopened(edition.newsletter, frozen.at):
        again = _deliver(edition.newsletter, edition.kind, edition.day)
        return f"{_heading(context, edition)} is made and its delivery has not begun: `{again}` goes on with it."
    return f"{_heading(context, edition)} was delivered to nobody: it had no readers."


def _heading(context: Context, edition: Edition) -> str:
    title = context.newsletter(edition.newsletter).title
    return f"{title}, {'week to ' if edition.kind is Kind.WEEKLY else ''}{edition.day}"


def _told(context: Context, edition: Edition, written: str, summary: Summary) -> str:
    """The summary by state, which adds up to all that was ever made for the edition."""
    width = len(f"{summary.total:,}")
    lines = [f"{_heading(context, edition)}: {_number(summary.total)} (times are UTC)"]
    for state, count in summary.counts.items():
        lines.append(f"  {state:<9}  {count:>{width},}")
        if answers := summary.answers.get(state):
            lines += [f"  {'':9}  {count:>{width},}  {shown(words)}" for words, count in answers.frequent if words]
            lines += [f"  {'':9}  {answers.others:>{width},}  in other words"] if answers.others else []
    if summary.held:
        again = f"paperround deliveries --edition {written}{_weekly(edition.kind)} --state {DeliveryState.UNCERTAIN}"
        lines += [
            "",
            f"{_number(summary.held)} {'is' if summary.held == 1 else 'are'} uncertain and held for you: nobody knows "
            "whether the mail server had taken the message.",
            f"Send again: `{again} --resend`. Count as sent: `{again} --settle`.",
        ]
    if summary.counts.get(DeliveryState.REJECTED):
        again = f"paperround deliveries --edition {written}{_weekly(edition.kind)} --state {DeliveryState.REJECTED}"
        lines += [] if summary.held else [""]
        lines += [f"Where the mail server was wrong, `{again} --resend` sends again what it rejected."]
    return "\n".join(lines) + "\n\n"


def _number(count: int) -> str:
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"


def _table(out: TextIO) -> Callable[[Sequence[DeliveryLine]], None]:
    """Writes CSV with times in UTC. An empty `due` means now where the delivery is pending, and held for the operator
    where it is uncertain."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    return lambda page: rows.writerows(
        (
            cell(one.email),
            one.state,
            one.attempts,
            "" if one.code is None else one.code,
            cell(one.words),
            _exact(one.first_at),
            _exact(one.changed_at),
            _exact(one.due_at),
            one.came_back,
        )
        for one in page
    )


def _objects(out: TextIO, summary: Summary) -> Callable[[Sequence[DeliveryLine]], None]:
    """Writes an object up to its end: how many are in each state, and each delivery, a line each."""
    counts = {state.value: count for state, count in summary.counts.items()}
    out.write(f'{{"states": {json.dumps(counts)}, "held": {summary.held}, "deliveries": [')
    begun = False

    def write(page: Sequence[DeliveryLine]) -> None:
        nonlocal begun
        for one in page:
            values = (one.email or None, one.state.value, one.attempts, one.code, one.words)
            times = (_exact(moment) or None for moment in (one.first_at, one.changed_at, one.due_at))
            row = dict(zip(COLUMNS, (*values, *times, one.came_back or None), strict=True))
            out.write((",\n" if begun else "\n") + json.dumps(row, ensure_ascii=False))
            begun = True

    return write


def _exact(moment: dt.datetime | None) -> str:
    return moment.isoformat(timespec="milliseconds") if moment else ""


def _lines(out: TextIO) -> Callable[[Sequence[DeliveryLine]], None]:
    """Writes aligned lines, the first one with the columns' names; times are UTC. A column grows with its pages."""
    widths = [len(title) for title in TITLES]
    widths[1] = max(map(len, STATES))
    widths[4:7] = [len("2026-06-09 07:30")] * 3
    begun = False

    def write(page: Sequence[DeliveryLine]) -> None:
        nonlocal begun
        widths[0] = min(max(widths[0], *(len(one.email or ERASED) for one in page)), WIDEST)
        if not begun:
            out.write(_line(TITLES, widths))
            begun = True
        out.writelines(_line(cells, widths) for cells in map(_cells, page))

    return write


ERASED = "(erased)"


def _cells(one: DeliveryLine) -> tuple[str, ...]:
    waits = "held for you" if one.held else "at once" if one.at_once else _minute(one.due_at)
    code = "" if one.code is None else str(one.code)
    times = (_minute(one.first_at), _minute(one.changed_at), waits)
    words = " ".join(filter(None, (one.words, one.came_back and f"[came back: {one.came_back}]")))
    return (shown(one.email) or ERASED, one.state, str(one.attempts), code, *times, shown(words))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n"


def _minute(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


async def link(edition: str, *, kind: Kind) -> str:
    """A link to the page that shows the same, to whoever logs in there."""
    async with open_context(load_settings()) as context:
        found = (await _delivered(context, edition, kind)).edition
        return report_link(context, found.newsletter, found.kind, found.day)


async def resend(edition: str, state: str, *, kind: Kind, domain: str = "", dry_run: bool = False) -> str:
    """Makes due what is uncertain and held, or what was rejected, to be sent again under the same Message-ID; says how
    many that were. A dry run only counts them."""
    wanted = _state(state)
    if wanted not in (DeliveryState.UNCERTAIN, DeliveryState.REJECTED):
        raise Problem("--resend is about uncertain or rejected deliveries: say --state uncertain or --state rejected.")
    rejected = wanted is DeliveryState.REJECTED
    async with open_context(load_settings()) as context:
        frozen = await _delivered(context, edition, kind)
        found = await context.held.count(frozen.id, rejected=rejected, domain=domain)
        if dry_run:
            return f"{_number(found)} would be due again; nothing was changed."
        done = await context.held.resend(frozen.id, context.now(), rejected=rejected, domain=domain)
    if not found:
        return _none_rejected(frozen.edition, domain) if rejected else _none_held(frozen.edition)
    said = (
        f"{_number(done)} {'is' if done == 1 else 'are'} due again, under the same Message-ID: "
        f"`{_deliver(frozen.edition.newsletter, kind, frozen.edition.day)}` sends now, `deliver-due` within a quarter "
        "of an hour."
    )
    if found > done:
        said += f" {_number(found - done)} lie among others that are being sent now: say it again in a minute."
    if rejected:
        said += (
            " Who was suppressed for it gets it only after `paperround subscribers suppress --lift --edition "
            f"{frozen.edition.newsletter}/{frozen.edition.day}{_weekly(kind)}`."
        )
    return said


async def lift(edition: str, *, kind: Kind) -> str:
    """Allows those to be mailed again whom an edition suppressed, since a mail server refused them."""
    async with open_context(load_settings()) as context:
        frozen = await _delivered(context, edition, kind)
        lifted = await context.subscribers.lift_edition(frozen.id, frozen.at, context.now())
    again = f"paperround deliveries --edition {edition}{_weekly(kind)} --state rejected --resend"
    return f"{lifting_done(lifted)} `{again}` sends them this edition." if lifted else lifting_done(0)


def _weekly(kind: Kind) -> str:
    return " --weekly" if kind is Kind.WEEKLY else ""


async def settle(edition: str, state: str, *, kind: Kind, dry_run: bool = False) -> str:
    """Counts as sent what is uncertain and held; says how many that were. A dry run only counts them."""
    _is_uncertain(state, "--settle")
    async with open_context(load_settings()) as context:
        frozen = await _delivered(context, edition, kind)
        if dry_run:
            found = await context.held.count(frozen.id, rejected=False, domain="")
            return f"{_number(found)} would count as sent; nothing was changed."
        done = await context.held.settle(frozen.id, context.now())
    if not done:
        return _none_held(frozen.edition)
    return f"{_number(done)} {'counts' if done == 1 else 'count'} as sent from now on, by your decision."


def _is_uncertain(state: str, option: str) -> None:
    if _state(state) is not DeliveryState.UNCERTAIN:
        raise Problem(f"{option} decides about uncertain deliveries alone: say --state uncertain with it.")


def _none_rejected(edition: Edition, domain: str) -> str:
    whom = f" to {shown(domain[:60])}" if domain else ""
    return f"No delivery of the {edition.kind} edition of {edition.day}{whom} was rejected: nothing was changed."


def _none_held(edition: Edition) -> str:
    return f"No delivery of the {edition.kind} edition of {edition.day} is held for you: nothing was changed."
