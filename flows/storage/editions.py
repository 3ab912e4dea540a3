"""The only SQL about papers and editions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.editions.model import Edition, Kind, Newsletter, NoEdition
from flows.editions.week import DAYS
from flows.papers.merge import merge, refresh
from flows.papers.model import Collected, Paper, PaperId, Skipped
from flows.storage.database import Database, Instant, metadata
from flows.storage.search import index, set_topics, unindexed

sighting = sa.Table(
    "sighting",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("source", sa.String(40), primary_key=True),
    sa.Column("paper_id", sa.String(40), primary_key=True, index=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    comment="a paper as a source listed it on a day",
)
collection = sa.Table(
    "collection",
    metadata,
    sa.Column("source", sa.String(40), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("papers", sa.Integer, nullable=False),
    sa.Column("skipped", sa.Text, nullable=False),
    sa.Column("silence", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("collected_at", Instant, nullable=False),
    comment="how the last collection of a day from a source went",
)
edition = sa.Table(
    "edition",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("newsletter", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("state", sa.String(10), nullable=False, comment="draft, frozen, or none with a reason"),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("told", sa.Text, nullable=False, server_default="", comment="the reason for everybody; empty: the same"),
    sa.Column("cards", sa.LargeBinary),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("opened_at", Instant, comment="when the ledger had a row for each of its readers"),
    sa.Column("held_at", Instant, comment="when an operator stopped its delivery"),
    sa.Column("held_why", sa.Text, nullable=False, server_default="", comment="in words"),
    sa.UniqueConstraint("newsletter", "kind", "day"),
    sqlite_autoincrement=True,
)
edition_paper = sa.Table(
    "edition_paper",
    metadata,
    sa.Column("edition_id", sa.ForeignKey(edition.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("paper_id", sa.String(40), primary_key=True, index=True),
    sa.Column("topic", sa.Text, nullable=False, server_default="", comment="a topic's slug"),
    comment="the papers of frozen editions",
)
edition_language = sa.Table(
    "edition_language",
    metadata,
    sa.Column("edition_id", sa.ForeignKey(edition.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("language", sa.String(35), primary_key=True),
    sa.Column("cards", sa.LargeBinary, nullable=False),
    comment="frozen editions in other languages than the site's own",
)
summary = sa.Table(
    "summary",
    metadata,
    sa.Column("paper_id", sa.String(40), primary_key=True),
    sa.Column("text", sa.Text, nullable=False, comment="empty: none came that could be used"),
    sa.Column("asked_at", Instant, nullable=False, index=True, comment="when the model was asked for it"),
    comment="summaries that a model wrote, or was asked for",
)


@dataclass(frozen=True, slots=True)
class _Voted:
    """What is read of a paper's document where its votes alone are wanted."""

    upvotes: int | None = None


_papers = TypeAdapter(Paper)
_voted = TypeAdapter(_Voted)
_editions = TypeAdapter(Edition)
_skipped = TypeAdapter(tuple[Skipped, ...])


INDEXED_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """An edition that is never altered again, and the cards that its mails are made of."""

    id: int
    edition: Edition
    cards: bytes
    at: dt.datetime
    correction: bool = False
    """It corrects the edition of its newsletter, kind and day, for those who got that. Without papers it is words
    alone, the edition's `note`."""


