"""Who came and who left, counted by newsletter and time."""

from __future__ import annotations

from flows.storage.database import Database
from subscribers.people.movements import movements
from tests.subscribers.everyone import ADA, HOUR, NOW, asked, people, reader


async def test_those_who_confirmed_and_those_who_left_are_counted_within_a_time(database: Database) -> None:
    ada = await reader(database, ADA)
    await reader(database, "ben@example.org", now=NOW + HOUR)
    await asked(database, "cleo@example.org")
    await people(database).unsubscribe(ada.id, NOW + HOUR)
    assert await movements(database, "daily", NOW, NOW + HOUR) == (1, 0)
    assert await movements(database, "daily", NOW + HOUR, NOW + 2 * HOUR) == (1, 1)
    assert await movements(database, "daily", NOW, NOW + 2 * HOUR) == (2, 1)
    assert await movements(database, "arxiv", NOW, NOW + 2 * HOUR) == (0, 0)
