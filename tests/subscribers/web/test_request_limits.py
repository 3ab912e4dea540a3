from __future__ import annotations

import asyncio
import datetime as dt

from flows.storage.database import Database, connect
from subscribers.web.request_limits import Limits
from tests.factories import HASHING_KEY
from tests.subscribers.everyone import DAY, HOUR, NOW, everything_kept

WHO = "192.0.2.77"


async def test_it_is_allowed_so_often_in_a_window(database: Database) -> None:
    limits = Limits(database, HASHING_KEY)
    allowed = [
        await limits.allow("sign-up", WHO, 3, HOUR, NOW + minutes * dt.timedelta(minutes=1)) for minutes in range(6)
    ]
    assert allowed == [True, True, True, False, False, False]
    assert await limits.allow("sign-up", WHO, 3, HOUR, NOW + HOUR)


async def test_a_window_ends_on_the_hour(database: Database) -> None:
    limits = Limits(database, HASHING_KEY)
    end = dt.datetime(2026, 6, 9, 8, tzinfo=dt.UTC)
    assert await limits.allow("sign-up", WHO, 1, HOUR, NOW)
    assert not await limits.allow("sign-up", WHO, 1, HOUR, end - dt.timedelta(milliseconds=1))
    assert await limits.allow("sign-up", WHO, 1, HOUR, end)


async def test_each_is_counted_alone(database: Database) -> None:
    limits = Limits(database, HASHING_KEY)
    for what, who in (("sign-up", WHO), ("sign-up", "192.0.2.78"), ("link", WHO), ("link\0192", ".0.2.77")):
        assert await limits.allow(what, who, 1, HOUR, NOW)
        assert not await limits.allow(what, who, 1, HOUR, NOW)


async def test_nothing_at_all_can_be_allowed(database: Database) -> None:
    assert not await Limits(database, HASHING_KEY).allow("sign-up", WHO, 0, HOUR, NOW)
    assert "rate" not in await everything_kept(database)


async def test_the_limit_holds_over_all_processes(database: Database) -> None:
    """Each has an engine and connections of its own, and all ask at the same moment."""
    url = database.engine.url.render_as_string(hide_password=False)
    others = [connect(url) for _ in range(4)]
    asked = (Limits(other, HASHING_KEY).allow("sign-up", WHO, 7, DAY, NOW) for other in others for _ in range(5))
    assert sum(await asyncio.gather(*asked)) == 7
    for other in others:
        await other.close()


async def test_nobody_is_kept_by_name(database: Database) -> None:
    await Limits(database, HASHING_KEY).allow("sign-up", WHO, 1, HOUR, NOW)
    assert WHO not in await everything_kept(database)
