from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flows.incoming.evidence import evidence_of
from subscribers.return_address import LONGEST, delivery_of, return_address

KEY, OLD = b"the newest key of many bytes", b"an older key of many bytes"
editions = st.integers(0, 2**32 - 1)
readers = st.integers(0, 2**40 - 1)


@given(editions, readers, st.booleans())
def test_a_return_address_names_its_delivery_also_in_capitals(edition: int, reader: int, capitals: bool) -> None:
    made = return_address("bounces@example.org", edition, reader, OLD)
    local, _, domain = made.partition("@")
    assert domain == "example.org"
    assert len(local) <= 64
    report = f"To: {made.upper() if capitals else made}\r\nDelivered-To: x@example.org\r\n\r\nbody".encode()
    (token,) = evidence_of(report).tokens
    assert delivery_of(token, (KEY, OLD)) == (edition, reader)
    assert delivery_of(token, (KEY,)) is None


@given(editions, readers, st.integers(0, 39), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_token_that_was_changed_names_nothing(edition: int, reader: int, at: int, letter: str) -> None:
    token = return_address("b@example.org", edition, reader, KEY)[2:42]
    other = token[:at] + letter + token[at + 1 :]
    assert delivery_of(other, (KEY,)) == ((edition, reader) if other == token else None)


@given(st.text(max_size=60))
def test_any_text_is_no_token(text: str) -> None:
    assert delivery_of(text, (KEY,)) is None


def test_the_longest_local_part_leaves_room() -> None:
    made = return_address("b" * LONGEST + "@example.org", 1, 2, KEY)
    assert len(made.partition("@")[0]) == 64
