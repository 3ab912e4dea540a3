from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.config.settings import Settings
from flows.context import open_context
from flows.storage.private_files import keep_all_private, open_to_others
from tests.running_processes import web_process


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """As where everybody may do everything, and as it was afterwards."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(home: Path) -> dict[str, int]:
    """The permissions of a folder and of all that is in it."""
    return {str(one): stat.S_IMODE(one.lstat().st_mode) for one in (home, *home.rglob("*")) if not one.is_symlink()}


def told(home: Path) -> dict[str, int]:
    return {one: mode for one, mode in modes(home).items() if mode & 0o077}


def test_what_a_running_web_app_keeps_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Database, keys and mails: while they are in use, and though an earlier version left them open."""
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    with web_process(home):
        pass
    for one in (home, *home.rglob("*")):
        one.chmod(0o777 if one.is_dir() else 0o666)
    with web_process(home):
        assert {"paperround.db", "paperround.db-wal", "paperround.db-shm", "secret_key"} <= set(os.listdir(home))
        assert {one: mode for one, mode in told(home).items() if not one.endswith("web.log")} == {}


def test_an_export_is_for_its_owner_alone(tmp_path: Path) -> None:
    out = tmp_path / "readers.csv"
    environment = {**os.environ, "PAPERROUND_HOME_DIR": str(tmp_path / "home")}
    for arguments in (["add", "ada@example.org"], ["export", str(out)]):
        command = [sys.executable, "-m", "flows", "subscribers", *arguments]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
    assert b"ada@example.org" in out.read_bytes()
    assert told(tmp_path / "home") == {}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


async def test_a_database_elsewhere_is_closed_too_and_its_folder_is_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "data" / "p.db"
    settings = Settings(_env_file=None, home_dir=tmp_path / "home", database_url=f"sqlite:///{elsewhere}")
    for _ in range(2):
        async with open_context(settings):
            assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
        elsewhere.parent.chmod(0o755)
        elsewhere.chmod(0o644)
    assert stat.S_IMODE(elsewhere.parent.stat().st_mode) == 0o755


def test_everything_below_is_mended_and_links_lead_nowhere(tmp_path: Path) -> None:
    home, foreign = tmp_path / "home", tmp_path / "foreign"
    foreign.write_text("somebody else's")
    deep = home / "prefect" / "storage" / "result"
    deep.parent.mkdir(parents=True)
    deep.write_text("x")
    (home / "link").symlink_to(foreign)
    keep_all_private(home)
    assert told(home) == {}
    assert stat.S_IMODE(foreign.stat().st_mode) == 0o666


def test_a_folder_that_is_shared_with_others_is_not_closed(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    keep_all_private(shared)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777


def test_what_lies_in_a_closed_folder_is_open_to_nobody(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    key = tmp_path / "home" / "key"
    key.parent.mkdir()
    key.write_text("secret")
    parents_closed = any(not one.stat().st_mode & 0o011 for one in tmp_path.parents)
    assert open_to_others(key) == ([] if parents_closed else [key])
    key.parent.chmod(0o700)
    assert open_to_others(key, key.parent) == []
