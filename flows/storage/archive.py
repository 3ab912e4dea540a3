"""What has come out, for whoever reads it on the web: the only SQL that looks at editions from the outside.

It reads no cards and, but for feeds and once for leads, no edition's document: a month or a sitemap costs as little as
its lines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from flows.editions.model import Edition, Kind
from flows.papers.model import PaperId
from flows.storage.database import Database
from flows.storage.editions import edition, edition_paper
from flows.storage.query import Query
from flows.storage.search import Search

_editions = TypeAdapter(Edition)
_LISTED_BEFORE = dt.timedelta(days=7)
"""An edition shows papers that were listed a few days before it."""


@dataclass(frozen=True, slots=True)
class _Named:
    id: PaperId
    title: str


@dataclass(frozen=True, slots=True)
class _Ranked:
    paper: _Named
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class _Part:
    entries: tuple[_Ranked, ...]


@dataclass(frozen=True, slots=True)
class _Led:
    """What is read of an edition's document where its lead alone is wanted."""

    sections: tuple[_Part, ...]
    best: tuple[PaperId, ...] = ()

    @property
    def title(self) -> str:
        entries = [entry for part in self.sections for entry in part.entries]
        entries.sort(key=lambda entry: (entry.paper.id not in self.best[:1], -entry.score))
        return (entries[0].paper.title or entries[0].paper.id) if entries else ""


