"""What the command does outside of Prefect: the same stages, called directly."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.policy
import json
import signal
from dataclasses import dataclass, field
from pathlib import Path

from flows import pipeline
from flows.config.settings import load_settings
from flows.context import Context, Say, open_context
from flows.delivery.messages import reader_of
from flows.delivery.run import deliver as dispatch
from flows.delivery.run import work
from flows.editions.choose import choose
from flows.editions.model import Edition, Interests, Kind, Newsletter, NoEdition
from flows.incoming.handle import read_returns
from flows.mail.assemble import assemble
from flows.mail.cards import unpack
from flows.outcomes import Problem, Verdict
from flows.process import stopping
from flows.sending.transports import transport
from flows.storage.editions import Frozen
from subscribers.tokens import PREVIEW_READER

BEST = 5
"""Topics that an explanation names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Onlooker:
    """Who a preview is for: a subscriber, or somebody who takes everything."""

    interests: Interests = field(default_factory=Interests)
    address: str = "reader@example.org"
    identity: int = PREVIEW_READER


async def onlooker(context: Context, newsletter: str, as_reader: str) -> Onlooker:
    """The subscriber of that address, or somebody who takes everything. Raises Problem for who is not subscribed."""
    if not as_reader:
        return Onlooker()
    found = await context.subscribers.by_address(as_reader, newsletter)
    if found is None:
        raise Problem(f"{as_reader} is not subscribed to {newsletter}: add them, or leave --as away.")
    return Onlooker(interests=found.interests, address=found.email, identity=found.id)


async def edition_of(context: Context, newsletter: Newsletter, kind: Kind, day: dt.date, say: Say) -> Edition:
    """The edition of a day, its papers collected if need be; none is stored. Raises Problem where there is none."""
    await _collect_if_needed(context, newsletter, kind, day, say)
    edition = await pipeline.compose(context, newsletter, kind, day)
    if isinstance(edition, NoEdition):
        raise Problem(f"{newsletter.title} has no {_edition(kind)} on {day}: {edition.reason}")
    return edition


async def preview(
    newsletter: str,
    date: str,
    as_reader: str,
    out: Path,
    say: Say,
    *,
    kind: Kind = Kind.DAILY,
    as_json: bool = False,
) -> str:
    """Writes an edition's digest into `out`, for a subscriber or for somebody who takes everything; says what it is, in
    a line or as JSON."""
    async with open_context(load_settings()) as context:
        wanted = context.newsletter(newsletter, kind)
        day = context.day(wanted, date)
        to = await onlooker(context, newsletter, as_reader)
        edition = await edition_of(context, wanted, kind, day, say)
        digest = choose(edition, to.interests)
        told: dict[str, object] = {"newsletter": newsletter, "kind": kind.value, "day": str(day)}
        if not digest.parts and as_json:
            return json.dumps(told | {"papers": [], "reason": digest.reason}, ensure_ascii=False, indent=2)
        if not digest.parts:
            return f"No mail for {as_reader} on {day}: {digest.reason}."
        kept = await context.store.find(newsletter, kind, day)
        frozen = isinstance(kept, Frozen)
        cards = unpack(kept.cards) if isinstance(kept, Frozen) else await pipeline.cards_of(context, edition, wanted)
        message = assemble(cards, digest, reader_of(context, edition, to.identity, to.address))
    await asyncio.to_thread(_write_out, out, message.content)
    if as_json:
        papers = [paper for part in digest.parts for paper in part.papers]
        subject = email.message_from_bytes(message.content, policy=email.policy.default)["Subject"]
        told |= {"draft": not frozen, "subject": str(subject), "bytes": len(message.content), "papers": papers}
        files = {form: str(out / f"digest.{form}") for form in ("html", "txt", "eml")}
        return json.dumps(told | {"files": files}, ensure_ascii=False, indent=2)
    when = f"week to {day}" if kind is Kind.WEEKLY else str(day)
    return f"{wanted.title}, {when}, {digest.size} papers{'' if frozen else ' (a draft)'}: {out / 'digest.html'}"


