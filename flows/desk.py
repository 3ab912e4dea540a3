"""What the command does outside of Prefect: the same stages, called directly."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email.policy
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Literal, TextIO

from flows import catalogue, stages
from flows.context import Context, Say, open_context
from flows.dispatch import deliver as dispatch
from flows.dispatch import reader_of
from flows.editions.choose import choose
from flows.editions.evaluate import Report, evaluate, read
from flows.editions.maths import text
from flows.editions.model import Interests, Kind, Newsletter, NoEdition
from flows.editions.topics import Classifier
from flows.mail.assemble import assemble
from flows.mail.cards import unpack
from flows.mail.transports import transport
from flows.outcomes import Problem
from flows.papers.model import paper_id
from flows.settings import load_settings
from flows.store import Frozen
from subscribers import roster
from subscribers.model import Frequency
from subscribers.store import Change
from subscribers.tokens import PREVIEW_READER

LINES = 1000
"""Lines of a CSV file that go into one transaction."""
BEST = 5
"""Topics that an explanation names."""


async def preview(newsletter: str, date: str, as_reader: str, out: Path, say: Say) -> str:
    """Writes an edition's digest into `out`, for a subscriber or for somebody who takes everything."""
    async with open_context(load_settings()) as context:
        wanted = context.newsletter(newsletter)
        day = context.day(wanted, date)
        interests, address, identity = Interests(), "reader@example.org", PREVIEW_READER
        if as_reader:
            found = await context.subscribers.by_address(as_reader, newsletter)
            if found is None:
                raise Problem(f"{as_reader} is not subscribed to {newsletter}: add them, or leave --as away.")
            interests, address, identity = found.interests, found.email, found.id
        await _collect_if_needed(context, wanted, day, say)
        kept = await context.store.find(newsletter, Kind.DAILY, day)
        edition = await stages.compose(context, wanted, Kind.DAILY, day)
        if isinstance(edition, NoEdition):
            raise Problem(f"{wanted.title} has no edition on {day}: {edition.reason}")
        digest = choose(edition, interests)
        if not digest.parts:
            return f"No mail for {as_reader} on {day}: {digest.reason}."
        frozen = isinstance(kept, Frozen)
        cards = unpack(kept.cards) if isinstance(kept, Frozen) else await stages.cards_of(context, edition, wanted)
        message = assemble(cards, digest, reader_of(context, edition, identity, address))
    await asyncio.to_thread(_write_out, out, message.content)
    return f"{wanted.title}, {day}, {digest.size} papers{'' if frozen else ' (a draft)'}: {out / 'digest.html'}"


def _write_out(out: Path, content: bytes) -> None:
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "digest.eml").write_bytes(content)
        for name, form in (("digest.html", "html"), ("digest.txt", "plain")):
            part = parsed.get_body((form,))
            shown = part.get_content().replace("\r\n", "\n") if part else ""
            (out / name).write_text(shown, "utf-8")
    except OSError as error:
        raise Problem(f"{out} can't be written ({error.strerror}): name another folder with --out.") from error


async def deliver(newsletter: str, date: str, wait: float, say: Say, *, all_hours: bool) -> str:
    """Delivers a day's edition; returns how the delivery stands."""
    settings = load_settings()
    # what is wrong with these two is told before anything is collected and frozen
    _ = transport(settings.mail_url.get_secret_value()), settings.keys
    async with open_context(settings) as context:
        wanted = context.newsletter(newsletter)
        day = context.day(wanted, date)
        await _collect_if_needed(context, wanted, day, say)
        frozen = await stages.freeze(context, wanted, Kind.DAILY, day)
        if isinstance(frozen, NoEdition):
            return f"No edition on {day}, so no mail: {frozen.reason}"
        with _stopping() as stop:
            delivered = await dispatch(
                context, frozen, say, at_once=all_hours, wait=dt.timedelta(seconds=wait), stop=stop
            )
    if delivered.halted:
        raise Problem(f"{delivered.halted} {delivered.sentence} Nobody was lost: run it again when it is mended.")
    if stop.is_set():
        raise Problem(f"Stopped before the end. {delivered.sentence} Run it again to go on where it stopped.")
    return delivered.sentence


