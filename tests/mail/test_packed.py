"""Cards go through the store as bytes and come back as they were; other bytes are no cards."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.mail.language import Words
from flows.mail.model import Block, Card, Counted, Fragment, Remark, Slot
from flows.mail.packed import pack, unpack
from flows.papers.model import PaperId
from tests import factories
from tests.factories import edition, paper
from tests.mail.made import rendered
from tests.mail.test_cards import HOSTILE

ONE = rendered(edition([paper(1)]))
BYTES = st.text(st.characters(codec="utf-8"), max_size=9).map(str.encode)
SPLICED = st.lists(BYTES, max_size=3).map(tuple)
FORMS: dict[str, Any] = {"html": SPLICED, "text": SPLICED, "size": st.integers(0)}
PIECES = st.lists(BYTES | st.sampled_from(Slot), max_size=3).map(tuple)
BLOCK, COUNTED = st.builds(Block, **FORMS), st.builds(Counted, **FORMS)
FRAGMENT = st.builds(Fragment, html=PIECES, text=PIECES, size=st.integers(0))
PAPER = st.text(max_size=5).map(PaperId)
SHAPES = ("lead", "alone", "listed", "line")
CARD = st.builds(Card, links=BYTES, teaser=BYTES, **dict.fromkeys(SHAPES, BLOCK))
CARDS = st.fixed_dictionaries(
    {
        "subject": BYTES,
        "title": BYTES,
        "mailbox": BYTES,
        "words": st.builds(Words, paper=st.text(max_size=9)),
        "told": st.none() | st.builds(Remark, block=BLOCK, papers=st.frozensets(PAPER, max_size=2)),
        "why": COUNTED,
        "head": FRAGMENT,
        "leads": st.dictionaries(st.text(max_size=5), BLOCK, max_size=2),
        "papers": st.dictionaries(PAPER, CARD, max_size=2),
        "relaxed": st.booleans(),
    }
)


def test_cards_of_a_hostile_edition_come_back_and_are_small() -> None:
    made = rendered(factories.eventful(edition(HOSTILE)), title="Zeitung für alle")
    packed = pack(made)
    assert unpack(packed) == made
    assert len(packed) < 20_000


@settings(max_examples=15)
@given(CARDS)
def test_whatever_a_look_puts_into_cards_comes_back(given: dict[str, Any]) -> None:
    made = replace(ONE, **given)
    assert unpack(pack(made)) == made


@pytest.mark.parametrize(
    "held", [b"", b"{}", b"[]", b"null", b'"x"', b"\xff", b'{"format":5}', b'{"format":"5"}', b'{"format":1}']
)
def test_other_bytes_are_no_cards(held: bytes) -> None:
    for packed in (held, zlib.compress(held)):
        with pytest.raises(ValueError, match="not packed cards"):
            unpack(packed)


def test_a_value_of_another_kind_makes_no_cards() -> None:
    held = json.loads(zlib.decompress(pack(ONE)))
    with pytest.raises(ValueError, match="not packed cards"):
        unpack(zlib.compress(json.dumps(held | {"headers": 7}).encode()))


def test_bytes_that_were_cut_off_are_no_cards() -> None:
    with pytest.raises(ValueError, match="not packed cards"):
        unpack(pack(ONE)[:-100])


def test_cards_of_a_later_version_are_refused_by_its_number() -> None:
    held = json.loads(zlib.decompress(pack(ONE)))
    with pytest.raises(ValueError, match="cards of format 6 were packed by another version of Paperround"):
        unpack(zlib.compress(json.dumps(held | {"format": 6}).encode()))