def _edition(kind: Kind) -> str:
    return "weekly edition" if kind is Kind.WEEKLY else "edition"


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


async def deliver(
    newsletter: str, date: str, wait: float, say: Say, *, all_hours: bool, kind: Kind = Kind.DAILY
) -> str:
    """Delivers the edition of a day, or of the week that ends with it; returns how the delivery stands."""
    settings = load_settings()
    transport(settings.mail_url.get_secret_value())  # a bad one is told before anything is collected and frozen
    async with open_context(settings) as context:
        wanted = context.newsletter(newsletter, kind)
        day = context.day(wanted, date)
        failed = await _collect_if_needed(context, wanted, kind, day, say)
        frozen = await pipeline.freeze(context, wanted, kind, day, say)
        if isinstance(frozen, NoEdition):
            words = f"No {_edition(kind)} on {day}, so no mail: {frozen.reason}"
            if failed:  # not a quiet day but an outage: whoever started it has to know
                raise Problem(f"{words} Run it again later: what was collected is kept.")
            return words
        if await context.store.release(frozen.id):
            say("It was held; it goes on, since you say so.")
        with stopping(signal.SIGINT, signal.SIGTERM) as stop:
            delivered = await dispatch(
                context, frozen, say, at_once=all_hours, wait=dt.timedelta(seconds=wait), stop=stop
            )
    if delivered.halted:
        raise Problem(f"{delivered.halted} {delivered.sentence} Nobody was lost: run it again when it is mended.")
    if stop.is_set():
        raise Problem(f"Stopped before the end. {delivered.sentence} Run it again to go on where it stopped.")
    return delivered.sentence


async def deliver_share(edition_id: int, until: dt.datetime, share: int) -> str:
    """Works what is due of an edition beside others, see `extra_processes`; returns what it brought as JSON."""
    async with open_context(load_settings()) as context:
        frozen = await context.store.frozen(edition_id)
        if frozen is None:
            raise Problem(f"There is no edition {edition_id}.")
        with stopping(signal.SIGTERM) as stop:
            report = await work(context, frozen, until, stop, lambda _: None, share=share)
    return json.dumps({"sent": report.verdicts[Verdict.SENT], "halted": report.halted})


async def _collect_if_needed(context: Context, newsletter: Newsletter, kind: Kind, day: dt.date, say: Say) -> bool:
    """Collects the days that an edition may draw on, unless all were collected whole and their lists grow no more;
    returns whether a source failed that gave nothing for its day, or for any day of its week."""
    if isinstance(await context.store.find(newsletter.slug, kind, day), Frozen):
        return False
    first = await context.store.first_day(newsletter, kind, day)
    went = await context.store.collections(first, day, newsletter.sources)
    # what arXiv was asked for another newsletter's categories says nothing of this one's
    whole = sum(not one.problem for one in went) if not newsletter.categories else 0
    wanted = ((day - first).days + 1) * len(newsletter.sources)
    if whole == wanted and day < context.now().date() - dt.timedelta(days=1):
        return False
    asked = await pipeline.collect(context, newsletter, kind, day, say)
    return any(one.problem and not one.papers and (kind is Kind.WEEKLY or one.day == day) for one in asked)


async def tidy() -> str:
    """Does what the flow `upkeep` does."""
    async with open_context(load_settings()) as context:
        return await pipeline.tidy(context)


async def returns() -> str:
    """Does what the flow `returns` does."""
    async with open_context(load_settings()) as context:
        found = await read_returns(context)
        for newsletter in context.newsletters:
            if (paused := await context.watch(newsletter)) is not None and paused.fresh:
                found.paused.append(f"{newsletter} is paused: {paused.reason}")
    return " ".join(filter(None, (found.sentence, found.why_left, *found.paused)))
