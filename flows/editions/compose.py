"""From a window's papers to an edition: pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from flows.editions.model import Classified, Edition, Entry, Kind, Newsletter, NoEdition, Section, Topic
from flows.editions.rank import scorer
from flows.papers.model import Collected, Paper, PaperId


def compose(
    newsletter: Newsletter,
    kind: Kind,
    day: dt.date,
    papers: Iterable[Paper],
    *,
    shown: Collection[PaperId] = frozenset(),
    collections: Sequence[Collected] = (),
    topics: Sequence[Topic],
    classify: Callable[[Paper], Classified],
    titles: Mapping[str, str],
) -> Edition | NoEdition:
    """The edition of a day: its papers by topic and rank, none that an earlier edition has `shown`.

    `collections` says how collecting the window went, newest day first: where a source failed the edition says so by
    its title in `titles`, and why is the reason where nothing is left. A paper of a topic that the newsletter does not
    carry is left out.
    """
    carried = [topic for topic in topics if not newsletter.topics or topic.slug in newsletter.topics]
    fresh = [paper for paper in papers if paper.id not in shown]
    score = scorer(fresh, day)
    by_topic: dict[str, list[Entry]] = defaultdict(list)
    for paper in fresh:
        found = classify(paper)
        by_topic[found.topic].append(
            Entry(paper=paper, topic=found.topic, second=found.second, because=found.because, score=score(paper))
        )
    sections = tuple(
        Section(
            topic=topic.slug,
            name=topic.name,
            group=topic.group,
            entries=tuple(sorted(by_topic[topic.slug], key=lambda e: (-e.score, e.paper.title, e.paper.id))),
        )
        for topic in sorted(carried, key=lambda topic: topic.order)
        if by_topic[topic.slug]
    )
    if not sections:
        reason = _reason(day, collections, seen=bool(shown) and not fresh)
        return NoEdition(newsletter=newsletter.slug, kind=kind, day=day, reason=reason)
    missing = tuple(
        f"Some of {titles[went.source]}'s papers of {went.day.day} {went.day:%B %Y} could not be had; "
        "they follow in the next edition."
        for went in collections
        if went.problem
    )
    return Edition(newsletter=newsletter.slug, kind=kind, day=day, sections=sections, missing=missing)


def _reason(day: dt.date, collections: Sequence[Collected], *, seen: bool) -> str:
    """Why a day has no edition: what failed comes before what was merely silent."""
    today = [went for went in collections if went.day == day]
    if not today:
        return "The papers of this day have not been collected yet."
    failed = [went.problem for went in today if went.problem]
    silent = [went.silence for went in today if went.silence]
    if failed or silent:
        return " ".join(f"{words.rstrip('.')}." for words in dict.fromkeys(failed + silent))
    if seen:
        return "Every paper of this day has stood in an earlier edition."
    return "Nothing new was found in the topics that this newsletter carries."
