"""The model of gists: small, and numbers by names."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.abstracts.gist_model import likely, modelled, packaged, packed, unpacked


def test_the_packaged_model_is_small_and_holds_numbers_by_short_names() -> None:
    data = (files("flows.editions.abstracts") / "gist.weights").read_bytes()

    assert len(data) < 200_000
    assert all(isinstance(weight, int) and len(name) < 60 for name, weight in json.loads(data).items())
    assert unpacked(packed(packaged().weights)) == packaged()


def test_what_rounds_to_nothing_is_left_out_of_the_file() -> None:
    assert json.loads(packed({"word": 0.5, "noise": 0.0004})) == {"word": 500}


def test_a_sentence_counts_half_in_a_pair_and_by_its_place_in_it() -> None:
    model = modelled({"propose": 1.0, "1|propose": 0.25, "2|propose": -0.5, "2|late": 2.0})

    assert model.parts([("propose", 2.0), ("unknown", 9.0)]) == (2.0, 1.5, 0.0)
    assert model.parts([("late", 1.0)]) == (0.0, 0.0, 2.0)
    assert model.score([("propose", 3.0), ("unknown", 9.0)]) == 3.0


@given(st.floats(allow_nan=False))
def test_odds_however_great_are_a_probability(logit: float) -> None:
    assert 0 < likely(logit) < 1
    assert likely(logit) + likely(-logit) == pytest.approx(1)
