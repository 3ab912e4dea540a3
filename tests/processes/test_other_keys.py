"""Whatever a process is: with other keys than the installation's it does nothing, and says what to do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.config.settings import Settings
from flows.context import open_context
from tests.conftest import free_port

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
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PAPERROUND_", "PREFECT_"))
    }
    environment |= {
        "PAPERROUND_HOME_DIR": str(home),
        "PAPERROUND_DATABASE_URL": database,
        "PAPERROUND_MAIL_URL": f"maildir://{tmp_path / 'outbox'}",
        "PAPERROUND_RETURNS_URL": f"maildir://{tmp_path / 'returns'}",
        # a flow by itself has Prefect start what it needs
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    words = [str(free_port()) if one == "PORT" else one for one in command]
    ended = subprocess.run(
        [sys.executable, "-P", *words],
        check=False,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert ended.returncode != 0
    said = ended.stdout + ended.stderr
    assert "another PAPERROUND_SECRET_KEY" in said, said
    assert "copy the file secret_key from the other machine's home folder" in " ".join(said.split())
    assert not any((home / name).exists() for name in ("secret_key", "suppression_key"))
    assert not (tmp_path / "outbox").exists()
