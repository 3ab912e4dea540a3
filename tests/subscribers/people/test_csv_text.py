"""A CSV file is read as what it is, or refused as a whole with the line; nothing becomes another letter in silence."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.outcomes import Problem
from subscribers.people.csv_text import Table, opened

PEOPLE = "email,tags\nada@example.org,Zürich\nben@example.org,łódź\n"


def read(content: bytes, folder: Path) -> tuple[str, list[str]]:
    file, said = folder / "in.csv", list[str]()
    file.write_bytes(content)
    with opened(file, said.append) as text:
        return text.read(), said


@pytest.mark.parametrize(
    ("encoding", "mark", "words"),
    [
        ("utf-8", b"", ""),
        ("utf-8", b"\xef\xbb\xbf", ""),
        ("utf-16-le", b"\xff\xfe", "is UTF-16, as Excel's"),
        ("utf-16-be", b"\xfe\xff", "is UTF-16, as Excel's"),
        ("utf-16-le", b"", "is UTF-16 without its mark"),
        ("utf-16-be", b"", "is UTF-16 without its mark"),
    ],
)
def test_what_has_every_letter_is_read_with_every_letter(
    tmp_path: Path, encoding: str, mark: bytes, words: str
) -> None:
    text, said = read(mark + PEOPLE.encode(encoding), tmp_path)
    assert text.removeprefix("\ufeff") == PEOPLE
    assert words in "".join(said)
    assert bool(said) == bool(words)


def test_what_excel_saves_in_the_west_is_read_and_said_with_the_line(tmp_path: Path) -> None:
    text, said = read("email,tags\nada@example.org,Zürich – “lab”\n".encode("cp1252"), tmp_path)
    assert "Zürich – “lab”" in text
    assert said == [
        "The file is not UTF-8 (line 2) and is read as Windows-1252, as Excel saves it. If a name looks wrong "
        "afterwards, save the file as CSV UTF-8 and import it again."
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"email\n" + b"a@example.org\n" * 20_000 + b"\x81\xff\n",
            "Line 20002 of .* is neither UTF-8 nor Windows-1252",
        ),
        (b"\xef\xbb\xbfemail\nb\xff@example.org\n", "Line 2 of .* can't be read as UTF-8"),
        (b"\xff\xfee\x00m\x00\n\x00\x00\xdc", "Line 2 of .* can't be read as UTF-16"),
        (b"\xff\xfee\x00m\x00\n\x00x", "Line 2 of .* can't be read as UTF-16"),
    ],
)
def test_what_can_be_read_only_with_a_loss_is_refused_with_its_line(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(Problem, match=words):
        read(content, tmp_path)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("email\n", ","),
        ("email,tags\n", ","),
        ("email;tags;hour\n", ";"),
        ('email;"tags, groups, names";hour\n', ";"),
        ("email\ttags\n", "\t"),
        ("sep=;\nemail;tags\n", ";"),
        ('"sep=|"\r\nemail|tags\r\n', "|"),
        ("\ufeffsep=\t\nemail\ttags\n", "\t"),
        ("SEP=,\nemail,tags\n", ","),
        ("sep=\nemail;tags\n", ";"),
    ],
)
def test_the_separator_is_the_files_own(text: str, separator: str) -> None:
    table = Table(io.StringIO(text, newline=""))
    assert table.separator == separator
    assert table.header[0] == "email"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_line_breaks_within_quotes(end: str) -> None:
    lines = ["sep=;", "email;tags", 'ada@example.org;"one\ntwo"', "", ";", "ben@example.org;x;;"]
    table = Table(io.StringIO(end.join(lines), newline=""))
    assert list(table) == [(4, ["ada@example.org", "one\ntwo"]), (7, ["ben@example.org", "x", "", ""])]


@given(
    st.lists(st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1), min_size=2, max_size=2), min_size=1)
)
def test_what_is_written_is_read(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["email", "tags"], *rows])
    table = Table(io.StringIO(out.getvalue(), newline=""))
    assert [row for _, row in table] == rows
