"""An accent can be read on light and on dark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.mail.colour import contrast, readable

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def test_black_on_white_is_the_greatest_contrast() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1


@given(COLOURS, st.sampled_from(["#ffffff", "#f4f2ed", "#1e2126", "#000000"]))
def test_any_accent_becomes_readable(colour: str, background: str) -> None:
    assert contrast(readable(colour, background), background) >= 4.5


def test_a_readable_accent_is_left_alone() -> None:
    assert readable("#0b6e5f", "#ffffff") == "#0b6e5f"


@pytest.mark.parametrize("colour", ["teal", "#fff", "#0b6e5f;x:y", ""])
def test_what_is_no_colour_is_refused(colour: str) -> None:
    with pytest.raises(ValueError, match="is not a colour"):
        readable(colour, "#ffffff")
