"""What a person wrote is read whatever editor they have, or refused with the line and the remedy."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from flows.config.catalogue import newsletters
from flows.config.settings import load_settings
from flows.config.text_files import text_of
from flows.outcomes import Problem

LETTER = 'title = "Zürich"\r\ndescription = "d"\r\nsources = ["sample"]\r\n'


@pytest.mark.parametrize(
    "content",
    [
        LETTER.encode(),
        codecs.BOM_UTF8 + LETTER.encode(),
        codecs.BOM_UTF16_LE + LETTER.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + LETTER.encode("utf-16-be"),
    ],
)
def test_a_newsletter_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bees.toml").write_bytes(content)
    assert newsletters(tmp_path)["bees"].title == "Zürich"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LETTER.encode("latin-1"), "line 1 is not UTF-8"),
        ("x = 1\n# ł\n".encode("iso-8859-2"), "line 2 is not UTF-8"),
        (LETTER.replace("ü", "u").encode("utf-16-le"), "it has zero bytes, as UTF-16 without its mark"),
        (codecs.BOM_UTF16_LE + b"a", "is not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "bees.toml").write_bytes(content)
    with pytest.raises(Problem, match=words) as told:
        text_of(tmp_path / "bees.toml")
    assert "save the file" in str(told.value)


def test_an_env_file_with_a_mark_or_of_windows_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAPERROUND_POSTAL_ADDRESS", raising=False)
    file = tmp_path / ".env"
    file.write_bytes(codecs.BOM_UTF8 + "PAPERROUND_POSTAL_ADDRESS=1 Zürich Street\r\n".encode())
    assert load_settings(env_file=str(file)).postal_address == "1 Zürich Street"
    file.write_bytes(codecs.BOM_UTF16_LE + "PAPERROUND_POSTAL_ADDRESS=x\r\n".encode("utf-16-le"))
    with pytest.raises(Problem, match=r"\.env in this folder is UTF-16: save it as UTF-8"):
        load_settings(env_file=str(file))
