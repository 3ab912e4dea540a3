"""The picture of how fast a delivery went."""

from __future__ import annotations

import base64
import re

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from flows.artifacts.delivery_words import Look
from flows.artifacts.pace_picture import POINTS, picture, rates
from subscribers.model import DeliveryState


def looks(*sent: int) -> list[Look]:
    return [Look(seconds=4.0 * n, counts={DeliveryState.SENT: one}) for n, one in enumerate(sent)]


def drawn(words: str) -> etree._Element:
    found = re.fullmatch(r"!\[Mails a second\]\(data:image/svg\+xml;base64,([\w+/=]+)\)", words)
    assert found is not None
    return etree.fromstring(base64.b64decode(found[1]))


def test_the_line_is_as_high_as_it_went_fast() -> None:
    picture_ = drawn(picture(looks(0, 400, 400, 600)))
    (line,) = picture_.iterfind("{*}polyline")
    heights = [int(point.split(",")[1]) for point in (line.get("points") or "").split()]
    assert heights == [18, 102, 60]
    assert [text.text for text in picture_.iterfind(".//{*}text")] == ["100 a second at most", "12 seconds"]


def test_nothing_to_draw_is_no_picture() -> None:
    for few in (looks(), looks(0), looks(0, 5), looks(0, 0, 0)):
        assert picture(few) == ""


@given(st.lists(st.integers(0, 10**7), min_size=3, max_size=700))
def test_a_long_delivery_has_no_larger_picture(sent: list[int]) -> None:
    steps = rates(looks(*sorted(sent)))
    assert len(steps) <= POINTS + 1
    assert steps[-1][0] == 4.0 * (len(sent) - 1)
    assert all(step >= 0 for _, step in steps)
    assert len(picture(looks(*sorted(sent)))) < 4000
