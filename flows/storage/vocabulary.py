"""The words that papers hold, so that a misspelt one can be told from what is meant."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import metadata
from flows.storage.near_misses import ends_of, nearest, slips_in
from flows.storage.query import MAX_WORD

_BY_CODE_POINTS = sa.String(MAX_WORD).with_variant(sa.String(MAX_WORD, collation="C"), "postgresql")
"""In the order of code points, so that what begins alike stands together."""
vocabulary = sa.Table(
    "vocabulary",
    metadata,
    sa.Column("word", _BY_CODE_POINTS, primary_key=True, comment="in its one spelling"),
    sa.Column("backwards", _BY_CODE_POINTS, nullable=False, index=True, comment="from its last letter to its first"),
    sa.Column("written", sa.Text, nullable=False, comment="as the first paper that held it wrote it"),
    comment="the words of all papers that the search knows",
)

LOOKED_AT = 3000
"""Words of the same beginning, and of the same end, that are compared with one that is misspelt."""
_LAST = "\U0010ffff"


async def learn(connection: AsyncConnection, spellings: Mapping[str, str]) -> None:
    """Keeps words, each with how it is written, in the caller's transaction. What is known stays as it is."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    # in one order, so that two processes never wait for each other's rows
    rows = [{"word": word, "backwards": word[::-1], "written": spellings[word]} for word in sorted(spellings)]
    if rows:
        await connection.execute(insert(vocabulary).on_conflict_do_nothing(), rows)


async def near(connection: AsyncConnection, word: str, most: int) -> list[tuple[int, str, str]]:
    """The known words that a word may have been meant for, the nearest first: slips, the word, and how it is written.

    It reads twice `LOOKED_AT` words at most.
    """
    beginning, end = ends_of(word)
    room = slips_in(word)
    written: dict[str, str] = {}
    for column, half in ((vocabulary.c.word, beginning), (vocabulary.c.backwards, end[::-1])):
        rows = await connection.execute(
            sa.select(vocabulary.c.word, vocabulary.c.written)
            .where(column >= half, column < half + _LAST)
            .where(sa.func.length(column).between(len(word) - room, len(word) + room))
            .limit(LOOKED_AT)
        )
        written |= {row.word: row.written for row in rows}
    return [(slips, other, written[other]) for slips, other in nearest(word, written, most)]
