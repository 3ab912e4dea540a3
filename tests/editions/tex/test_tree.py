"""Text that is to be left alone is told from all others by its one character."""

from __future__ import annotations

import pytest

from flows.editions.tex.tree import FIRST_KEPT, is_kept


@pytest.mark.parametrize(("character", "kept"), [("", False), ("a", False), ("\ue000", False), (chr(FIRST_KEPT), True)])
def test_what_is_kept(character: str, kept: bool) -> None:
    assert is_kept(character) is kept
