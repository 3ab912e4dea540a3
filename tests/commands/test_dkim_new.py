from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from flows.commands import dkim_new
from flows.config.settings import Settings
from flows.outcomes import Problem


def settings(folder: Path, **given: Any) -> Settings:
    return Settings(_env_file=None, home_dir=folder, sender="Paperround <digest@example.org>", **given)


def test_a_new_key_is_its_owners_alone_and_its_settings_work(tmp_path: Path) -> None:
    said = dkim_new.new(settings(tmp_path), "s1", "", "rsa", None)
    file = tmp_path / "dkim-s1.pem"
    assert file.stat().st_mode & 0o077 == 0
    assert 's1._domainkey.example.org. IN TXT "v=DKIM1; k=rsa; p=' in said
    assert all(len(part) <= 255 for part in said.split('"')[1::2])
    made = settings(tmp_path, dkim_key=str(file), dkim_selector="s1")
    assert made.dkim_keys == ((file.read_bytes(), "s1"),)
    assert made.signing_domain == "example.org"


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    dkim_new.new(settings(tmp_path), "s1", "", "ed25519", None)
    before = (tmp_path / "dkim-s1.pem").read_bytes()
    with pytest.raises(Problem, match="another selector"):
        dkim_new.new(settings(tmp_path), "s1", "", "rsa", None)
    assert (tmp_path / "dkim-s1.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("selector", "domain", "algorithm", "words"),
    [
        ("no dots.", "", "rsa", "selector"),
        ("s1", "example..org", "rsa", "domain"),
        ("s1", "example.org\r\nX", "rsa", "domain"),
        ("s1", "", "dsa", "algorithm"),
    ],
)
def test_what_can_not_be_is_refused(tmp_path: Path, selector: str, domain: str, algorithm: str, words: str) -> None:
    with pytest.raises(Problem, match=words):
        dkim_new.new(settings(tmp_path), selector, domain, algorithm, None)
    assert os.listdir(tmp_path) == []


def test_keys_and_selectors_go_in_pairs_and_files_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="give each key its selector"):
        _ = settings(tmp_path, dkim_key="a.pem,b.pem", dkim_selector="s1").dkim_keys
    with pytest.raises(Problem, match="can't be read"):
        _ = settings(tmp_path, dkim_key=str(tmp_path / "none.pem"), dkim_selector="s1").dkim_keys
