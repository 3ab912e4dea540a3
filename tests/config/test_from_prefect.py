"""What was set in Prefect counts for every process of the machine, and is not handed on as the environment's."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.config import from_prefect
from flows.config.settings import load_settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAPERROUND_HOME_DIR", str(tmp_path))
    monkeypatch.setenv("PAPERROUND_MAIL_URL", "smtp://of.the.environment")
    return tmp_path


def test_it_counts_more_than_the_environment_and_goes_when_it_is_taken_away(home: Path) -> None:
    from_prefect.keep(home, {"mail_url": "smtp://of.prefect", "mail_rate": "7/s"})
    settings = load_settings(env_file=None)
    assert settings.mail_url.get_secret_value() == "smtp://of.prefect"
    assert settings.limit.rate == 7
    assert settings.environment()["PAPERROUND_MAIL_URL"] == "smtp://of.the.environment"
    assert "PAPERROUND_MAIL_RATE" not in settings.environment()
    assert (home / from_prefect.FILE).stat().st_mode & 0o077 == 0
    from_prefect.keep(home, {})
    assert load_settings(env_file=None).mail_url.get_secret_value() == "smtp://of.the.environment"
    assert not list(home.iterdir())


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00", '{"mail_url": 3, "home_dir": "/", "secret_key": "x"}'])
def test_a_file_that_is_none_of_ours_says_nothing(home: Path, content: str) -> None:
    (home / from_prefect.FILE).write_text(content)
    assert from_prefect.read(home) == {}
    assert load_settings(env_file=None).home_dir == home


def test_what_is_the_same_is_not_written_again(home: Path) -> None:
    from_prefect.write(home / "key", b"1")
    before = (home / "key").stat()
    from_prefect.write(home / "key", b"1")
    assert (home / "key").stat().st_ino == before.st_ino
    from_prefect.write(home / "key", b"2")
    assert (home / "key").read_bytes() == b"2"