_led = TypeAdapter(_Led)
_IS_FROZEN = edition.c.state == "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An edition that came out; or, where `reason` stands, why there is none."""

    newsletter: str
    kind: Kind
    day: dt.date
    at: dt.datetime
    """When it was frozen."""
    number: int = 0
    papers: int = 0
    reason: str = ""
    topic: str = ""
    """The one that a certain paper has in it, where that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPaper:
    """A paper of a topic, and the day and moment of the first edition that it stood in."""

    paper: PaperId
    day: dt.date
    at: dt.datetime


class Archive:
    """Editions by month, newsletter, topic and paper."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._search = Search(database)
        self._leads: dict[tuple[str, Kind, dt.date], str] = {}

    async def months(self) -> Sequence[dt.date]:
        """The first days of the months in which anything came out, newest first."""
        year, month = sa.extract("year", edition.c.day), sa.extract("month", edition.c.day)
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(year, month).where(_IS_FROZEN).distinct())).all()
        return sorted((dt.date(int(row[0]), int(row[1]), 1) for row in rows), reverse=True)

    async def issues(self, first: dt.date, last: dt.date) -> Sequence[Issue]:
        """What came out from `first` to `last`, and the days on which nothing did, in the order of days."""
        papers = (
            sa.select(sa.func.count()).where(edition_paper.c.edition_id == edition.c.id).correlate(edition)
        ).scalar_subquery()
        query = (
            _issues(papers)
            .where(edition.c.day.between(first, last), edition.c.state.in_(["frozen", "none"]))
            .order_by(edition.c.day, edition.c.newsletter)
        )
        async with self._database.read() as connection:
            return [_issue(row) for row in (await connection.execute(query)).all()]

    async def leads(self, issues: Sequence[Issue]) -> Mapping[tuple[str, Kind, dt.date], str]:
        """The titles of the papers that lead these editions, hostile text, by newsletter, kind and day. Each is read
        once, for an edition that came out is never altered."""
        wanted = [(one.newsletter, one.kind, one.day) for one in issues if not one.reason]
        if unknown := {key for key in wanted if key not in self._leads}:
            days = [day for _, _, day in unknown]
            columns = (edition.c.newsletter, edition.c.kind, edition.c.day, edition.c.document)
            query = sa.select(*columns).where(_IS_FROZEN, edition.c.day.between(min(days), max(days)))
            async with self._database.read() as connection:
                for row in (await connection.execute(query)).all():
                    self._leads[row.newsletter, Kind(row.kind), row.day] = _led.validate_json(row.document).title
        return {key: self._leads.get(key, "") for key in wanted}

    async def every(self, limit: int) -> Sequence[Issue]:
        """The newest editions of all newsletters."""
        query = _issues().where(_IS_FROZEN).order_by(edition.c.day.desc(), edition.c.newsletter, edition.c.kind)
        async with self._database.read() as connection:
            return [_issue(row) for row in (await connection.execute(query.limit(limit))).all()]

    async def beside(self, newsletter: str, kind: Kind, day: dt.date) -> tuple[dt.date | None, dt.date | None]:
        """The days of the editions before and after that of `day`."""
        same = (_IS_FROZEN, edition.c.newsletter == newsletter, edition.c.kind == kind)
        before = sa.select(sa.func.max(edition.c.day)).where(*same, edition.c.day < day)
        after = sa.select(sa.func.min(edition.c.day)).where(*same, edition.c.day > day)
        async with self._database.read() as connection:
            return await connection.scalar(before), await connection.scalar(after)

    async def newest(self, newsletter: str, limit: int) -> Sequence[tuple[Edition, dt.datetime]]:
        """A newsletter's newest editions, and when each was frozen."""
        query = (
            sa.select(edition.c.document, edition.c.changed_at)
            .where(_IS_FROZEN, edition.c.newsletter == newsletter)
            .order_by(edition.c.day.desc(), edition.c.kind)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [(_editions.validate_json(row.document), row.changed_at) for row in rows]

    async def changed_at(self, newsletter: str, topic: str = "") -> dt.datetime | None:
        """When a newsletter's last edition (with a paper of `topic`) was frozen."""
        query = sa.select(sa.func.max(edition.c.changed_at)).where(_IS_FROZEN, edition.c.newsletter == newsletter)
        if topic:
            held = sa.select(edition_paper.c.edition_id).where(edition_paper.c.topic == topic)
            query = query.where(edition.c.id.in_(held))
        async with self._database.read() as connection:
            found: dt.datetime | None = await connection.scalar(query)
            return found

    async def of_topic(self, newsletter: str, topic: str, limit: int) -> Sequence[ListedPaper]:
        """The newest papers that a newsletter has shown in a topic, by the first edition that showed them."""
        day, at = sa.func.min(edition.c.day).label("day"), sa.func.min(edition.c.changed_at).label("at")
        query = (
            sa.select(edition_paper.c.paper_id, day, at)
            .join(edition)
            .where(_IS_FROZEN, edition.c.newsletter == newsletter, edition_paper.c.topic == topic)
            .group_by(edition_paper.c.paper_id)
            .order_by(day.desc(), edition_paper.c.paper_id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [ListedPaper(paper=PaperId(row.paper_id), day=row.day, at=row.at) for row in rows]

    async def counts(
        self, newsletter: str, first: dt.date, last: dt.date, queries: Sequence[Query], without: PaperId
    ) -> tuple[list[int], int]:
        """How many papers of a newsletter's editions from `first` to `last` hold what each query asks for, and how many
        there are in all; `without` one of them."""
        shown = (
            sa.select(edition_paper.c.paper_id)
            .join(edition)
            .where(_IS_FROZEN, edition.c.newsletter == newsletter, edition.c.day.between(first, last))
            .where(edition_paper.c.paper_id != without)
        )
        since = first - _LISTED_BEFORE
        found = []
        async with self._database.read() as connection:
            for query in queries:
                matching = shown.where(edition_paper.c.paper_id.in_(self._search.holding(query, since)))
                found.append(await connection.scalar(_number(matching)) or 0)
            return found, await connection.scalar(_number(shown)) or 0

    async def shown(
        self, newsletter: str, first: dt.date, last: dt.date, query: Query, limit: int
    ) -> Mapping[PaperId, str]:
        """The newest papers of a newsletter's editions from `first` to `last` that hold what a query asks for, each
        with its topic there."""
        since = first - _LISTED_BEFORE
        found = (
            sa.select(edition_paper.c.paper_id, sa.func.max(edition_paper.c.topic).label("topic"))
            .join(edition)
            .where(_IS_FROZEN, edition.c.newsletter == newsletter, edition.c.day.between(first, last))
            .where(edition_paper.c.paper_id.in_(self._search.holding(query, since)))
            .group_by(edition_paper.c.paper_id)
            .order_by(sa.func.max(edition.c.day).desc(), edition_paper.c.paper_id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return {PaperId(row.paper_id): row.topic for row in (await connection.execute(found)).all()}

    async def holding(self, paper: PaperId) -> Sequence[Issue]:
        """The editions that a paper stood in, newest first."""
        query = (
            _issues(topic=edition_paper.c.topic)
            .join(edition_paper, edition_paper.c.edition_id == edition.c.id)
            .where(_IS_FROZEN, edition_paper.c.paper_id == paper)
            .order_by(edition.c.day.desc(), edition.c.kind)
        )
        async with self._database.read() as connection:
            return [_issue(row) for row in (await connection.execute(query)).all()]


def _number(papers: sa.Select[Any]) -> Any:
    """How many different papers a query finds."""
    return sa.select(sa.func.count()).select_from(papers.distinct().subquery())


def _issues(papers: Any = None, topic: Any = None) -> sa.Select[Any]:
    return sa.select(
        edition.c.newsletter,
        edition.c.kind,
        edition.c.day,
        edition.c.changed_at.label("at"),
        edition.c.number,
        sa.func.coalesce(sa.func.nullif(edition.c.told, ""), edition.c.reason).label("reason"),
        (sa.literal(0) if papers is None else papers).label("papers"),
        (sa.literal("") if topic is None else topic).label("topic"),
    )


def _issue(row: sa.Row[Any]) -> Issue:
    return Issue(**{**row._mapping, "kind": Kind(row.kind)})
