"""The command with settings of a test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.commands.cli import main
from flows.commands.preview import WatchedMail
from flows.storage.database import Database
from tests.commands.calls import Ended, Run
from tests.commands.watching import NEWSLETTER, style, watched_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder and settings of the test's own; nothing can reach a service."""
    for name in [name for name in os.environ if name.startswith("PAPERROUND_")]:
        monkeypatch.delenv(name)
    given = {
        "HOME_DIR": tmp_path / "home",
        "CACHE_DIR": tmp_path / "cache",
        "MAIL_URL": f"maildir://{tmp_path / 'outbox'}",
        "HUGGINGFACE_URL": "http://127.0.0.1:9",
        "ARXIV_URL": "http://127.0.0.1:9",
        "ARXIV_RSS_URL": "http://127.0.0.1:9",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"PAPERROUND_{name}", str(value))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: a new one takes a second to start."""

    def call(*arguments: object, **environment: object) -> Ended:
        with monkeypatch.context() as during:
            for name, value in environment.items():
                during.setenv(f"PAPERROUND_{name}", str(value))
            with pytest.raises(SystemExit) as ended:
                main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, captured.out, captured.err)

    return call


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The operator's folders, with a look of the newsletter `robots`."""
    (tmp_path / "newsletters").mkdir()
    (tmp_path / "newsletters/robots.toml").write_text(NEWSLETTER + 'look = "own"\n')
    (tmp_path / "templates/email/digest/own").mkdir(parents=True)
    style(tmp_path, "#123456")
    return tmp_path


@pytest.fixture
def watched(database: Database, own: Path) -> WatchedMail:
    return watched_of(database, own)
