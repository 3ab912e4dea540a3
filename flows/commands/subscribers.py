"""What the command does with subscribers: add, list, import, export, suppress, forget."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Literal, TextIO

from flows.config.settings import load_settings
from flows.context import Context, open_context, read_day
from flows.editions.model import EVERY
from flows.outcomes import Problem
from subscribers.model import Subscription, SubscriptionState, Suppressed
from subscribers.people import csv_file, csv_text
from subscribers.people.rows import address_key, beginning
from subscribers.people.store import Change, RefusedChange

LINES = 1000
"""Lines of a CSV file that go into one transaction."""
NO_REASON = (Suppressed.ERASED, Suppressed.BLOCKED)
"""Erasing and blocking a domain are done otherwise."""
SUPPRESSED = "suppressed"
"""Stands beside the states of subscriptions where they are listed."""


async def add(row: Mapping[str, str | None], *, resubscribe: bool = False) -> str:
    """Adds or changes one subscription from the fields of a CSV line; None leaves a field as it is. Says what became
    of it.

    Raises Problem for somebody who has unsubscribed, unless `resubscribe`, and for a suppressed address.
    """
    async with open_context(load_settings()) as context:
        email = _address(row.get("email") or "")
        try:
            change = csv_file.change(row, _known(context))
        except ValueError as error:
            raise Problem(f"{error}.") from None
        columns = {**change.columns, "consent_at": context.now()}
        before = await context.subscribers.by_address(email, change.newsletter)
        if before is not None and before.state is not SubscriptionState.UNSUBSCRIBED:
            # what a reader has consented to and a pause of theirs stay
            columns = {name: value for name, value in columns.items() if not name.startswith("consent_")}
            if before.state is SubscriptionState.PAUSED:
                columns.pop("state", None)
        change = Change(email=email, newsletter=change.newsletter, columns=columns)
        kept = await context.subscribers.keep([change], context.now(), resubscribe=resubscribe)
        for refused in kept.refused:
            raise Problem(f"{email} {_why(refused)}.")
        after = await context.subscribers.by_address(email, change.newsletter)
    done = "added to" if kept.added else "changed on" if kept.changed else "already on"
    return f"{email} is {done} {change.newsletter}: {', '.join(_told(after)) if after else 'and gone again'}."


def _address(text: str) -> str:
    """Raises Problem, which names what was given: it is for the eyes of who gave it."""
    try:
        return csv_file.address(text)
    except ValueError as error:
        raise Problem(f"{str(error).replace('email', f'email {text[:60]!r}', 1)}.") from None


def _why(refused: RefusedChange) -> str:
    """What follows the words for an address."""
    match refused.because:
        case None:
            return "has unsubscribed and stays so: if they want it back, say --resubscribe"
        case Suppressed.ERASED:
            return "had everything erased: they themselves can sign up again, nobody else should"
        case reason:
            return f"is never mailed again ({reason}): `paperround subscribers suppress --lift ADDRESS` would allow it"


def _told(one: Subscription) -> list[str]:
    """What a subscription is, in words."""
    interests = one.interests
    if EVERY in interests.muted:
        topics = "only what is followed"
    elif interests.muted:
        topics = f"all topics but {', '.join(sorted(interests.muted))}"
    else:
        topics = ", ".join(sorted(interests.topics)) or "all topics"
    found = [
        f"{SUPPRESSED} ({one.suppressed})" if one.suppressed else csv_file.state_of(one),
        csv_file.frequency_of(one) + ("" if one.hour is None else f" at {one.hour}:00 {one.zone}"),
        topics,
        *([f"keywords {', '.join(interests.keywords)}"] if interests.keywords else []),
        *([f"authors {', '.join(interests.authors)}"] if interests.authors else []),
        *([f"leaving out {', '.join(interests.leave_out)}"] if interests.leave_out else []),
    ]
    return [shown(part) for part in found]


def shown(text: str) -> str:
    """A stranger's words without what would move a terminal's cursor, or turn the direction of what follows."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", " ", text)


