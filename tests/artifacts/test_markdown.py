"""A stranger's words stand for themselves in Prefect's UI."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.artifacts.markdown import cell, key
from flows.editions.model import Kind


def test_the_weekly_editions_have_a_history_of_their_own() -> None:
    assert key("edition", "daily", Kind.DAILY) == "edition-daily"
    assert key("edition", "daily", Kind.WEEKLY) == "edition-daily-weekly"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("**bold** and `code`", r"\*\*bold\*\* and \`code\`"),
        ("<b>[x](y)</b>", r"\<b>\[x\](y)\</b>"),
        ("a | b", r"a \| b"),
        ("_so_ but snake_case", r"\_so\_ but snake_case"),
        ("https://x.example www.x.example a@x.example", r"https\://x.example www\.x.example a\@x.example"),
        ("&lt; and R&D", r"\&lt; and R&D"),
        ("# no heading", r"\# no heading"),
        ("1. no list", r"1\. no list"),
        ("line\n- one", "line - one"),
    ],
)
def test_every_sign_of_markdown_stands_for_itself(words: str, shown: str) -> None:
    assert cell(words) == shown


@given(st.text())
def test_any_words_are_one_line_with_nothing_taken_away(words: str) -> None:
    found = cell(words)
    assert "\n" not in found
    plain = " ".join(words[:300].split())
    assert found.replace("\\", "") == plain.replace("\\", "")
    assert not found.startswith(("#", "-", "+", "=", ">"))
