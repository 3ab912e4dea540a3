"""Operators who are logged in. The login is the installation's; a session is known by a hash alone."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets

import sqlalchemy as sa

from flows.storage.database import Database
from subscribers.tables import operator_session
from subscribers.tokens import keyed

LIFE = dt.timedelta(days=7)
"""How long one stays logged in."""


class Sessions:
    """Kept in the database, so that logging out ends a session for whoever holds its token; another login ends all."""

    def __init__(self, database: Database, login: str) -> None:
        self._database = database
        self._login = login.encode()

    def fits(self, typed: str) -> bool:
        """Whether that is the login."""
        return hmac.compare_digest(typed.encode("utf-8", "surrogatepass"), self._login)

    async def open(self, now: dt.datetime) -> str:
        """A new session's token."""
        token = secrets.token_urlsafe(32)
        row = {"key": self._key(token), "until": now + LIFE}
        async with self._database.write() as connection:
            await connection.execute(sa.delete(operator_session).where(operator_session.c.until < now))
            await connection.execute(sa.insert(operator_session).values(row))
        return token

    async def is_open(self, token: str, now: dt.datetime) -> bool:
        if not token:
            return False
        mine = (operator_session.c.key == self._key(token), operator_session.c.until > now)
        async with self._database.read() as connection:
            return await connection.scalar(sa.select(operator_session.c.key).where(*mine)) is not None

    async def close(self, token: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(sa.delete(operator_session).where(operator_session.c.key == self._key(token)))

    def _key(self, token: str) -> str:
        return keyed("session", token, self._login)