def _known(context: Context) -> csv_file.Known:
    return csv_file.Known(
        newsletters=set(context.newsletters),
        topics={topic.slug for topic in context.topics},
        beginnings={slug: beginning(newsletter) for slug, newsletter in context.newsletters.items()},
    )


async def show(newsletter: str, state: str, line: Callable[[str], object], *, as_json: bool = False) -> None:
    """A line for each subscription, of one newsletter or state if named, and their number; or a list of objects whose
    fields are the columns of a CSV file."""
    states = (*SubscriptionState, SUPPRESSED)
    if state and state not in states:
        raise Problem(f"There is no state {state[:40]!r}: use one of {', '.join(states)}.")
    number = 0
    async with open_context(load_settings()) as context:
        if newsletter:
            context.newsletter(newsletter)
        async for one in context.subscribers.walk(newsletter or None):
            if state and state != (SUPPRESSED if one.suppressed else one.state):
                continue
            number += 1
            if as_json:
                line(("[" if number == 1 else ",") + json.dumps(_object(one), ensure_ascii=False))
            else:
                line("\t".join((one.email, one.newsletter, *_told(one))))
    if as_json:
        line("]" if number else "[]")
    else:
        line(f"{number} {'subscription' if number == 1 else 'subscriptions'}")


def _object(one: Subscription) -> Mapping[str, object]:
    return {
        "email": one.email,
        "newsletter": one.newsletter,
        "topics": csv_file.topics_of(one),
        "keywords": list(one.interests.keywords),
        "authors": list(one.interests.authors),
        "leave_out": list(one.interests.leave_out),
        "frequency": csv_file.frequency_of(one),
        "hour": one.hour,
        "zone": one.zone,
        "language": one.language,
        "state": csv_file.state_of(one),
        "suppressed": one.suppressed,
        "tags": list(one.tags),
        "consent_at": one.consent_at.isoformat() if one.consent_at else None,
        "consent_source": one.consent_source,
    }


