from __future__ import annotations

import datetime as dt
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flows.config.settings import Settings, load_settings
from flows.outcomes import Problem
from flows.sending.limits import Limit
from subscribers.policy import BACK_OFF


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder of the test's own, and none of the settings of who runs it."""
    for name in [name for name in os.environ if name.startswith("PAPERROUND_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_nothing_need_be_set() -> None:
    settings = load_settings()
    assert settings.home_dir.is_absolute()
    assert settings.database == f"sqlite+aiosqlite:///{settings.home_dir}/paperround.db"
    assert settings.bounces_to == "paperround@localhost"


def test_settings_come_from_the_environment_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PAPERROUND_MAIL_RATE=5\nPAPERROUND_MAIL_CONNECTIONS=7\nOTHER=1\n")
    monkeypatch.setenv("PAPERROUND_MAIL_RATE", "9.5")
    monkeypatch.setenv("PAPERROUND_PUBLIC_URL", "")
    settings = load_settings()
    assert (settings.mail_rate, settings.mail_connections) == ("9.5", 7)
    assert settings.public_url == "http://127.0.0.1:8180"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MAIL_CONNECTIONS", "0", "PAPERROUND_MAIL_CONNECTIONS is '0', which is not accepted: should be 1 or more."),
        (
            "MAIL_CONNECTIONS",
            "101",
            "PAPERROUND_MAIL_CONNECTIONS is '101', which is not accepted: should be 100 or less.",
        ),
        ("MAIL_CONNECTIONS", "2.5", "PAPERROUND_MAIL_CONNECTIONS is '2.5', which is not accepted: should be a whole"),
        ("MAIL_CONNECTIONS", "9" * 5000, "PAPERROUND_MAIL_CONNECTIONS is '9999"),
        (
            "MAIL_RATE",
            "-1",
            "PAPERROUND_MAIL_RATE is '-1', which is not accepted: has '-1': write it as",
        ),
        ("MAIL_RATE", "nan", "PAPERROUND_MAIL_RATE is 'nan', which is not accepted: has 'nan': write it as"),
        ("MAIL_WARM_UP", "200", "PAPERROUND_MAIL_WARM_UP is '200', which is not accepted: should be a first day and"),
        (
            "MAIL_LIMITS",
            "gmail.com = fast",
            "PAPERROUND_MAIL_LIMITS is 'gmail.com = fast', which is not accepted: has 'fast': write it as",
        ),
        ("MAIL_BACK_OFF", "1, soon", "PAPERROUND_MAIL_BACK_OFF is '1, soon', which is not accepted: should be minutes"),
        ("MAIL_BACK_OFF", "0", "PAPERROUND_MAIL_BACK_OFF is '0', which is not accepted: should be minutes"),
        ("MAIL_GIVE_UP", "0", "PAPERROUND_MAIL_GIVE_UP is '0', which is not accepted: should be more than 0."),
        ("MAIL_UNCERTAIN", "drop", "PAPERROUND_MAIL_UNCERTAIN is 'drop', which is not accepted: should be 'resend' or"),
        ("ARXIV_INTERVAL", "soon", "PAPERROUND_ARXIV_INTERVAL is 'soon', which is not accepted: should be a number."),
        ("SENDER", "Paperround", "PAPERROUND_SENDER is 'Paperround', which is not accepted: should be a name and"),
        ("SENDER", "A <a@b>\r\nBcc: x@y", "PAPERROUND_SENDER is 'A <a@b>\\r\\nBcc: x@y', which"),
        ("RETURN_PATH", "B <b@example.org>", "PAPERROUND_RETURN_PATH is 'B <b@example.org>', which"),
        (
            "PUBLIC_URL",
            "papers.example.org",
            "PAPERROUND_PUBLIC_URL is 'papers.example.org', which is not accepted: should be a URL",
        ),
        ("PUBLIC_URL", "https://a b", "PAPERROUND_PUBLIC_URL is 'https://a b', which"),
        ("HUGGINGFACE_URL", "ftp://x", "PAPERROUND_HUGGINGFACE_URL is 'ftp://x', which"),
        (
            "SUMMARY_URL",
            "api.example.org",
            "PAPERROUND_SUMMARY_URL is 'api.example.org', which is not accepted: should",
        ),
        (
            "SUMMARY_URL",
            "https://api.example.org/v1",
            "PAPERROUND_SUMMARY_MODEL is '', which is not accepted: should name the model that",
        ),
        ("SUMMARY_KEY", "kéy", "PAPERROUND_SUMMARY_KEY is not accepted: should be printable ASCII."),
        ("SUMMARY_LIMIT", "-1", "PAPERROUND_SUMMARY_LIMIT is '-1', which is not accepted: should be 0 or more."),
        ("TEMPLATES_DIR", "nope", "PAPERROUND_TEMPLATES_DIR is 'nope', which is not accepted: should be a folder"),
    ],
)
def test_a_bad_value_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"PAPERROUND_{name}", value)
    with pytest.raises(Problem) as told:
        load_settings()
    assert str(told.value).startswith(words)
    assert str(told.value).endswith(".")
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 250
    assert "nput should" not in str(told.value)


