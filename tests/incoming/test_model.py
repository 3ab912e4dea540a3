"""A stranger's words can be kept in one short line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flows.incoming.model import WORDS, shortened


@given(st.text())
def test_whatever_they_say_is_one_printable_line(words: str) -> None:
    found = shortened(words)
    assert len(found) <= WORDS
    assert found.isprintable()
    assert found == found.strip()


def test_lines_and_signs_that_nobody_sees_become_spaces() -> None:
    assert shortened(" 550\r\n\tno\x1b[31m such\u202e user \n") == "550 no [31m such  user"
