"""The words that papers hold, kept once, and found by those that are nearly the same."""

from __future__ import annotations

from flows.storage.database import Database
from flows.storage.vocabulary import learn, near


async def test_a_word_is_kept_as_it_was_written_first(database: Database) -> None:
    async with database.write() as connection:
        await learn(connection, {"transformer": "Transformer"})
        await learn(connection, {"transformer": "TRANSFORMER", "quantised": "quantised"})
        await learn(connection, {})
        assert await near(connection, "transfomer", 5) == [(1, "transformer", "Transformer")]


async def test_a_slip_at_either_end_is_found_the_nearest_first_and_no_word_itself(database: Database) -> None:
    async with database.write() as connection:
        await learn(connection, {word: word for word in ("attention", "retention", "bridges")})
        assert await near(connection, "atention", 5) == [(1, "attention", "attention"), (2, "retention", "retention")]
        assert await near(connection, "xttention", 1) == [(1, "attention", "attention")]
        assert [word for _, word, _ in await near(connection, "bridges", 5)] == []
        assert await near(connection, "telescope", 5) == []
