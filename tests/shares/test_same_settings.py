"""A machine that would send other mail, or more of it, is told from one that would not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows.config.settings import Settings
from flows.outcomes import Problem
from flows.shares.same_settings import ALIKE, check_settings, fingerprint_of

GIVEN: dict[str, Any] = {
    "secret_key": "a key of sixteen letters or more",
    "suppression_key": "another key of sixteen letters",
    "sender": "Paperround <digest@example.org>",
    "public_url": "https://papers.example.org",
    "mail_url": "smtp://127.0.0.1:25",
}


def settings_of(folder: Path, **given: Any) -> Settings:
    return Settings(_env_file=None, home_dir=folder, **(GIVEN | given))


def test_machines_that_differ_in_their_way_out_alone_are_alike(tmp_path: Path) -> None:
    wanted = fingerprint_of(settings_of(tmp_path / "one"))
    check_settings(settings_of(tmp_path / "two", mail_url="smtp://10.0.0.1:25", mail_connections=20), wanted)
    check_settings(settings_of(tmp_path / "two", sender="Somebody <else@example.org>"), "")


@pytest.mark.parametrize(
    "other",
    [
        {"public_url": "https://elsewhere.example.org"},
        {"sender": "Paperround <other@example.org>"},
        {"mail_rate": "14/s"},
        {"mail_uncertain": "hold"},
        {"secret_key": "some other key of sixteen letters"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_one_that_is_set_otherwise_is_refused_and_told_what_to_set(other: dict[str, Any], tmp_path: Path) -> None:
    wanted = fingerprint_of(settings_of(tmp_path))
    with pytest.raises(Problem, match=f"PAPERROUND_{next(iter(other)).upper()}"):
        check_settings(settings_of(tmp_path, **other), wanted)


def test_the_fingerprint_tells_nothing(tmp_path: Path) -> None:
    """Not even to who tries all that the settings might be, without the key."""
    one = fingerprint_of(settings_of(tmp_path))
    assert len(one) == 16
    assert one != fingerprint_of(settings_of(tmp_path, secret_key="some other key of sixteen letters"))


def test_every_setting_that_must_be_alike_is_one() -> None:
    assert set(ALIKE) <= set(Settings.model_fields)
