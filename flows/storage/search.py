"""Full-text search over all papers kept: SQLite's FTS5, PostgreSQL's tsvector. The only SQL that knows of either.

What is kept of a paper are its words in one spelling (`query`), so that neither database folds, stems or
parses anything: both find the same, and nothing that a visitor types is ever read as a query language.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.papers.model import Paper, PaperId
from flows.storage.database import Database, metadata
from flows.storage.query import Highlight, PaperWords, Phrase, Query, correctable, parse, said, spellings
from flows.storage.vocabulary import learn, near

WORDS = "paper_words"
"""What the database keeps to search by, in its own way: SQLite a virtual table (with five more behind it), PostgreSQL a
table with a GIN index. It stands in no metadata; whatever belongs to it begins with this name."""

paper = sa.Table(
    "paper",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("paper_id", sa.String(40), nullable=False),
    sa.Column("day", sa.Date, nullable=False, comment="the earliest on which a source listed it"),
    sa.Column("topic", sa.Text, nullable=False, comment="of the edition that was composed last; empty: none has it"),
    sa.Column("indexed", sa.Boolean, nullable=False, comment="whether its words can be searched for"),
    sa.UniqueConstraint("paper_id"),
    sa.Index(None, "day"),
    sa.Index("ix_paper_topic_day", "topic", "day"),
    comment="a paper as the search knows it",
)
_words = sa.table(WORDS, sa.column("id"), sa.column("rowid"), sa.column("words"))

PAGE = 20
FEW = 2
"""Papers that hold a word, so that it may be misspelt: slips stand in papers too."""
TIMES = 10
"""What is meant stands in so many times as many papers as the slip, at least."""
MANY = 1000
"""Papers that hold a word and are counted: more make no difference."""
CORRECTED = 4
"""Words of a query that are looked at."""
CANDIDATES = 6
"""Known words that are counted for each of them."""

_GAP = 100
"""Between two fields, so that no phrase goes from one to the next."""
_LAST_POSITION = 16_383
"""PostgreSQL's; words behind it are found but stand in no phrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to search for: words, a topic, days. Nothing named means all papers, newest first."""

    query: Query = field(default_factory=Query)
    topic: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPapers:
    """One page of what was found, and how much there is in all."""

    papers: Mapping[PaperId, str]
    """In their order, each with its topic."""
    total: int

    @property
    def pages(self) -> int:
        return -(-self.total // PAGE)


class Search:
    """Finds papers by words, topic and day."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._on_sqlite = database.engine.dialect.name == "sqlite"

    async def find(self, wanted: Wanted) -> FoundPapers:
        """The papers that hold every term, best first and of equally good ones the newest: a hit in the title counts
        most, then authors and keywords, then the abstract."""
        matching, rank = self._matching(wanted)
        best = (
            matching.order_by(*rank, paper.c.day.desc(), paper.c.id.desc()).limit(PAGE).offset((wanted.page - 1) * PAGE)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(best)).all()
            total = await connection.scalar(sa.select(sa.func.count()).select_from(matching.subquery()))
        return FoundPapers(papers={PaperId(row.paper_id): row.topic for row in rows}, total=total or 0)

    async def meant(self, typed: str, wanted: Wanted, total: int) -> tuple[Highlight, ...]:
        """What was probably meant where a search found `total` papers, very few: the words typed with those that hardly
        any paper holds exchanged for the nearest known ones, which are marked. Empty where that finds no more.

        It takes a bounded number of looks into the index, however much was typed.
        """
        pieces: list[Highlight] = []
        at, changed = 0, False
        async with self._database.read() as connection:
            for word, start, end in correctable(typed)[:CORRECTED]:
                if better := await self._better(connection, word):
                    # a name stays one
                    better = better[0].upper() + better[1:] if typed[start].isupper() else better
                    pieces += [Highlight(typed[at:start]), Highlight(better, found=True)]
                    at, changed = end, True
        pieces.append(Highlight(typed[at:]))
        shown = tuple(piece for piece in pieces if piece.text)
        if not changed:
            return ()
        found = await self.find(replace(wanted, query=parse("".join(piece.text for piece in shown)), page=1))
        return shown if found.total > total else ()

    async def _better(self, connection: AsyncConnection, word: str) -> str:
        held = await self._held(connection, word)
        if held > FEW:
            return ""
        found = [
            (slips, -await self._held(connection, other), written)
            for slips, other, written in await near(connection, word, CANDIDATES)
        ]
        return next((written for _, count, written in sorted(found) if -count >= max(1, TIMES * held)), "")

    async def _held(self, connection: AsyncConnection, word: str) -> int:
        """How many papers hold a word, up to `MANY`."""
        matching, _ = self._matching(Wanted(query=Query(((Phrase((word,)),),))))
        some = matching.limit(MANY).subquery()
        return await connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0

    async def of_late(self, queries: Sequence[Query], first: dt.date, limit: int) -> Sequence[Sequence[PaperId]]:
        """For each query the newest papers that hold all of it and were listed on `first` or later, `limit` at most."""
        found = []
        async with self._database.read() as connection:
            for query in queries:
                newest = self.holding(query, first).order_by(paper.c.day.desc(), paper.c.id.desc()).limit(limit)
                found.append([PaperId(row) for row in await connection.scalars(newest)])
        return found

    async def listed(self, first: dt.date) -> int:
        """How many papers were listed on `first` or later."""
        since, _ = self._matching(Wanted(first=first))
        async with self._database.read() as connection:
            return await connection.scalar(sa.select(sa.func.count()).select_from(since.subquery())) or 0

    def holding(self, query: Query, first: dt.date) -> sa.Select[Any]:
        """The identifiers of the papers that hold every term and were listed on `first` or later, for a query that
        counts them."""
        matching, _ = self._matching(Wanted(query=query, first=first))
        if self._on_sqlite and query.terms:
            # FTS5 then reads no older matches: rows are numbered as papers come
            oldest = sa.select(sa.func.min(paper.c.id)).where(paper.c.day >= first).scalar_subquery()
            matching = matching.where(_words.c.rowid >= oldest)
        return matching.with_only_columns(paper.c.paper_id)

    def _matching(self, wanted: Wanted) -> tuple[sa.Select[Any], Sequence[sa.ColumnElement[Any]]]:
        topic: sa.ColumnElement[Any] = paper.c.topic
        day: sa.ColumnElement[Any] = paper.c.day
        if self._on_sqlite and wanted.query.terms:
            # the plus keeps SQLite from looking for the words in each paper of a topic by itself: 12 times slower
            topic, day = (sa.literal_column(f"+paper.{column.name}", column.type) for column in (topic, day))
        chosen: list[sa.ColumnElement[bool]] = [paper.c.indexed]
        if wanted.topic:
            chosen.append(topic == wanted.topic)
        if wanted.first:
            chosen.append(day >= wanted.first)
        if wanted.last:
            chosen.append(day <= wanted.last)
        query = sa.select(paper.c.paper_id, paper.c.topic).where(*chosen)
        if not wanted.query.terms:
            return query, ()
        if self._on_sqlite:
            asked = sa.literal_column(WORDS).op("MATCH")(_for_sqlite(wanted.query))
            # for words that more than half of the papers have, FTS5's scores are in millionths
            rank = sa.func.round(sa.func.bm25(sa.literal_column(WORDS), 10, 5, 5, 1), 7)
            return query.join(_words, _words.c.rowid == paper.c.id).where(asked), (rank,)
        tsquery = sa.cast(_for_postgresql(wanted.query), postgresql.TSQUERY)
        rank = sa.func.ts_rank(_WEIGHTS, _words.c.words, tsquery, 1)
        return (
            query.join(_words, _words.c.id == paper.c.id).where(_words.c.words.op("@@")(tsquery)),
            (sa.func.round(sa.cast(-rank, sa.Numeric), 2),),
        )


_FORGET_ON_SQLITE = sa.text("DELETE FROM paper_words WHERE rowid = :id")
_KEEP_ON_SQLITE = sa.text(
    "INSERT INTO paper_words (rowid, title, authors, about, abstract) VALUES (:id, :title, :authors, :about, :abstract)"
)
_KEEP_ON_POSTGRESQL = sa.text(
    "INSERT INTO paper_words (id, words) VALUES (:id, CAST(CAST(:words AS text) AS tsvector)) "
    "ON CONFLICT (id) DO UPDATE SET words = excluded.words"
)


async def index(connection: AsyncConnection, papers: Iterable[Paper]) -> None:
    """Makes papers findable as they are now, in the caller's transaction."""
    on_sqlite = connection.dialect.name == "sqlite"
    heard: dict[str, str] = {}
    # in one order, so that two processes never wait for each other's rows
    for one in sorted(papers, key=lambda one: one.id):
        row = (sqlite.insert if on_sqlite else postgresql.insert)(paper)
        identity = await connection.scalar(
            row.values(paper_id=one.id, day=one.day, topic="", indexed=True)
            .on_conflict_do_update(index_elements=[paper.c.paper_id], set_={"day": one.day, "indexed": True})
            .returning(paper.c.id)
        )
        words = said(one)
        heard = spellings(one) | heard
        if on_sqlite:
            fields = {name: " ".join(getattr(words, name)) for name in _FIELDS}
            await connection.execute(_FORGET_ON_SQLITE, {"id": identity})
            await connection.execute(_KEEP_ON_SQLITE, {"id": identity, **fields})
        else:
            await connection.execute(_KEEP_ON_POSTGRESQL, {"id": identity, "words": _tsvector(words)})
    await learn(connection, heard)


async def unindexed(connection: AsyncConnection, limit: int) -> Sequence[PaperId]:
    """Papers whose words can't be searched for yet, the newest first: those that were kept before there was a search,
    or before it read words as it does now."""
    waiting = sa.select(paper.c.paper_id).where(~paper.c.indexed).order_by(paper.c.day.desc(), paper.c.id.desc())
    rows = await connection.scalars(waiting.limit(limit))
    return [PaperId(row) for row in rows]


async def set_topics(connection: AsyncConnection, topics: Mapping[PaperId, str]) -> None:
    """Notes the topics that an edition has given to its papers, in the caller's transaction."""
    by_topic: dict[str, list[PaperId]] = {}
    for one in sorted(topics):
        by_topic.setdefault(topics[one], []).append(one)
    for topic in sorted(by_topic):
        for start in range(0, len(by_topic[topic]), 500):
            some = by_topic[topic][start : start + 500]
            await connection.execute(
                sa.update(paper).where(paper.c.paper_id.in_(some), paper.c.topic != topic).values(topic=topic)
            )


_WEIGHTS: sa.ColumnElement[Any] = sa.literal_column("CAST('{0.1,0.2,0.5,1.0}' AS real[])")
"""Of D, which nothing has, C, B and A."""
_FIELDS = {"title": "A", "authors": "B", "about": "B", "abstract": "C"}


def _tsvector(words: PaperWords) -> str:
    """PostgreSQL's notation of a tsvector: its own parser would take words apart in another way."""
    positions: dict[str, list[str]] = {}
    at = 0
    for name, weight in _FIELDS.items():
        for word in getattr(words, name):
            at += 1
            positions.setdefault(word, []).append(f"{min(at, _LAST_POSITION)}{weight}")
        at += _GAP
    return " ".join(f"'{word}':{','.join(where[:255])}" for word, where in positions.items())


def _for_postgresql(query: Query) -> str:
    return " & ".join(f"({' | '.join(map(_tsquery_phrase, term))})" for term in query.terms)


def _tsquery_phrase(phrase: Phrase) -> str:
    words = [f"'{word}'" for word in phrase.words]
    words = [f"{word}:B" for word in words] if phrase.named else words
    begins = ("*" if phrase.named else ":*") if phrase.beginning else ""
    return f"({' <-> '.join(words)}{begins})"


def _for_sqlite(query: Query) -> str:
    return " AND ".join(f"({' OR '.join(map(_fts5_phrase, term))})" for term in query.terms)


def _fts5_phrase(phrase: Phrase) -> str:
    return f'{"authors : " if phrase.named else ""}"{" ".join(phrase.words)}"{" *" if phrase.beginning else ""}'
