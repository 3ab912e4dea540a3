"""Cards go through the store as bytes and come back as they were."""

from __future__ import annotations

import pytest

from flows.mail import cards
from tests import factories
from tests.factories import edition
from tests.mail.made import rendered
from tests.mail.test_cards import HOSTILE


def test_cards_come_back_from_the_store() -> None:
    made = rendered(factories.eventful(edition(HOSTILE)), title="Zeitung für alle")
    packed = cards.pack(made)
    assert cards.unpack(packed) == made
    assert len(packed) < 20_000


@pytest.mark.parametrize("packed", [b"", b"PK\x03\x04", b"{}"])
def test_other_bytes_are_no_cards(packed: bytes) -> None:
    with pytest.raises(ValueError, match="not packed cards"):
        cards.unpack(packed)
