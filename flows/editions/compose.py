"""From a window's papers to an edition: pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from flows.editions import week
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
    """The edition of a day: its papers by topic and rank, none that an earlier edition has `shown`; a weekly edition
    has the best of them alone.

    `collections` says how collecting the window went, newest day first: where a source failed the edition says so by
    its title in `titles`, and why is the reason where nothing is left. A paper of a topic that the newsletter does not
    carry is left out.
    """
    listed = list(papers)
    fresh = [paper for paper in listed if paper.id not in shown]
    by_topic = _by_topic(fresh, classify, scorer(fresh, day, kind))
    carried = [topic for topic in topics if not newsletter.topics or topic.slug in newsletter.topics]
    ordered = {topic.slug: by_topic[topic.slug] for topic in sorted(carried, key=lambda topic: topic.order)}
    weekly = kind is Kind.WEEKLY
    kept = week.best(ordered) if weekly else ordered
    named = {topic.slug: topic for topic in carried}
    sections = tuple(
        Section(topic=slug, name=named[slug].name, group=named[slug].group, entries=tuple(entries))
        for slug, entries in kept.items()
        if entries
    )
    if not sections:
        reason = (
            week.reason(day, collections, titles, listed=bool(listed), fresh=bool(fresh))
            if weekly
            else _reason(day, collections, seen=bool(shown) and not fresh)
        )
        return NoEdition(newsletter=newsletter.slug, kind=kind, day=day, reason=reason)
    missing = tuple((week.missing if weekly else _missing)(collections, titles))
    return Edition(newsletter=newsletter.slug, kind=kind, day=day, sections=sections, missing=missing)


def _by_topic(
    papers: Iterable[Paper], classify: Callable[[Paper], Classified], score: Callable[[Paper], float]
) -> Mapping[str, list[Entry]]:
    """The papers of each topic, best first; among equals, such as papers that nobody votes on, who clearest belongs."""
    found: dict[str, list[tuple[float, Entry]]] = defaultdict(list)
    for paper in papers:
        its = classify(paper)
        entry = Entry(paper=paper, topic=its.topic, second=its.second, because=its.because, score=score(paper))
        found[its.topic].append((its.score, entry))
    ordered: dict[str, list[Entry]] = defaultdict(list)
    for topic, entries in found.items():
        entries.sort(key=lambda one: (-one[1].score, -one[0], one[1].paper.title, one[1].paper.id))
        ordered[topic] = [entry for _, entry in entries]
    return ordered


def _missing(collections: Sequence[Collected], titles: Mapping[str, str]) -> Iterator[str]:
    for went in collections:
        if went.problem:
            yield (
                f"Some of {titles[went.source]}'s papers of {went.day.day} {went.day:%B %Y} could not be had; "
                "they follow in the next edition."
            )


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