class Store:
    """Papers by day and source; editions by newsletter, kind and day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- papers

    async def keep(self, collected: Collected, now: dt.datetime) -> None:
        """Keeps what a source gave for a day. A paper that is there already gets its fresher votes and loses
        nothing; a paper that is no longer listed stays."""
        told = set()
        async with self._database.write() as connection:
            known = await self._known(connection, collected)
            for paper in collected.papers:
                document = refresh(known[paper.id], paper) if paper.id in known else paper
                if paper.id not in known or _told(known[paper.id]) != _told(document):
                    told.add(paper.id)
                row = self._database.insert(sighting).values(
                    day=collected.day,
                    source=collected.source,
                    paper_id=paper.id,
                    document=_papers.dump_json(document).decode(),
                    seen_at=now,
                )
                await connection.execute(
                    row.on_conflict_do_update(
                        index_elements=[sighting.c.day, sighting.c.source, sighting.c.paper_id],
                        set_={"document": row.excluded.document, "seen_at": row.excluded.seen_at},
                    )
                )
            values: dict[str, Any] = {
                "papers": len(collected.papers),
                "skipped": _skipped.dump_json(collected.skipped).decode(),
                "silence": collected.silence,
                "problem": collected.problem,
                "collected_at": now,
            }
            await connection.execute(
                self._database.insert(collection)
                .values(source=collected.source, day=collected.day, **values)
                .on_conflict_do_update(index_elements=[collection.c.source, collection.c.day], set_=values)
            )
            await index(connection, (await _united(connection, told)).values())

    async def _known(self, connection: AsyncConnection, collected: Collected) -> dict[PaperId, Paper]:
        rows = await connection.execute(
            sa.select(sighting.c.document).where(sighting.c.day == collected.day, sighting.c.source == collected.source)
        )
        return {paper.id: paper for paper in (_papers.validate_json(row.document) for row in rows)}

    async def with_categories(self, ids: Iterable[PaperId]) -> dict[PaperId, Paper]:
        """Of these papers, those whose arXiv categories are known from an earlier collection."""
        wanted, found = list(ids), {}
        async with self._database.read() as connection:
            for start in range(0, len(wanted), 500):
                rows = await connection.execute(
                    sa.select(sighting.c.document).where(sighting.c.paper_id.in_(wanted[start : start + 500]))
                )
                for paper in (_papers.validate_json(row.document) for row in rows):
                    if paper.categories:
                        found[paper.id] = paper
        return found

    async def paper(self, identity: PaperId) -> Paper | None:
        """A paper as all who ever listed it know it together; None if nobody did."""
        return (await self.papers_of([identity])).get(identity)

    async def papers_of(self, ids: Collection[PaperId]) -> dict[PaperId, Paper]:
        """These papers, as far as they are known, each as all who ever listed it know it together."""
        async with self._database.read() as connection:
            return await _united(connection, ids)

    async def complete_index(self) -> None:
        """Makes findable what was kept before there was a search, a few papers in a transaction: collections and
        deliveries go on meanwhile."""
        while True:
            async with self._database.write() as connection:
                some = await unindexed(connection, INDEXED_AT_ONCE)
                await index(connection, (await _united(connection, some)).values())
            if len(some) < INDEXED_AT_ONCE:
                return

    async def papers(self, first: dt.date, last: dt.date, sources: Sequence[str]) -> tuple[Paper, ...]:
        """The papers that these sources listed from `first` to `last`, each once."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(sighting.c.document)
                .where(sighting.c.day.between(first, last), sighting.c.source.in_(sources))
                .order_by(sighting.c.day, sighting.c.source, sighting.c.paper_id)
            )
            return merge(_papers.validate_json(row.document) for row in rows)

    async def votes(self, first: dt.date, last: dt.date, sources: Sequence[str]) -> dict[PaperId, int]:
        """The votes of the papers that these sources listed from `first` to `last` and that could be voted on: the most
        that were seen."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(sighting.c.paper_id, sighting.c.document).where(
                    sighting.c.day.between(first, last), sighting.c.source.in_(sources)
                )
            )
            found: dict[PaperId, int] = {}
            for row in rows:
                if (votes := _voted.validate_json(row.document).upvotes) is not None:
                    found[row.paper_id] = max(votes, found.get(row.paper_id, 0))
            return found

    async def collections(self, first: dt.date, last: dt.date, sources: Sequence[str]) -> tuple[Collected, ...]:
        """How collecting these days went, newest day first; without the papers."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                sa.select(collection)
                .where(collection.c.day.between(first, last), collection.c.source.in_(sources))
                .order_by(collection.c.day.desc(), collection.c.source)
            )
            return tuple(
                Collected(
                    source=row.source,
                    day=row.day,
                    skipped=_skipped.validate_json(row.skipped),
                    silence=row.silence,
                    problem=row.problem,
                )
                for row in rows
            )

    # --- summaries

    async def summaries(self, ids: Iterable[PaperId]) -> dict[PaperId, str]:
        """The summaries that a model has written of these papers."""
        wanted, found = list(ids), dict[PaperId, str]()
        async with self._database.read() as connection:
            for start in range(0, len(wanted), 500):
                some = summary.c.paper_id.in_(wanted[start : start + 500])
                rows = await connection.execute(sa.select(summary).where(some, summary.c.text != ""))
                found |= {row.paper_id: row.text for row in rows}
        return found

    async def reserve_summaries(self, ids: Sequence[PaperId], limit: int, now: dt.datetime) -> list[PaperId]:
        """The first of these papers that a model may be asked for now: each once a day at most, and all processes
        together for no more than `limit` papers a day (in UTC). They count as asked for from now on."""
        midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        async with self._database.write() as connection:
            rows = (await connection.execute(sa.select(summary).where(summary.c.asked_at >= midnight))).all()
            asked = {row.paper_id for row in rows}
            chosen = [identity for identity in ids if identity not in asked][: max(limit - len(asked), 0)]
            if chosen:
                row = self._database.insert(summary).values(
                    [{"paper_id": identity, "text": "", "asked_at": now} for identity in chosen]
                )
                await connection.execute(
                    row.on_conflict_do_update(index_elements=[summary.c.paper_id], set_={"asked_at": now})
                )
        return chosen

    async def keep_summaries(self, texts: Mapping[PaperId, str], free: Collection[PaperId]) -> None:
        """Keeps what a model wrote, and gives back the reservations of papers that it was not asked for."""
        async with self._database.write() as connection:
            for identity, text in texts.items():
                await connection.execute(sa.update(summary).where(summary.c.paper_id == identity).values(text=text))
            await connection.execute(sa.delete(summary).where(summary.c.paper_id.in_(free), summary.c.text == ""))

    # --- editions

    async def first_day(self, newsletter: Newsletter, kind: Kind, day: dt.date) -> dt.date:
        """The first day whose papers the edition of `day` may hold: that of the edition before it, as far as the
        newsletter looks back; the day itself for its first edition. Of a weekly edition, the first of its week."""
        if kind is Kind.WEEKLY:
            return day - dt.timedelta(days=DAYS - 1 if newsletter.look_back else 0)
        async with self._database.read() as connection:
            previous = await connection.scalar(
                sa.select(sa.func.max(edition.c.day)).where(*_before(newsletter.slug, kind, day))
            )
        return max(previous, day - dt.timedelta(days=newsletter.look_back)) if previous else day

    async def shown_before(self, newsletter: str, kind: Kind, day: dt.date) -> frozenset[PaperId]:
        """The papers that stand in a frozen edition of this newsletter and kind dated before `day`.

        It looks back a year: a source does not list a paper again after that.
        """
        async with self._database.read() as connection:
            rows = await connection.scalars(
                sa.select(edition_paper.c.paper_id)
                .join(edition)
                .where(*_before(newsletter, kind, day), edition.c.day > day - dt.timedelta(days=366))
            )
            return frozenset(PaperId(row) for row in rows)

    async def earlier(self, newsletter: str, kind: Kind, first: dt.date, day: dt.date) -> tuple[Edition, ...]:
        """The frozen editions of this newsletter and kind dated from `first` on and before `day`, oldest first."""
        async with self._database.read() as connection:
            rows = await connection.scalars(
                sa.select(edition.c.document)
                .where(*_before(newsletter, kind, day), edition.c.day >= first)
                .order_by(edition.c.day)
            )
            return tuple(map(_editions.validate_json, rows))

    async def find(self, newsletter: str, kind: Kind, day: dt.date) -> Frozen | Edition | NoEdition | None:
        """What is kept for this day: a frozen edition, a draft, the reason why there is none, or nothing yet."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(edition).where(*_is(newsletter, kind, day)))).one_or_none()
        return None if row is None else _read(row)

    async def frozen(self, identity: int) -> Frozen | None:
        """The frozen edition that bears this number in the ledger."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(edition).where(edition.c.id == identity))).one_or_none()
        found = None if row is None else _read(row)
        return found if isinstance(found, Frozen) else None

    async def translated(self, identity: int, languages: Collection[str]) -> Mapping[str, bytes]:
        """The cards of a frozen edition in these languages, as far as they are kept."""
        mine = (edition_language.c.edition_id == identity, edition_language.c.language.in_(languages))
        async with self._database.read() as connection:
            query = sa.select(edition_language.c.language, edition_language.c.cards).where(*mine)
            return {row.language: row.cards for row in await connection.execute(query)}

    async def keep_translated(self, identity: int, language: str, cards: bytes) -> None:
        """Keeps the cards of a frozen edition in another language; the first ones stay."""
        row = self._database.insert(edition_language).values(edition_id=identity, language=language, cards=cards)
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_nothing())

    async def opened(self, identity: int, now: dt.datetime) -> None:
        """Notes that the ledger has a row for each reader of an edition."""
        async with self._database.write() as connection:
            await connection.execute(sa.update(edition).where(edition.c.id == identity).values(opened_at=now))

    async def hold(self, identity: int, now: dt.datetime, why: str) -> None:
        """Keeps an edition from being delivered any further, until it is released. The first reason stays."""
        mine = (edition.c.id == identity, edition.c.held_at.is_(None))
        async with self._database.write() as connection:
            await connection.execute(sa.update(edition).where(*mine).values(held_at=now, held_why=why))

    async def release(self, identity: int) -> bool:
        """Lets a delivery that was held go on; False: it was not held."""
        mine = (edition.c.id == identity, edition.c.held_at.is_not(None))
        async with self._database.write() as connection:
            done = await connection.execute(sa.update(edition).where(*mine).values(held_at=None, held_why=""))
            return done.rowcount > 0

    async def held(self, identity: int) -> str:
        """Since when and why a delivery is held, in words; empty: it is not."""
        query = sa.select(edition.c.held_at, edition.c.held_why).where(edition.c.id == identity)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None or row.held_at is None:
            return ""
        return f"held since {row.held_at:%Y-%m-%d %H:%M} UTC ({row.held_why})"

    async def unopened(self, newsletter: str, since: dt.datetime) -> Sequence[int]:
        """The editions frozen since then whose rows in the ledger were never all made: their delivery was cut off."""
        async with self._database.read() as connection:
            rows = await connection.scalars(
                sa.select(edition.c.id).where(
                    edition.c.newsletter == newsletter,
                    edition.c.state == "frozen",
                    edition.c.opened_at.is_(None),
                    edition.c.changed_at >= since,
                )
            )
            return rows.all()

    async def correct(self, corrected: Edition, cards: bytes, now: dt.datetime) -> Frozen:
        """Keeps what corrects a frozen edition; the first correction of it stays, and is returned."""
        row = self._database.insert(edition).values(
            newsletter=corrected.newsletter,
            kind=f"{corrected.kind}-fix",
            day=corrected.day,
            state="correction",
            number=corrected.number,
            document=_editions.dump_json(corrected).decode(),
            reason="",
            told="",
            cards=cards,
            changed_at=now,
            opened_at=now,
        )
        async with self._database.write() as connection:
            await connection.execute(row.on_conflict_do_nothing())
        found = await self.correction(corrected.newsletter, corrected.kind, corrected.day)
        assert found is not None  # noqa: S101 - it was kept above
        return found

    async def correction(self, newsletter: str, kind: Kind, day: dt.date) -> Frozen | None:
        """What corrects the edition of a day; None: nothing does."""
        mine = (edition.c.newsletter == newsletter, edition.c.kind == f"{kind}-fix", edition.c.day == day)
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(edition).where(*mine))).one_or_none()
        found = None if row is None else _read(row)
        return found if isinstance(found, Frozen) else None

    async def sizes_before(self, newsletter: str, kind: Kind, day: dt.date, count: int) -> Sequence[int]:
        """How many papers each of the latest frozen editions dated before `day` has, the latest first."""
        papers = sa.select(sa.func.count()).where(edition_paper.c.edition_id == edition.c.id).correlate(edition)
        query = sa.select(papers.scalar_subquery()).where(*_before(newsletter, kind, day))
        async with self._database.read() as connection:
            return (await connection.scalars(query.order_by(edition.c.day.desc()).limit(count))).all()

    async def latest(self, newsletter: str, kind: Kind = Kind.DAILY) -> Frozen | None:
        async with self._database.read() as connection:
            query = sa.select(edition).where(
                edition.c.newsletter == newsletter, edition.c.kind == kind, edition.c.state == "frozen"
            )
            row = (await connection.execute(query.order_by(edition.c.day.desc()).limit(1))).one_or_none()
        found = None if row is None else _read(row)
        return found if isinstance(found, Frozen) else None

    async def newest(self, newsletter: str, kind: Kind = Kind.DAILY) -> int | None:
        """The number in the ledger of the latest frozen edition: whether there is a newer one costs little to ask."""
        async with self._database.read() as connection:
            query = sa.select(edition.c.id).where(
                edition.c.newsletter == newsletter, edition.c.kind == kind, edition.c.state == "frozen"
            )
            found: int | None = await connection.scalar(query.order_by(edition.c.day.desc()).limit(1))
            return found

    async def before(self, number: int, count: int) -> Sequence[int]:
        """The numbers in the ledger of the latest frozen editions of the same kind before one, the latest first."""
        other = edition.alias()
        query = (
            sa.select(other.c.id)
            .join(edition, sa.and_(edition.c.newsletter == other.c.newsletter, edition.c.kind == other.c.kind))
            .where(edition.c.id == number, other.c.day < edition.c.day, other.c.state == "frozen")
            .order_by(other.c.day.desc())
            .limit(count)
        )
        async with self._database.read() as connection:
            return (await connection.scalars(query)).all()

    async def keep_draft(self, draft: Edition | NoEdition, now: dt.datetime) -> None:
        """Keeps a draft, or the reason why there is none, in place of an earlier one. A frozen edition stays."""
        empty = isinstance(draft, NoEdition)
        values = {
            "state": "none" if empty else "draft",
            "number": 0,
            "document": "" if isinstance(draft, NoEdition) else _editions.dump_json(draft).decode(),
            "reason": draft.reason if isinstance(draft, NoEdition) else "",
            "told": draft.told if isinstance(draft, NoEdition) else "",
            "changed_at": now,
        }
        row = self._database.insert(edition).values(
            newsletter=draft.newsletter, kind=draft.kind, day=draft.day, **values
        )
        async with self._database.write() as connection:
            await connection.execute(
                row.on_conflict_do_update(
                    index_elements=[edition.c.newsletter, edition.c.kind, edition.c.day],
                    set_=values,
                    where=edition.c.state != "frozen",
                )
            )
            if isinstance(draft, Edition):
                await set_topics(connection, {entry.paper.id: entry.topic for entry in draft.entries})

    async def next_number(self, newsletter: str, kind: Kind) -> int:
        """The number that the next edition will bear."""
        async with self._database.read() as connection:
            highest = await connection.scalar(
                sa.select(sa.func.max(edition.c.number)).where(
                    edition.c.newsletter == newsletter, edition.c.kind == kind
                )
            )
        return (highest or 0) + 1

    async def freeze(self, final: Edition, cards: bytes, now: dt.datetime) -> Frozen:
        """Freezes an edition with its cards; if another process was first, theirs is returned unchanged."""
        frozen = await self.freeze_if(final, cards, now, _always)
        assert frozen is not None  # noqa: S101 - nothing speaks against it
        return frozen

    async def freeze_if(
        self, final: Edition, cards: bytes, now: dt.datetime, allowed: Callable[[AsyncConnection], Awaitable[bool]]
    ) -> Frozen | None:
        """The same, if it is `allowed`, which is asked within the transaction; None: it is not."""
        values = {
            "state": "frozen",
            "number": final.number,
            "document": _editions.dump_json(final).decode(),
            "reason": "",
            "told": "",
            "cards": cards,
            "changed_at": now,
        }
        row = self._database.insert(edition).values(
            newsletter=final.newsletter, kind=final.kind, day=final.day, **values
        )
        async with self._database.write() as connection:
            if not await allowed(connection):
                return None
            identity = await connection.scalar(
                row.on_conflict_do_update(
                    index_elements=[edition.c.newsletter, edition.c.kind, edition.c.day],
                    set_=values,
                    where=edition.c.state != "frozen",
                ).returning(edition.c.id)
            )
            if identity is not None:
                papers = [
                    {"edition_id": identity, "paper_id": entry.paper.id, "topic": entry.topic}
                    for entry in final.entries
                ]
                await connection.execute(sa.insert(edition_paper), papers)
                await set_topics(connection, {entry.paper.id: entry.topic for entry in final.entries})
        frozen = await self.find(final.newsletter, final.kind, final.day)
        assert isinstance(frozen, Frozen)  # noqa: S101 - it was frozen above, and nothing unfreezes
        return frozen


