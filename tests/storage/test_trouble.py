"""What the database's own state keeps from being done is one sentence with its remedy, whoever asked."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from flows.outcomes import Problem
from flows.storage.database import Database, connect, migrate, trouble
from tests.conftest import postgresql_server
from tests.running_processes import web_process


def command(home: Path, *arguments: str, **given: str) -> tuple[int, str]:
    environment = {**os.environ, "PAPERROUND_HOME_DIR": str(home), **given}
    done = subprocess.run(
        [sys.executable, "-m", "flows", *arguments], env=environment, capture_output=True, timeout=120, check=False
    )
    return done.returncode, done.stderr.decode()


async def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """As SQLite says it where there is no room for another page."""
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'p.db'}")
    await migrate(database)

    async def fill() -> None:
        async with database.write() as connection:
            pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 1}")
            await connection.exec_driver_sql(f"INSERT INTO summary VALUES ('x', '{'y' * 100_000}', 1)")

    with pytest.raises(Problem, match="The disk is full where the database lies: make room"):
        await fill()
    await database.close()


def test_a_command_says_that_the_database_is_locked(tmp_path: Path) -> None:
    assert command(tmp_path, "subscribers", "add", "ada@example.org")[0] == 0
    held = sqlite3.connect(tmp_path / "paperround.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    status, said = command(tmp_path, "subscribers", "add", "ben@example.org")
    held.close()
    assert (status, said.count("\n")) == (2, 1)
    assert "Another process has kept the database locked for too long: stop what copies or examines it" in said


async def test_a_postgresql_that_is_gone_is_told(tmp_path: Path) -> None:
    with postgresql_server() as url:
        if url is None:
            pytest.skip("no PostgreSQL programs on this machine")
        database = connect(url)
        await migrate(database)
        async with database.read() as connection:
            await connection.execute(sa.select(1))
        with pytest.raises(Problem, match=r"does not answer .*: look whether it runs"):
            async with database.read() as connection:
                await connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with pytest.raises(Problem, match=r"does not answer .*: look whether it runs"):
        async with database.read() as connection:
            await connection.execute(sa.select(1))
    await database.close()


async def test_a_statement_that_is_wrong_is_no_trouble_of_the_databases(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError) as error:
        async with database.read() as connection:
            await connection.execute(sa.text("SELECT nothing FROM nowhere"))
    assert trouble(error.value) == ""


def test_the_site_asks_visitors_to_come_back_and_tells_the_operator_why(tmp_path: Path) -> None:
    with web_process(tmp_path) as site:
        held = sqlite3.connect(tmp_path / "paperround.db", isolation_level=None)
        held.execute("BEGIN IMMEDIATE")
        form = {"address": "ada@example.org", "newsletter": "daily"}
        answer = httpx.post(f"{site}/subscribe", data=form, trust_env=False, timeout=60)
        held.close()
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "120")
        assert "Back in a few minutes" in answer.text
        assert "locked" not in answer.text
        assert httpx.post(f"{site}/subscribe", data=form, trust_env=False, timeout=60).status_code == 303
    log = (tmp_path / "web.log").read_text()
    assert "Another process has kept the database locked" in log
    assert "Traceback" not in log
