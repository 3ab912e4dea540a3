"""One database, one set of keys: a machine with others is refused before it does anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows.config.installation import adopt_keys
from flows.config.settings import Settings
from flows.context import open_context
from flows.outcomes import Problem
from flows.storage.database import Database

A, B, C = (f"a key of sixteen letters or more: {name}" for name in "ABC")


async def opens(database: Database, home: Path, **given: Any) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    async with open_context(Settings(_env_file=None, home_dir=home, database_url=url, **given)):
        pass


async def test_a_second_machine_with_keys_of_its_own_is_refused_and_makes_none(
    database: Database, tmp_path: Path
) -> None:
    await opens(database, tmp_path / "first")
    await opens(database, tmp_path / "first")
    for _ in range(2):
        with pytest.raises(Problem, match="another PAPERROUND_SECRET_KEY: the links in its mails would lead nowhere"):
            await opens(database, tmp_path / "second")
    assert not any((tmp_path / "second" / name).exists() for name in ("secret_key", "suppression_key"))
    for name in ("secret_key", "suppression_key"):
        key = (tmp_path / "first" / name).read_text()
        (tmp_path / "second").mkdir(exist_ok=True)
        (tmp_path / "second" / name).write_text(key)
    await opens(database, tmp_path / "second")


async def test_a_machine_with_another_suppression_key_is_refused(database: Database, tmp_path: Path) -> None:
    await opens(database, tmp_path, secret_key=A, suppression_key=A)
    with pytest.raises(Problem, match="another PAPERROUND_SUPPRESSION_KEY: addresses that are never to be mailed"):
        await opens(database, tmp_path, secret_key=A, suppression_key=B)
    with pytest.raises(Problem, match="copy the file secret_key from the other machine's home folder"):
        await opens(database, tmp_path, secret_key=B, suppression_key=A)


async def test_a_newer_key_takes_over_from_one_that_still_verifies(database: Database, tmp_path: Path) -> None:
    for keys in (A, f"{B},{A}", f"{A},{B}", f"{B},{A}", B, f"{C},{B},{A}"):
        await opens(database, tmp_path, secret_key=keys, suppression_key=A)
    for keys in (A, B, f"{B},{A}"):
        with pytest.raises(Problem, match="another PAPERROUND_SECRET_KEY"):
            await opens(database, tmp_path, secret_key=keys, suppression_key=A)


async def test_keys_are_adopted_where_the_others_are_lost(database: Database, tmp_path: Path) -> None:
    await opens(database, tmp_path, secret_key=A, suppression_key=A)
    await adopt_keys(database, Settings(_env_file=None, home_dir=tmp_path, secret_key=B, suppression_key=B))
    await opens(database, tmp_path, secret_key=B, suppression_key=B)
    with pytest.raises(Problem):
        await opens(database, tmp_path, secret_key=A, suppression_key=A)


async def test_no_key_stands_in_the_database(database: Database, tmp_path: Path) -> None:
    await opens(database, tmp_path, secret_key=A, suppression_key=B)
    async with database.read() as connection:
        rows: Any = (await connection.exec_driver_sql("SELECT name, value FROM fingerprint ORDER BY name")).all()
    assert [name for name, _ in rows] == ["secret_key", "suppression_key"]
    assert not any(key in value for _, value in rows for key in (A, B))
