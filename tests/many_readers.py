"""Very many readers in a PostgreSQL, made by the database itself."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.storage.database import milliseconds

_PEOPLE = """
INSERT INTO subscriber (id, email, email_key, created_at)
SELECT i, email, email, :now FROM generate_series(1, :count) i,
  LATERAL (SELECT 'reader' || i || '@mail' || i % :domains || '.example.org' AS email) named
"""
_SUBSCRIPTIONS = """
INSERT INTO subscription (id, subscriber_id, newsletter, state, topics, keywords, authors, frequency, hour, zone, tags,
  consent_source, consent_at, changed_at)
SELECT id, id, 'daily', 'confirmed', {topics}, {keywords}, '[]', 'daily', {hour}, 'UTC', '[]', 'form', :now, :now
FROM subscriber
"""


async def many_readers(
    connection: AsyncConnection,
    count: int,
    now: dt.datetime,
    *,
    domains: int = 500,
    topics: str = "'[]'",
    keywords: str = "'[]'",
    hour: str = "NULL",
) -> None:
    """Readers 1 to `count` of the newsletter `daily`, confirmed: reader7@mail7.example.org and so on. What they have
    chosen is SQL over their `id`."""
    at = milliseconds(now)
    await connection.execute(sa.text(_PEOPLE), {"count": count, "now": at, "domains": domains})
    chosen = _SUBSCRIPTIONS.format(topics=topics, keywords=keywords, hour=hour)
    await connection.execute(sa.text(chosen), {"now": at})