@contextlib.contextmanager
def _stopping() -> Iterator[asyncio.Event]:
    """Set by Ctrl-C and SIGTERM: the delivery stops between two messages."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _collect_if_needed(context: Context, newsletter: Newsletter, day: dt.date, say: Say) -> None:
    """Collects the days that an edition may draw on, unless all were collected whole and their lists grow no more."""
    if isinstance(await context.store.find(newsletter.slug, Kind.DAILY, day), Frozen):
        return
    first = await context.store.first_day(newsletter, Kind.DAILY, day)
    went = await context.store.collections(first, day, newsletter.sources)
    # what arXiv was asked for another newsletter's categories says nothing of this one's
    whole = sum(not one.problem for one in went) if not newsletter.categories else 0
    wanted = ((day - first).days + 1) * len(newsletter.sources)
    if whole == wanted and day < context.now().date() - dt.timedelta(days=1):
        return
    await stages.collect(context, newsletter, Kind.DAILY, day, say)


async def add(row: Mapping[str, str | None], *, resubscribe: bool = False) -> str:
    """Adds or changes one subscription from the fields of a CSV line; None leaves a field as it is.

    Raises Problem for somebody who has unsubscribed, unless `resubscribe`.
    """
    async with open_context(load_settings()) as context:
        try:
            change = roster.change(row, _known(context))
        except ValueError as error:
            raise Problem(f"{error}.") from None
        columns = {**change.columns, "consent_at": context.now()}
        known = await context.subscribers.by_address(change.email, change.newsletter)
        if known is not None:
            columns = {name: value for name, value in columns.items() if not name.startswith("consent_")}
        change = Change(email=change.email, newsletter=change.newsletter, columns=columns)
        kept = await context.subscribers.keep([change], context.now(), resubscribe=resubscribe)
    if kept.refused:
        raise Problem(f"{change.email} has unsubscribed: if they want it back, add them with --resubscribe.")
    done = "added to" if kept.added else "changed on" if kept.changed else "already on"
    return f"{change.email} is {done} {change.newsletter}.{_weekly_note(_is_weekly(change))}"


def _is_weekly(change: Change) -> bool:
    return change.columns.get("frequency") is Frequency.WEEKLY


def _weekly_note(readers: int) -> str:
    """Nobody should wait for a mail that does not come."""
    if not readers:
        return ""
    who = "This reader waits" if readers == 1 else f"{readers} of them wait"
    return f" {who} for a weekly edition, which this version does not make: `daily` and `weekdays` bring mail."


def _known(context: Context) -> roster.Known:
    return roster.Known(newsletters=set(context.newsletters), topics={topic.slug for topic in context.topics})


async def list_subscribers(newsletter: str, show: Callable[[str], object]) -> None:
    """A line for each subscription, and their number."""
    number = 0
    async with open_context(load_settings()) as context:
        if newsletter:
            context.newsletter(newsletter)
        async for one in context.subscribers.walk(newsletter or None):
            number += 1
            topics = ", ".join(sorted(one.interests.topics)) or "all topics"
            hour = "" if one.hour is None else f", at {one.hour}:00 {one.zone}"
            show(f"{one.email}\t{one.newsletter}\t{one.state}\t{one.frequency}{hour}\t{topics}")
    show(f"{number} {'subscription' if number == 1 else 'subscriptions'}")


async def import_subscribers(
    file: Path, progress: Callable[[str], None], report: Callable[[str], object], *, resubscribe: bool
) -> tuple[str, int]:
    """Imports a CSV file in transactions of `LINES` lines, so that memory does not grow with it; reports every line
    that was left out. Returns what was done, and the number of bad lines."""
    added = changed = unchanged = bad = weekly = 0
    async with open_context(load_settings()) as context:
        with _opened(file, "r") as opened:
            lines = roster.read(opened, _known(context))
            while chunk := list(islice(lines, LINES)):
                for line in chunk:
                    if isinstance(line, roster.BadLine):
                        bad += 1
                        report(f"Line {line.number} was left out: {line.reason}.")
                kept = await context.subscribers.keep(
                    [line for line in chunk if isinstance(line, Change)], context.now(), resubscribe=resubscribe
                )
                for address in kept.refused:
                    report(f"{address} has unsubscribed and stays so: --resubscribe would bring them back.")
                weekly += sum(isinstance(line, Change) and _is_weekly(line) for line in chunk)
                added, changed = added + kept.added, changed + kept.changed
                unchanged += kept.unchanged + len(kept.refused)
                progress(f"Importing… {added + changed + unchanged:,} subscriptions")
    said = f"{added} added, {changed} changed, {unchanged} unchanged, {bad} lines left out."
    return said + _weekly_note(weekly), bad


async def export_subscribers(file: Path, newsletter: str) -> str:
    number = 0
    async with open_context(load_settings()) as context:
        if newsletter:
            context.newsletter(newsletter)
        with _opened(file, "w") as opened:
            write = roster.write(opened)
            async for one in context.subscribers.walk(newsletter or None):
                write(one)
                number += 1
    return f"{number} {'subscription' if number == 1 else 'subscriptions'} written."


@contextlib.contextmanager
def _opened(file: Path, mode: Literal["r", "w"]) -> Iterator[TextIO]:
    standard = str(file) == "-"
    place: Path | int = (0 if mode == "r" else 1) if standard else file
    try:
        opened = open(place, mode, encoding="utf-8", errors="replace", newline="", closefd=not standard)  # noqa: SIM115
    except OSError as error:
        raise Problem(
            f"{file} can't be {'read' if mode == 'r' else 'written'} ({error.strerror}): name another file."
        ) from error
    with opened:
        yield opened


async def explain(wanted: str) -> str:
    """Why a paper has its topic, in lines: the topic, the one that nearly won, the reasons, the best scores."""
    try:
        identity = paper_id(wanted)
    except ValueError as error:
        raise Problem(f"{error}.") from None
    async with open_context(load_settings()) as context:
        paper = await context.store.paper(identity)
        if paper is None:
            raise Problem(
                f"The paper {identity} is not stored: collect its day first, "
                "with `paperround preview --date DAY --out DIR`."
            )
        names = {topic.slug: topic.name for topic in context.topics}
        found, scores = context.classifier.classify(paper), context.classifier.scores(paper)
    best = list(scores.items())[:BEST]
    width = max(len(slug) for slug, _ in best) if best else 0
    return "\n".join(
        [
            f"{paper.id}  {text(paper.title)}",
            f"Topic      {found.topic} ({names[found.topic]})",
            f"Runner-up  {f'{found.second} ({names[found.second]})' if found.second else 'none came near'}",
            f"Because    {'; '.join(found.because)}",
            "Scores     " + "\n           ".join(f"{slug:<{width}}  {score:.2f}" for slug, score in best),
        ]
    )


def evaluate_topics(file: Path, *, as_json: bool) -> str:
    """How well the papers of a JSON Lines file are grouped, in lines or as JSON."""
    topics = catalogue.topics(load_settings().topics_dir)
    with _opened(file, "r") as opened:
        examples = read(opened, {topic.slug for topic in topics})
    report = evaluate(Classifier(topics), examples)
    return _as_json(report) if as_json else _as_lines(report)


def _as_json(report: Report) -> str:
    shares = {"exact": report.exact, "acceptable": report.acceptable, "macro_f1": report.macro_f1}
    whole = {
        "papers": report.papers,
        **{name: share.value for name, share in shares.items()},
        "intervals": {name: [share.low, share.high] for name, share in shares.items()},
        "topics": [asdict(topic) for topic in report.topics],
        "confusions": [asdict(confusion) for confusion in report.confusions],
    }
    return json.dumps(whole, indent=2)


def _as_lines(report: Report) -> str:
    shares = (("exact", report.exact), ("acceptable", report.acceptable), ("macro-F1", report.macro_f1))
    lines = [f"{report.papers} labelled, with 95 % confidence"]
    lines += [f"  {name:<10}  {share.value:.3f}  ({share.low:.3f} to {share.high:.3f})" for name, share in shares]
    width = max(len(topic.topic) for topic in report.topics)
    lines += ["", f"{'topic':<{width}}  papers  precision  recall     F1"]
    lines += [
        f"{topic.topic:<{width}}  {topic.papers:>6}  {topic.precision:>9.3f}  {topic.recall:>6.3f}  {topic.f1:>5.3f}"
        for topic in report.topics
    ]
    if report.confusions:
        lines += ["", "Confused: how often, label → given"]
        lines += [f"{one.count:>4}  {one.label} → {one.given}" for one in report.confusions]
    return "\n".join(lines)