def test_a_file_that_is_no_text_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PAPERROUND_SENDER=\xff\xfe")
    with pytest.raises(Problem, match=r"\.env in this folder is not UTF-8"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "driven"),
    [
        ("sqlite:////tmp/x.db", "sqlite+aiosqlite:////tmp/x.db"),
        ("postgresql://u:p@h/n", "postgresql+asyncpg://u:p@h/n"),
        ("postgres://u:p@h/n", "postgresql+asyncpg://u:p@h/n"),
        ("postgresql+asyncpg://u:p@h/n", "postgresql+asyncpg://u:p@h/n"),
    ],
)
def test_a_database_gets_the_driver_that_we_use(given: str, driven: str) -> None:
    assert Settings(database_url=given).database == driven


def test_another_database_is_refused_without_its_password() -> None:
    with pytest.raises(Problem, match="begins with 'mysql'") as told:
        _ = Settings(database_url="mysql://u:hidden@h/n").database
    assert "hidden" not in str(told.value)


def test_no_secret_is_shown() -> None:
    settings = Settings(mail_url="smtp://u:hidden@h", secret_key="hidden" * 5)
    assert "hidden" not in repr(settings) + str(settings)


def test_folders_of_ones_own_may_begin_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings(home_dir=Path("~/a"), topics_dir=Path("~/b"), templates_dir=Path("~"), cache_dir=Path("c"))
    assert settings.home_dir == tmp_path / "a"
    assert settings.topics_dir == tmp_path / "b"
    assert settings.templates_dir == tmp_path
    assert settings.cache_dir == tmp_path / "c"


def test_several_keys_may_be_given_and_none_may_be_short() -> None:
    key, old = "k" * 16, "o" * 16
    assert Settings(secret_key=f" {key} , {old},").keys == (key.encode(), old.encode())
    with pytest.raises(Problem, match="fewer than 16 characters"):
        _ = Settings(secret_key=f"{key},short").keys


def test_a_key_is_made_once_for_its_owner_alone_also_by_many_at_a_time(tmp_path: Path) -> None:
    def key(_: int) -> tuple[bytes, ...]:
        return Settings(home_dir=tmp_path / "new").keys

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(key, range(32)))
    assert len(made) == 1
    file = tmp_path / "new" / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [found.name for found in file.parent.iterdir()] == ["secret_key"]


def test_how_mail_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().back_off == BACK_OFF
    monkeypatch.setenv("PAPERROUND_MAIL_LIMITS", "gmail.com = 20/s, 5 connections; example.org = 2/s")
    monkeypatch.setenv("PAPERROUND_MAIL_BACK_OFF", "0.5, 10")
    settings = load_settings()
    assert settings.limits == {"gmail.com": Limit(20, 5), "example.org": Limit(2)}
    assert settings.back_off == (dt.timedelta(seconds=30), dt.timedelta(minutes=10))
