"""Whatever a process is: with other keys than the installation's it does nothing, and says what to do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flows.config.settings import Settings
from flows.context import open_context
from tests.conftest import free_port
from tests.running_processes import by_itself

FLOW = "import asyncio; from flows.upkeep import upkeep; asyncio.run(upkeep())"


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "flows", "subscribers", "list"),
        ("-m", "flows", "deliver", "--date", "2026-06-09", "--newsletter", "sample"),
        ("-m", "flows", "returns"),
        ("-m", "flows", "web", "--port", "PORT"),
        ("-m", "flows", "up", "--port", "PORT", "--prefect-port", "PORT"),
        ("-c", FLOW),
    ],
    ids=lambda command: command[2] if "-m" in command else "a flow run",
)
def test_a_process_with_other_keys_does_nothing(tmp_path: Path, command: tuple[str, ...]) -> None:
    database = f"sqlite:///{tmp_path / 'shared.db'}"

    async def begin() -> None:
        async with open_context(Settings(_env_file=None, home_dir=tmp_path / "first", database_url=database)):
            pass

    asyncio.run(begin())
    (tmp_path / "returns").mkdir()
    for part in ("new", "cur", "tmp"):
        (tmp_path / "returns" / part).mkdir()
    home = tmp_path / "second"
    ended = by_itself(
        tmp_path,
        *[str(free_port()) if one == "PORT" else one for one in command],
        home_dir=str(home),
        database_url=database,
        mail_url=f"maildir://{tmp_path / 'outbox'}",
        returns_url=f"maildir://{tmp_path / 'returns'}",
    )
    assert ended.returncode != 0
    said = ended.stdout + ended.stderr
    assert "another PAPERROUND_SECRET_KEY" in said, said
    assert "copy the file secret_key from the other machine's home folder" in " ".join(said.split())
    assert not any((home / name).exists() for name in ("secret_key", "suppression_key"))
    assert not (tmp_path / "outbox").exists()
