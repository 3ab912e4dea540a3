"""What the command does with the list of who is never mailed: in and out as CSV, lifted in bulk, domains."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

from flows.commands.subscribers import opened, shown
from flows.config.settings import load_settings
from flows.context import open_context, read_day
from flows.outcomes import Problem
from subscribers.model import Suppressed
from subscribers.people import csv_text
from subscribers.people.rows import ALLOWED, BLOCKED
from subscribers.people.suppression_file import COLUMNS, READ, read_line, written

AT_ONCE = 1000
_DOMAIN = re.compile(r"(?=.{3,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")

Say = Callable[[str], object]


async def take_out(file: Path, *, hashed: bool) -> str:
    """Writes the list; says how long it is."""
    count = 0
    async with open_context(load_settings()) as context:
        with opened(file, "w", encoding=csv_text.EXCEL) as out:
            rows = csv.writer(out, lineterminator="\n")
            rows.writerow(COLUMNS)
            async for one in context.subscribers.suppressions():
                rows.writerow(written(one.address, one.key, one.reason, one.at, hashed=hashed))
                count += 1
    return f"{count:,} {'suppression' if count == 1 else 'suppressions'} written."


async def bring_in(file: Path, say: Say, *, check: bool = False) -> tuple[str, int]:
    """Suppresses what a list names; says what became of it, and how many lines were bad. With `check` nothing is
    changed."""
    async with open_context(load_settings()) as context:
        key, now = context.settings.hashing_key, context.now()
        fresh = bad = 0
        some: dict[str, Suppressed] = {}
        with csv_text.opened(file, say) as lines:
            table = csv_text.Table(lines)
            header = [name.strip().lower() for name in table.header]
            if not set(READ).intersection(header) - {"reason", "at"}:
                raise Problem(f"{file} names no column of {', '.join(READ[:4])} in its first line.")
            for number, row in table:
                try:
                    kept, reason = read_line(_line(header, row), key)
                except ValueError as error:
                    bad += 1
                    say(f"Line {number}: {shown(str(error))}.")
                    continue
                some[kept] = reason
                if len(some) >= AT_ONCE:
                    fresh += await context.subscribers.adopt(some, now, check=check)
                    some = {}
        fresh += await context.subscribers.adopt(some, now, check=check)
        stopped = 0 if check else await context.subscribers.apply()
    new = "1 new suppression" if fresh == 1 else f"{fresh:,} new suppressions"
    ours = "1 subscriber of ours gets" if stopped == 1 else f"{stopped:,} subscribers of ours get"
    missed = f" {bad:,} {'line' if bad == 1 else 'lines'} could not be read." if bad else ""
    if check:
        return f"{new} would be made.{missed} Nothing was changed: this was a check.", bad
    return f"{new}; {ours} no more mail.{missed}", bad


def _line(header: list[str], row: list[str] | csv.Error) -> dict[str, str]:
    if isinstance(row, csv.Error):
        raise ValueError(f"it can't be read ({row})")
    return dict(zip(header, row, strict=False))


async def lift_all(reason: str, domain: str, since: str, *, dry_run: bool = False) -> str:
    """Ends all suppressions for a reason, or says with `dry_run` how many they are."""
    try:
        why = Suppressed(reason.replace("-", " "))
    except ValueError:
        why = Suppressed.ERASED
    if why in (Suppressed.ERASED, Suppressed.BLOCKED):
        raise Problem(
            f"--reason {reason[:40]!r} can't be lifted: use hard-bounce, soft-bounces, complaint or operator."
        )
    async with open_context(load_settings()) as context:
        now = context.now()
        from_day = read_day(since, now.date()) if since else None
        began = dt.datetime.combine(from_day, dt.time(), dt.UTC) if from_day else None
        count = await context.subscribers.lift_all(why, now, at=domain, since=began, check=dry_run)
    are = "1 address is" if count == 1 else f"{count:,} addresses are"
    if dry_run:
        return f"{are} suppressed so. Nothing was changed."
    return f"{are} mailed again: what came back until now counts no more."


async def rule(domain: str, rule: str) -> str:
    """Blocks or allows a domain, or forgets it."""
    name = domain.strip().lower().removeprefix("@")
    if not _DOMAIN.fullmatch(name):
        raise Problem(f"{domain[:60]!r} is no domain: write it as example.org, one beyond ASCII as xn--….")
    async with open_context(load_settings()) as context:
        count = await context.subscribers.rule(name, rule, context.now())
    people = "1 subscriber" if count == 1 else f"{count:,} subscribers"
    if rule == BLOCKED:
        return f"Nobody at {name} or below it is mailed any more or can sign up: {people} until now."
    again = f" {people} {'is' if count == 1 else 'are'} mailed again." if count else ""
    if rule == ALLOWED:
        return f"{name} is allowed: its addresses may sign up, and its hard bounces wait for you.{again}"
    return f"{name} is like any other domain.{again}"


async def rules(say: Say) -> None:
    async with open_context(load_settings()) as context:
        found = await context.subscribers.rules()
    for name, what in found:
        say(f"{what}  {name}")
    if not found:
        say("No domain is blocked or allowed.")
