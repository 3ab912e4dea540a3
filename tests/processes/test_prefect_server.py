"""The environment of Prefect's processes, whatever the home is called."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from flows.config.settings import Settings
from flows.processes.prefect_server import prefect_environment

API = "http://127.0.0.1:4200/api"


@pytest.mark.parametrize("name", ["why?", "50% why? #1"])
async def test_prefects_database_lies_in_the_home_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    settings = Settings(_env_file=None, home_dir=tmp_path / name)
    made = prefect_environment(settings, API, {})
    engine = create_async_engine(made["PREFECT_SERVER_DATABASE_CONNECTION_URL"])
    async with engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE trial (one INTEGER)"))
    await engine.dispose()
    assert (tmp_path / name / "prefect/prefect.db").is_file()


def test_an_ordinary_name_is_left_to_prefect(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home_dir=tmp_path / "home")
    assert "PREFECT_SERVER_DATABASE_CONNECTION_URL" not in prefect_environment(settings, API, {})
