"""The stages of a round as plain functions: collect, compose, freeze. Prefect's flows and the command both call them.

Each reads what the one before it stored; `flows.delivery.run` is the last.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from jinja2 import TemplateError, TemplateNotFound

from flows.context import Context, Say
from flows.editions import rank, summary
from flows.editions.arrange import compose as compose_edition
from flows.editions.decisions import decided
from flows.editions.model import Edition, Kind, Newsletter, NoEdition
from flows.mail.cards import pack, render
from flows.mail.look import place
from flows.mail.model import Cards
from flows.outcomes import Problem
from flows.papers.fetch import Fetcher
from flows.papers.gather import SOURCES, complete, gather
from flows.papers.model import Collected, Paper, Window
from flows.storage.approvals import Approval, ApprovalState
from flows.storage.editions import Frozen
from subscribers.ledger.forgetting import lose_names

_LATE = "{} was not asked for this day, since it was not done in time for another one: try again later"


async def collect(context: Context, newsletter: Newsletter, kind: Kind, day: dt.date, say: Say) -> list[Collected]:
    """Asks the newsletter's sources for every day that the edition of `day` may draw on, and keeps what they gave.

    A source that fails is reported, not raised: the others go on. Days that were collected before are asked for
    again, since lists grow and votes come in.
    """
    first = await context.store.first_day(newsletter, kind, day)
    went = []
    late: set[str] = set()
    async with context.fetcher(say) as fetcher:
        for age in range((day - first).days, -1, -1):
            window = Window(day=day - dt.timedelta(days=age), categories=newsletter.categories)
            for name in newsletter.sources:
                if name in late:
                    # it hangs: another day would cost as long again
                    found = Collected(source=name, day=window.day, problem=_LATE.format(SOURCES[name].TITLE))
                    await context.store.keep(found, context.now())
                    went.append(found)
                    continue
                began = asyncio.get_running_loop().time()
                found = await _collect_one(context, name, window, fetcher, say)
                if found.problem and asyncio.get_running_loop().time() - began >= context.settings.source_deadline:
                    late.add(name)
                await context.store.keep(found, context.now())
                went.append(found)
    return went


async def _collect_one(context: Context, name: str, window: Window, fetcher: Fetcher, say: Say) -> Collected:
    """One source's day, with the categories that arXiv knows where the source itself does not."""
    source = SOURCES[name]
    deadline = context.settings.source_deadline
    found = await gather(source, window, context.addresses, fetcher, say, deadline)
    if not source.WANTS_DETAILS or not found.papers:
        return found
    known = await context.store.with_categories(paper.id for paper in found.papers)
    papers = tuple(_with_details_of(known[p.id], p) if p.id in known else p for p in found.papers)
    papers, problem = await complete(papers, context.addresses, fetcher, say, deadline)
    if problem:
        say(f"Some papers are grouped by their text alone, without arXiv's categories. {problem}")
    return replace(found, papers=papers)


def _with_details_of(known: Paper, paper: Paper) -> Paper:
    return replace(paper, categories=known.categories, note=known.note, doi=known.doi, journal=known.journal)


def _silent(sentence: str) -> None:
    """Says nothing."""


async def compose(context: Context, newsletter: Newsletter, kind: Kind, day: dt.date) -> Edition | NoEdition:
    """The edition of a day from what is stored; the frozen one where there is one. Stores nothing."""
    kept = await context.store.find(newsletter.slug, kind, day)
    if isinstance(kept, Frozen):
        return kept.edition
    composed = await _composed(context, newsletter, kind, day)
    known = await context.approvals.find(newsletter.slug, kind, day)
    return decided(composed, known.decisions) if known and isinstance(composed, Edition) else composed


async def _composed(context: Context, newsletter: Newsletter, kind: Kind, day: dt.date) -> Edition | NoEdition:
    """The edition as the papers make it, before an operator has decided anything."""
    first = await context.store.first_day(newsletter, kind, day)
    listed = await context.store.papers(first, day, newsletter.sources)
    papers = [paper for paper in listed if _is_followed(paper, newsletter)]
    shown = await context.store.shown_before(newsletter.slug, kind, day)
    shown |= await context.approvals.dropped_before(newsletter.slug, day)
    since = day - rank.COMPARED
    # one that takes its own day alone looks at no other: the bundled sample has the same papers every day
    month = day - rank.LATELY
    earlier = await context.store.earlier(newsletter.slug, kind, month, day) if newsletter.look_back else ()
    votes = await context.store.votes(since, day, newsletter.sources)
    collections = await context.store.collections(first, day, newsletter.sources)
    # Grouping a long day is a second of work: in a thread it leaves the event loop to the others.
    composed = await asyncio.to_thread(
        compose_edition,
        newsletter,
        kind,
        day,
        papers,
        shown=shown,
        earlier=earlier,
        votes=votes,
        collections=collections,
        topics=context.topics,
        classify=context.classifier.classify,
        titles={name: SOURCES[name].TITLE for name in newsletter.sources},
    )
    if isinstance(composed, NoEdition) or not context.summariser:
        return composed
    return summary.summarised(composed, await context.store.summaries(entry.paper.id for entry in composed.entries))


