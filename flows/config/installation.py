"""One installation, one set of keys: their fingerprints stand in its database, and who has others is refused.

A machine that joined the database with keys of its own would send links that nobody's pages take, and mail addresses
that were never to be mailed again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

import sqlalchemy as sa

from flows.config.settings import SECRET_KEY, SUPPRESSION_KEY, Settings
from flows.outcomes import Problem
from flows.storage.database import Database, metadata

fingerprint = sa.Table(
    "fingerprint",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True, comment="the setting that holds the key"),
    sa.Column("value", sa.String(43), nullable=False, comment="a hash that tells the key from others"),
)

_COSTS = {
    SECRET_KEY: "the links in its mails would lead nowhere",
    SUPPRESSION_KEY: "addresses that are never to be mailed would be",
}


async def check_keys(database: Database, settings: Settings) -> None:
    """Sees that this process has the keys of the database's installation; the first process of all says which.

    A newer key that signs is taken over from whoever still verifies with the one before. Raises Problem.
    """
    kept = await _kept(database)
    if kept and settings.lacks_keys:  # none is made that would be another
        raise _other(SECRET_KEY if SECRET_KEY in kept else SUPPRESSION_KEY, settings)
    ours = _marks(settings)
    if any(name not in kept for name in ours):
        async with database.write() as connection:
            for name, value in ours.items():
                row = database.insert(fingerprint).values(name=name, value=value)
                await connection.execute(row.on_conflict_do_nothing())
        kept = await _kept(database)
    if kept[SUPPRESSION_KEY] != ours[SUPPRESSION_KEY]:
        raise _other(SUPPRESSION_KEY, settings)
    if kept[SECRET_KEY] != ours[SECRET_KEY]:
        if kept[SECRET_KEY] not in [_mark(SECRET_KEY, key) for key in settings.keys[1:]]:
            raise _other(SECRET_KEY, settings)
        await _keep(database, {SECRET_KEY: ours[SECRET_KEY]})


async def adopt_keys(database: Database, settings: Settings) -> None:
    """Makes this process's keys the installation's, whatever they were: where the others are lost."""
    await _keep(database, _marks(settings))


async def differing(database: Database, settings: Settings) -> str:
    """What a process with these keys is told where they are not the installation's; empty: they are, or none are
    known yet. Makes and changes nothing."""
    kept = await _kept(database)
    if not kept:
        return ""
    if settings.lacks_keys:
        return str(_other(SECRET_KEY, settings))
    if kept.get(SUPPRESSION_KEY) != _marks(settings)[SUPPRESSION_KEY]:
        return str(_other(SUPPRESSION_KEY, settings))
    known = [_mark(SECRET_KEY, key) for key in settings.keys]
    return "" if kept.get(SECRET_KEY) in known else str(_other(SECRET_KEY, settings))


def _marks(settings: Settings) -> dict[str, str]:
    return {
        SECRET_KEY: _mark(SECRET_KEY, settings.keys[0]),
        SUPPRESSION_KEY: _mark(SUPPRESSION_KEY, settings.hashing_key),
    }


def _mark(name: str, key: bytes) -> str:
    return hmac.digest(key, b"fingerprint of " + name.encode(), hashlib.sha256).hex()[:32]


async def _kept(database: Database) -> Mapping[str, str]:
    async with database.read() as connection:
        rows = await connection.execute(sa.select(fingerprint.c.name, fingerprint.c.value))
        return {row.name: row.value for row in rows}


async def _keep(database: Database, marks: Mapping[str, str]) -> None:
    async with database.write() as connection:
        for name, value in marks.items():
            row = database.insert(fingerprint).values(name=name, value=value)
            await connection.execute(
                row.on_conflict_do_update(index_elements=[fingerprint.c.name], set_={"value": value})
            )


def _other(name: str, settings: Settings) -> Problem:
    setting = f"PAPERROUND_{name.upper()}"
    there = f"copy the file {name} from the other machine's home folder into {settings.home_dir}"
    return Problem(
        f"The database belongs to an installation with another {setting}: {_COSTS[name]}. Set it to the one that "
        f"the other processes have, or {there}; if that one is lost, `paperround keys adopt` says what to do."
    )
