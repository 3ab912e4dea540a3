"""The list of who is never mailed, a line at a time."""

from __future__ import annotations

import datetime as dt

import pytest

from subscribers.model import Suppressed
from subscribers.people.suppression_file import read_line, written
from tests.incoming.scene import KEY

ADA, BEN, CLEO = "ada@one.example", "ben@one.example", "cleo@sub.two.example"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"email": "nobody"}, "'nobody' is no address"),
        ({"sha256": "abc"}, "sha256 should be 64"),
        ({"md5": "z" * 32}, "md5 should be 32"),
        ({"key": "short"}, "none of email, sha256, md5 or key"),
        ({}, "none of email, sha256, md5 or key"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_line(line, KEY.encode())


def test_an_address_that_begins_as_a_formula_does_is_none_in_the_list_and_comes_back() -> None:
    line = written("=cmd@one.example", "k", Suppressed.COMPLAINT, dt.datetime.now(dt.UTC), hashed=False)
    assert line[0] == "'=cmd@one.example"
    assert read_line({"email": line[0]}, KEY.encode()) == read_line({"email": "=cmd@one.example"}, KEY.encode())


def test_no_list_has_an_address_erased_or_blocked() -> None:
    for reason in ("erased", "blocked", "whatever they say"):
        assert read_line({"email": ADA, "reason": reason}, KEY.encode())[1] is Suppressed.OPERATOR
    assert read_line({"email": ADA, "reason": "Hard-Bounce"}, KEY.encode())[1] is Suppressed.HARD_BOUNCE
    assert dt.datetime.fromisoformat(written(ADA, "k", Suppressed.COMPLAINT, dt.datetime.now(dt.UTC), hashed=True)[4])