@dataclass(slots=True)
class _Import:
    """What became of a file's lines."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    bad: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    never: dict[str, Suppressed] = field(default_factory=dict)

    def sentence(self, *, check: bool) -> str:
        would = "would be " if check else ""
        said = [f"{self.added} {would}added", f"{self.changed} changed", f"{self.unchanged} unchanged"]
        said += [f"{self.refused} refused"] if self.refused else []
        said += [f"{number} left out who {because}" for because, number in sorted(self.left_out.items())]
        reasons = Counter(self.never.values())
        said += [f"{number} never to be mailed ({because})" for because, number in sorted(reasons.items())]
        bad = f"{self.bad} {'line' if self.bad == 1 else 'lines'} left out."
        return f"{', '.join(said)}, {bad}{' Nothing was changed: this was a check.' if check else ''}"


async def bring_in(
    file: Path,
    progress: Callable[[str], None],
    report: Callable[[str], object],
    *,
    newsletter: str = csv_file.DEFAULT_NEWSLETTER,
    columns: Mapping[str, str] | None = None,
    resubscribe: bool = False,
    check: bool = False,
) -> tuple[str, int]:
    """Imports a CSV file in transactions of `LINES` lines, so that memory does not grow with it; reports every line
    that was left out. With `check` nothing is changed. Returns what was done, and the number of bad lines."""
    done = _Import()
    async with open_context(load_settings()) as context:
        context.newsletter(newsletter)
        with csv_text.opened(file, report) as source:
            lines = csv_file.read(source, replace(_known(context), default=newsletter), report, columns)
            while chunk := list(islice(lines, LINES)):
                changes = [line for line in chunk if isinstance(line, Change)]
                for line in chunk:
                    match line:
                        case csv_file.BadLine():
                            done.bad += 1
                            report(f"Line {line.number} was left out: {line.reason}.")
                        case csv_file.LeftOut():
                            done.left_out[line.because] += 1
                        case csv_file.Never():
                            done.never[address_key(line.email, context.settings.hashing_key)] = line.because
                kept = await context.subscribers.keep(changes, context.now(), resubscribe=resubscribe, check=check)
                for one in kept.refused:
                    report(f"Line {one.line} was refused: its address {_why(one)}.")
                done.refused += len(kept.refused)
                done.added, done.changed = done.added + kept.added, done.changed + kept.changed
                done.unchanged += kept.unchanged
                progress(f"Importing… {done.added + done.changed + done.unchanged:,} subscriptions")
        if done.never and not check:
            await context.subscribers.adopt(done.never, context.now())
            await context.subscribers.apply()
    return done.sentence(check=check), done.bad


async def take_out(file: Path, newsletter: str) -> str:
    """Exports all subscriptions, or those of one newsletter, as CSV."""
    number = 0
    async with open_context(load_settings()) as context:
        if newsletter:
            context.newsletter(newsletter)
        with opened(file, "w", encoding=csv_text.EXCEL) as target:
            write = csv_file.write(target)
            async for one in context.subscribers.walk(newsletter or None):
                write(one)
                number += 1
    return f"{number} {'subscription' if number == 1 else 'subscriptions'} written."


async def suppress(email: str, reason: str) -> str:
    """Never mails an address again, whether it is subscribed or not."""
    reasons = {one.replace(" ", "-"): one for one in Suppressed if one not in NO_REASON}
    if reason not in reasons:
        raise Problem(f"There is no reason {reason[:40]!r}: use one of {', '.join(reasons)}.")
    address = _address(email)
    async with open_context(load_settings()) as context:
        await context.subscribers.suppress(address, reasons[reason], context.now())
    return f"{address} is never mailed again ({reasons[reason]}), until you say `suppress --lift`."


async def lift(email: str) -> str:
    """Ends the suppression of an address."""
    address = _address(email)
    async with open_context(load_settings()) as context:
        lifted = await context.subscribers.lift(address, context.now())
    if not lifted:
        return f"{address} was not suppressed."
    return f"{address} may be mailed again. Who had unsubscribed stays so."


async def lift_day(date: str) -> str:
    """Ends the suppressions that mail servers' refusals made on a day, in UTC."""
    async with open_context(load_settings()) as context:
        begin = dt.datetime.combine(read_day(date, context.now().date()), dt.time(), dt.UTC)
        lifted = await context.subscribers.lift_time(begin, begin + dt.timedelta(days=1), context.now())
    return lifting_done(lifted)


def lifting_done(lifted: int) -> str:
    """What lifting many came to."""
    if not lifted:
        return "Nobody was suppressed then for what a mail server said: nothing was changed."
    whom = "1 address" if lifted == 1 else f"{lifted:,} addresses"
    return f"{whom} may be mailed again. Who had unsubscribed or complained stays so."


async def forget(email: str, agreed: Callable[[str], bool]) -> str:
    """Erases everything about an address, once `agreed` says yes to the question."""
    address = _address(email)
    async with open_context(load_settings()) as context:
        found = [slug for slug in context.newsletters if await context.subscribers.by_address(address, slug)]
        if not agreed(f"Erase everything about {address} ({_subscribed(found)})? It can't be undone."):
            return "Nothing was erased."
        erased = await context.subscribers.forget(address, context.now())
    if not erased:
        return f"Nothing was known about {address}."
    return f"Everything about {address} is erased, and no list brings it back: only they themselves can sign up again."


def _subscribed(newsletters: list[str]) -> str:
    return f"subscribed to {', '.join(newsletters)}" if newsletters else "not subscribed to anything"


@contextlib.contextmanager
def opened(file: Path, mode: Literal["r", "w"], encoding: str = "utf-8") -> Iterator[TextIO]:
    """A file, or standard input or output for `-`, which is UTF-8 in any case. Raises Problem."""
    standard = str(file) == "-"
    place: Path | int = (0 if mode == "r" else 1) if standard else file
    encoding = "utf-8" if standard else encoding
    try:
        found = open(place, mode, encoding=encoding, errors="replace", newline="", closefd=not standard)  # noqa: SIM115
    except OSError as error:
        raise Problem(
            f"{file} can't be {'read' if mode == 'r' else 'written'} ({error.strerror}): name another file."
        ) from error
    with found:
        yield found
