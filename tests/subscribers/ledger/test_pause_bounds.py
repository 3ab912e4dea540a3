"""When so much has come back that a newsletter is paused."""

from __future__ import annotations

import pytest

from subscribers.ledger.pause_bounds import Bounds, exceeded


@pytest.mark.parametrize(
    ("sent", "complaints", "hard", "words"),
    [
        (10_000, 10, 0, ""),
        (10_000, 11, 0, "11 of the 10,000 mails of the last 7 days were complained about (0.11%; 0.10% at most)."),
        (100, 2, 0, ""),
        (100, 0, 9, ""),
        (
            1_000,
            0,
            51,
            "51 of the 1,000 mails of the last 7 days were refused or came back for good (5.10%; 5.00% at most).",
        ),
        (0, 0, 0, ""),
    ],
)
def test_a_bound_is_exceeded_by_enough_and_too_large_a_part(sent: int, complaints: int, hard: int, words: str) -> None:
    assert exceeded(sent, complaints, hard, Bounds(0.001, 0.05)) == words
    assert exceeded(sent, complaints, hard, Bounds()) == ""