def _is_followed(paper: Paper, newsletter: Newsletter) -> bool:
    """arXiv's papers are kept for all newsletters together: this one takes those of the categories it follows."""
    if paper.sources != ("arxiv",):
        return True
    archives = {category.split(".")[0] for category in paper.categories}
    return not archives.union(paper.categories).isdisjoint(newsletter.categories)


async def _with_new_summaries(context: Context, edition: Edition, say: Say) -> Edition:
    """The edition with summaries for its papers that have none, where a service is set that writes them and as far as
    the day's limit goes. What fails is said and left out: it never costs the edition more than a minute."""
    papers = {paper.id: paper for paper in summary.wanted(edition)}
    if not context.summariser or not papers:
        return edition
    chosen = await context.store.reserve_summaries(list(papers), context.settings.summary_limit, context.now())
    if not chosen:
        return edition
    written = await context.summariser.write([papers[identity] for identity in chosen])
    await context.store.keep_summaries(written.texts, written.free)
    say(written.sentence)
    return summary.summarised(edition, written.texts)


async def draft(
    context: Context, newsletter: Newsletter, kind: Kind, day: dt.date, say: Say = _silent
) -> Edition | NoEdition:
    """The same, with new summaries if a service writes them, kept as a draft until its delivery is allowed; or kept as
    the reason why the day has no edition."""
    composed = await compose(context, newsletter, kind, day)
    if isinstance(composed, Edition) and not composed.number:
        known = await context.approvals.find(newsletter.slug, kind, day)
        if known and known.state is ApprovalState.SKIP:
            composed = skipped(known)
        else:
            composed = await _with_new_summaries(context, composed, say)
    await context.store.keep_draft(composed, context.now())
    return composed


async def freeze(
    context: Context, newsletter: Newsletter, kind: Kind, day: dt.date, say: Say = _silent
) -> Frozen | NoEdition:
    """Freezes the edition of a day with its cards: from now on it is never altered. A second time returns the same.

    One that an operator has to allow, or has held or skipped, is none until they say otherwise, for the reason given.
    """
    while True:
        kept = await context.store.find(newsletter.slug, kind, day)
        if isinstance(kept, Frozen):
            return kept
        known = await context.approvals.find(newsletter.slug, kind, day)
        if why := not_allowed(newsletter, kind, day, known):
            if known and known.state is ApprovalState.SKIP:
                await context.store.keep_draft(why, context.now())
            return why
        # composed anew: since a draft was kept, more was collected, and another edition may have shown its papers
        draft = await compose(context, newsletter, kind, day)
        if isinstance(draft, NoEdition):
            await context.store.keep_draft(draft, context.now())
            return draft
        draft = await _with_new_summaries(context, draft, say)
        final = replace(draft, number=await context.store.next_number(newsletter.slug, kind))
        packed, now = pack(await cards_of(context, final, newsletter)), context.now()
        if known is None:
            unasked = partial(context.approvals.unasked, newsletter.slug, kind, day)
            frozen = await context.store.freeze_if(final, packed, now, unasked)
        else:
            frozen = await context.store.freeze_if(final, packed, now, partial(context.approvals.still, known=known))
        if frozen is not None:
            return frozen


def not_allowed(newsletter: Newsletter, kind: Kind, day: dt.date, known: Approval | None) -> NoEdition | None:
    """Why an operator's word keeps an edition from its readers; None: nothing does."""
    none = partial(NoEdition, newsletter=newsletter.slug, kind=kind, day=day)
    allow = (
        f"`paperround approve --newsletter {newsletter.slug} --date {day}{' --weekly' * (kind is Kind.WEEKLY)} --send`"
    )
    if known is None:
        return none(reason=f"It waits for its approval; {allow} gives it.") if newsletter.approval else None
    match known.state:
        case ApprovalState.SEND:
            return None
        case ApprovalState.SKIP:
            return skipped(known)
        case ApprovalState.HOLD:
            why = f": {known.reason}" if known.reason else ""
            whose = "since its deadline" if known.by == "deadline" else "by its operator"
            return none(reason=f"It is held {whose}{why}. {allow} lets it go.")
        case _:
            until = f"{known.deadline_at:%Y-%m-%d %H:%M} UTC"
            return none(reason=f"It waits for its approval until {until}; {allow} gives it.")