async def _always(connection: AsyncConnection) -> bool:
    return True


async def _united(connection: AsyncConnection, ids: Collection[PaperId]) -> dict[PaperId, Paper]:
    wanted, found = sorted(ids), list[Paper]()
    for start in range(0, len(wanted), 500):
        rows = await connection.execute(
            sa.select(sighting.c.document).where(sighting.c.paper_id.in_(wanted[start : start + 500]))
        )
        found += (_papers.validate_json(row.document) for row in rows)
    return {paper.id: paper for paper in merge(found)}


def _told(paper: Paper) -> object:
    """What of a paper can be searched for."""
    return paper.title, paper.abstract, paper.authors, paper.keywords, paper.organisation, paper.day


def _is(newsletter: str, kind: Kind, day: dt.date) -> tuple[sa.ColumnElement[bool], ...]:
    return (edition.c.newsletter == newsletter, edition.c.kind == kind, edition.c.day == day)


def _before(newsletter: str, kind: Kind, day: dt.date) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        edition.c.newsletter == newsletter,
        edition.c.kind == kind,
        edition.c.state == "frozen",
        edition.c.day < day,
    )


def _read(row: sa.Row[Any]) -> Frozen | Edition | NoEdition:
    if row.state == "none":
        kind = Kind(row.kind)
        return NoEdition(newsletter=row.newsletter, kind=kind, day=row.day, reason=row.reason, told=row.told)
    document = _editions.validate_json(row.document)
    if row.state == "draft":
        return document
    corrects = row.state == "correction"
    return Frozen(id=row.id, edition=document, cards=row.cards, at=row.changed_at, correction=corrects)
