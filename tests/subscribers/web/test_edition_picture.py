from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from subscribers.web.edition_picture import HEIGHT, WIDTH, Drawn, picture


def drawn(lead: str, newsletter: str = "Paperround") -> Drawn:
    return Drawn(newsletter=newsletter, date="Tuesday, 9 June 2026", lead=lead, count="38 papers", accent="#0b6e5f")


def ink(made: bytes, box: tuple[int, int, int, int]) -> int:
    """How many dark points there are in a part of a picture."""
    part = Image.open(io.BytesIO(made)).convert("L").crop(box)
    return sum(part.histogram()[:100])


LEAD = (0, 200, WIDTH, 530)


def test_the_lead_stands_on_it_and_what_is_left_out_changes_nothing_else() -> None:
    plain, empty = picture(drawn("Bridges That Remember")), picture(drawn(""))
    assert ink(plain, LEAD) > 1000
    assert ink(empty, LEAD) == 0
    assert ink(empty, (0, 60, WIDTH, 200)) > 500
    assert len(plain) < 60_000
    assert picture(drawn("Bridges That Remember")) is plain


def test_a_title_that_cannot_be_written_is_left_out() -> None:
    assert ink(picture(drawn("\U0001e922\U0001e923\U0001e924" * 4)), LEAD) == 0


def test_what_is_too_long_stays_within_the_edges() -> None:
    for lead in ("x" * 3000, "many words " * 300, "Ångström " * 60):
        made = picture(drawn(lead, newsletter="W" * 500))
        assert ink(made, (0, 40, 70, HEIGHT)) == 0
        assert ink(made, (WIDTH - 70, 40, WIDTH, HEIGHT)) == 0


@settings(max_examples=25)
@given(st.text(max_size=60), st.text(max_size=20))
def test_every_text_makes_a_picture(lead: str, newsletter: str) -> None:
    shown = Image.open(io.BytesIO(picture(drawn(lead, newsletter))))
    assert shown.size == (WIDTH, HEIGHT)