def skipped(known: Approval) -> NoEdition:
    """What a day is whose edition an operator wants not to come out."""
    why = known.reason.rstrip(".")
    return NoEdition(
        newsletter=known.newsletter,
        kind=known.kind,
        day=known.day,
        reason=f"Its operator skipped it{f': {why}' if why else ''}.",
        told=f"The editors decided to send none{f': {why}' if why else ''}.",
    )


async def translated(context: Context, frozen: Frozen, language: str, say: Say) -> bytes:
    """The packed cards of a frozen edition in a language of readers (none: the site's own), rendered and kept the first
    time that somebody needs them. Where a template that has become wrong since it was frozen prevents that, it is the
    edition as it was frozen, and `say` is told: nobody's mail waits for it."""
    wanted = context.languages.known(language)
    if wanted == context.languages.default or not frozen.edition.sections:
        return frozen.cards
    kept = await context.store.translated(frozen.id, [wanted])
    if wanted in kept:
        return kept[wanted]
    newsletter = context.newsletter(frozen.edition.newsletter)
    try:
        packed = pack(await cards_of(context, frozen.edition, newsletter, wanted))
    except Problem as problem:
        say(f"Readers of {wanted} get the edition in the site's own language: {problem}")
        return frozen.cards
    await context.store.keep_translated(frozen.id, wanted, packed)
    return packed


async def in_all_languages(context: Context, frozen: Frozen, say: Say) -> Mapping[str, bytes]:
    """The packed cards of a frozen edition in each language that its readers have chosen, besides the site's own."""
    chosen = await context.subscribers.languages(frozen.edition.newsletter)
    wanted = {context.languages.known(language) for language in chosen} - {context.languages.default}
    return {language: await translated(context, frozen, language, say) for language in sorted(wanted)}


async def cards_of(context: Context, edition: Edition, newsletter: Newsletter, language: str = "") -> Cards:
    """An edition's cards, rendered now, in a language or the site's own. Raises Problem for a template that is wrong,
    its cause the error itself."""
    say = context.languages.of(language)
    try:
        return await asyncio.to_thread(
            render, edition, newsletter, context.topics, context.site, context.template_folders, say
        )
    except TemplateNotFound as error:
        raise Problem(
            f"The template {error.name} of the look {newsletter.look!r} is not found: "
            "put it into the folder that PAPERROUND_TEMPLATES_DIR names."
        ) from error
    except RecursionError as error:
        raise Problem(
            f"A template of the look {newsletter.look!r} extends or includes itself without end: "
            "name the shipped one as shipped/email/digest/…."
        ) from error
    except Exception as error:
        # a template can raise anything; what arises elsewhere is no template's mistake
        found = place(error)
        if not found and not isinstance(error, (TemplateError, ValueError)):
            raise
        where = f"{found.file}, line {found.line}: " if found else ""
        words = " ".join(str(error).split())
        raise Problem(f"A template of the look {newsletter.look!r} is wrong ({where}{words}): mend it.") from error


async def tidy(context: Context) -> str:
    """Lets go of what is kept for a while only: sign-ups that nobody confirmed, counts of visits, and what the settings
    give a time to: those who have left, the names of old deliveries, letters, logs. Says how many, and names nobody."""
    settings, now = context.settings, context.now()
    forgotten = await context.subscribers.forget_unconfirmed(now)
    left = await context.subscribers.forget_leavers(now - dt.timedelta(days=settings.keep_leavers), now)
    letters = await context.subscribers.forget_letters(now - dt.timedelta(days=settings.keep_letters))
    nameless = await lose_names(context.database, now.date() - dt.timedelta(days=settings.keep_deliveries))
    logs = await asyncio.to_thread(_drop_logs, settings.home_dir / "logs", time.time() - settings.keep_logs * 86400)
    await context.came_back.forget_calls(now)
    await context.database.rewrite_once()
    await context.database.scrub()
    waiting = await context.subscribers.pending()
    done = [
        _counted(forgotten, "unconfirmed sign-up"),
        *([_counted(left, "reader who had left", "readers who had left")] if left else []),
        *([f"the names in {_counted(nameless, 'old edition')}"] if nameless else []),
        *([_counted(letters, "letter")] if letters else []),
        *([_counted(logs, "log")] if logs else []),
    ]
    return f"Forgotten: {', '.join(done)}; {waiting} {'waits' if waiting == 1 else 'wait'} to be confirmed."


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _drop_logs(folder: Path, before: float) -> int:
    """Deletes the logs that were ended before a moment; the ones that are being written stay."""
    dropped = 0
    for file in folder.glob("*.log.*"):
        if file.stat().st_mtime < before:
            file.unlink(missing_ok=True)
            dropped += 1
    return dropped
