"""From a window's papers to an edition: pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from flows.editions import rank, week
from flows.editions.alike.duplicates import unique
from flows.editions.alike.stories import stories, together, told
from flows.editions.forecast import forecast
from flows.editions.model import Classified, Edition, Entry, Kind, Newsletter, NoEdition, Section, Topic
from flows.editions.rising import Risen, risen
from flows.papers.model import Collected, Paper, PaperId


def compose(
    newsletter: Newsletter,
    kind: Kind,
    day: dt.date,
    papers: Iterable[Paper],
    *,
    shown: Collection[PaperId] = frozenset(),
    earlier: Sequence[Edition] = (),
    votes: Mapping[PaperId, int] | None = None,
    collections: Sequence[Collected] = (),
    topics: Sequence[Topic],
    classify: Callable[[Paper], Classified],
    titles: Mapping[str, str],
) -> Edition | NoEdition:
    """The edition of a day: its papers by topic and rank, each once, none that an earlier edition has `shown` unless it
    rose since; a weekly edition has the best of them alone.

    `earlier` are the newsletter's editions of this kind of the last month, `votes` those of today for the papers of the
    last two weeks. `collections` says how collecting the window went, newest day first: where a source failed the
    edition says so by its title in `titles`, and why is the reason where nothing is left. A paper of a topic that the
    newsletter does not carry is left out.
    """
    listed = {paper.id: paper for paper in papers}
    fresh = [paper for paper in listed.values() if paper.id not in shown]
    known = {paper.id: paper.upvotes for paper in listed.values() if paper.upvotes is not None} | dict(votes or {})
    good, weekly = rank.good(known.values()), kind is Kind.WEEKLY
    again = {} if weekly else {one.paper.id: one for one in risen(earlier, known, good, day)}
    recent = [edition for edition in earlier if edition.day >= day - rank.COMPARED]
    new = unique(fresh, (entry.paper for edition in recent for entry in edition.entries))
    old = [replace(listed.get(identity, one.paper), upvotes=one.paper.upvotes) for identity, one in again.items()]
    by_topic = _by_topic([*new, *old], classify, good, rank.scorer(good, day, kind), again)
    carried = [topic for topic in topics if not newsletter.topics or topic.slug in newsletter.topics]
    ordered = {topic.slug: by_topic[topic.slug] for topic in sorted(carried, key=lambda topic: topic.order)}
    kept = week.best(ordered) if weekly else ordered
    # an edition is made of what is new: what rose is added to it
    if all(entry.rose for entries in kept.values() for entry in entries):
        reason = (
            week.reason(day, collections, titles, listed=bool(listed), fresh=bool(new))
            if weekly
            else _reason(day, collections, seen=bool(shown) and not new)
        )
        publicly = _told(collections if weekly else [went for went in collections if went.day == day], titles, reason)
        return NoEdition(newsletter=newsletter.slug, kind=kind, day=day, reason=reason, told=publicly)
    missing = tuple((week.missing if weekly else _missing)(collections, titles))
    sections = tuple(_sections(kept, topics, _lately(earlier)))
    sentence, told_of = told(sections)
    return Edition(
        newsletter=newsletter.slug,
        kind=kind,
        day=day,
        sections=sections,
        missing=missing,
        best=rank.best(entry for section in sections for entry in section.entries),
        told=sentence,
        told_of=told_of,
    )


def _by_topic(
    papers: Iterable[Paper],
    classify: Callable[[Paper], Classified],
    good: int,
    score: Callable[[Paper, float], float],
    again: Mapping[PaperId, Risen],
) -> Mapping[str, list[Entry]]:
    """The papers of each topic, best first; among equals, such as papers that nobody votes on, who clearest belongs."""
    found: dict[str, list[tuple[float, Entry]]] = defaultdict(list)
    for paper in papers:
        its, likely = classify(paper), _likely(paper)
        entry = Entry(
            paper=paper,
            topic=its.topic,
            second=its.second,
            because=its.because,
            score=score(paper, likely),
            rose=again[paper.id].gained if paper.id in again else 0,
            likely=rank.is_likely(paper, likely, good),
            forecast=likely,
        )
        found[its.topic].append((its.score, entry))
    ordered: dict[str, list[Entry]] = defaultdict(list)
    for topic, entries in found.items():
        entries.sort(key=lambda one: (-one[1].score, -one[0], one[1].paper.title, one[1].paper.id))
        ordered[topic] = [entry for _, entry in entries]
    return ordered


def _likely(paper: Paper) -> float:
    return round(forecast(paper.title, paper.abstract, paper.authors, paper.note), 4)


def _lately(earlier: Iterable[Edition]) -> Mapping[str, list[Paper]]:
    """The papers of each topic in earlier editions, the newest first."""
    found: defaultdict[str, list[Paper]] = defaultdict(list)
    for edition in sorted(earlier, key=lambda one: one.day, reverse=True):
        for entry in edition.entries:
            found[entry.topic].append(entry.paper)
    return found


def _sections(
    kept: Mapping[str, Sequence[Entry]], topics: Sequence[Topic], lately: Mapping[str, Sequence[Paper]]
) -> Iterator[Section]:
    named = {topic.slug: topic for topic in topics}
    found = stories(kept, topics, lately)
    for slug, entries in kept.items():
        if entries:
            mine = found.get(slug, ())
            yield Section(
                topic=slug,
                name=named[slug].name,
                group=named[slug].group,
                entries=together(entries, mine),
                stories=mine,
            )


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


def _told(collections: Sequence[Collected], titles: Mapping[str, str], reason: str) -> str:
    """What the archive says instead of a reason that has the words of a failure in it; empty: the reason itself."""
    failed = {went.source: went.problem.rstrip(".") for went in collections if went.problem}
    if not any(words in reason for words in failed.values()):
        return ""
    names = [titles.get(source, source) for source in failed]
    return f"The papers of {' and '.join(names)} could not be had, so that there was nothing to make an edition of."
