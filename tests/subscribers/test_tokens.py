from __future__ import annotations

import base64
import datetime as dt
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.tokens import LIFE, Expired, Purpose, keyed, sign, verify

KEY, OLD = b"a key of twenty bytes", b"another, older key..."
NOW = dt.datetime(2026, 6, 9, 7, 30, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

numbers = st.integers(0, 2**40 - 1)
expiring = st.sampled_from([purpose for purpose, life in LIFE.items() if life is not None])
linked = list(LIFE)
"""The purposes that tokens are made for."""


@given(numbers, st.sampled_from(linked))
def test_a_token_opens_what_it_was_made_for(number: int, purpose: Purpose) -> None:
    token = sign(purpose, number, KEY, NOW)
    assert verify(purpose, token, [KEY], NOW) == number
    assert len(token) == 32
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")


@given(
    numbers,
    st.sampled_from(linked),
    st.integers(0, 31),
    st.sampled_from(string.ascii_letters + string.digits + "+/=-_.") | st.text(min_size=1, max_size=1),
)
def test_no_change_of_a_token_is_accepted(number: int, purpose: Purpose, place: int, letter: str) -> None:
    token = sign(purpose, number, KEY, NOW)
    changed = token[:place] + letter + token[place + 1 :]
    assert changed == token or verify(purpose, changed, [KEY], NOW) is None


@given(numbers, st.sampled_from(linked), st.integers(0, 31), st.text(max_size=3))
def test_no_part_of_a_token_and_nothing_around_it_is_accepted(
    number: int, purpose: Purpose, length: int, more: str
) -> None:
    token = sign(purpose, number, KEY, NOW)
    around = [token[:length], token[length + 1 :], token + more, more + token, token + "\n", token + "=", " " + token]
    for changed in around:
        assert changed == token or verify(purpose, changed, [KEY], NOW) is None


@given(
    st.text(max_size=80) | st.binary(min_size=24, max_size=24).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_no_other_text_is_accepted(text: str) -> None:
    for purpose in linked:
        assert verify(purpose, text, [KEY], NOW) is None


@given(numbers, st.sampled_from(linked), st.sampled_from(linked))
def test_a_token_is_bound_to_its_purpose(number: int, made_for: Purpose, used_for: Purpose) -> None:
    token = sign(made_for, number, KEY, NOW)
    assert (verify(used_for, token, [KEY], NOW) == number) is (made_for is used_for)


@given(numbers, st.sampled_from(linked), st.binary(max_size=40))
def test_a_token_is_bound_to_its_key(number: int, purpose: Purpose, other: bytes) -> None:
    # a key is padded with zeros to the block of its hash: those alone make no other key
    token = sign(purpose, number, other + b".", NOW)
    assert verify(purpose, token, [KEY], NOW) is None


@given(numbers, expiring, st.integers(0, 2**24 - 1))
def test_a_stamp_that_is_written_over_is_a_forgery(number: int, purpose: Purpose, stamp: int) -> None:
    token = sign(purpose, number, KEY, NOW)
    raw = base64.urlsafe_b64decode(token)
    forged = base64.urlsafe_b64encode(stamp.to_bytes(3, "big") + raw[3:]).decode()
    assert forged == token or verify(purpose, forged, [KEY], NOW) is None


@given(numbers, numbers, st.sampled_from(linked))
def test_two_tokens_put_together_are_none(one: int, other: int, purpose: Purpose) -> None:
    first, second = sign(purpose, one, KEY, NOW), sign(purpose, other, KEY, NOW)
    # the head of 8 bytes ends within the eleventh character
    for place in range(1, 32):
        mixed = first[:place] + second[place:]
        assert mixed in (first, second) or verify(purpose, mixed, [KEY], NOW) is None


@given(expiring, st.integers(0, 80 * 365 * 24 * 60))
def test_a_link_works_for_its_life_and_not_much_longer(purpose: Purpose, minutes: int) -> None:
    made_at = dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
    life = LIFE[purpose]
    assert life is not None
    token = sign(purpose, 7, KEY, made_at)
    assert verify(purpose, token, [KEY], made_at + life) == 7
    with pytest.raises(Expired) as expired:
        verify(purpose, token, [KEY], made_at + life + HOUR + dt.timedelta(microseconds=1))
    assert expired.value.number == 7


def test_a_forged_link_that_is_too_old_is_a_forgery_before_all() -> None:
    token = sign(Purpose.PRIVATE, 7, OLD, NOW)
    assert verify(Purpose.PRIVATE, token, [KEY], NOW + dt.timedelta(days=30)) is None


def test_a_link_from_the_future_is_none() -> None:
    """A clock that stood a hundred years ahead would have made a link for a hundred and one years."""
    token = sign(Purpose.MANAGE, 7, KEY, NOW + dt.timedelta(days=36_500))
    assert verify(Purpose.MANAGE, token, [KEY], NOW) is None
    nearly = sign(Purpose.MANAGE, 7, KEY, NOW + dt.timedelta(hours=2))
    assert verify(Purpose.MANAGE, nearly, [KEY], NOW) == 7


def test_an_unsubscription_works_for_ever() -> None:
    token = sign(Purpose.UNSUBSCRIBE, 7, KEY)
    assert token == sign(Purpose.UNSUBSCRIBE, 7, KEY, NOW)
    assert verify(Purpose.UNSUBSCRIBE, token, [KEY], NOW + dt.timedelta(days=36500)) == 7


@pytest.mark.parametrize("purpose", [purpose for purpose in linked if LIFE[purpose] is not None])
def test_a_link_that_expires_is_neither_made_nor_read_without_the_time(purpose: Purpose) -> None:
    with pytest.raises(ValueError, match="without the time"):
        sign(purpose, 7, KEY)
    with pytest.raises(ValueError, match="without the time"):
        verify(purpose, sign(purpose, 7, KEY, NOW), [KEY])


@pytest.mark.parametrize("purpose", linked)
def test_a_mail_that_was_sent_under_an_older_key_still_works(purpose: Purpose) -> None:
    token = sign(purpose, 7, OLD, NOW)
    assert verify(purpose, token, [KEY, OLD], NOW) == 7
    assert verify(purpose, token, [KEY], NOW) is None
    assert verify(purpose, token, [], NOW) is None


def test_what_is_known_by_a_hash_is_so_for_one_purpose() -> None:
    assert keyed("address", "a@example.org", KEY) == keyed("address", "a@example.org", KEY)
    others = {keyed("network", "a@example.org", KEY), keyed("address", "b@example.org", KEY)}
    assert keyed("address", "a@example.org", KEY) not in others | {keyed("address", "a@example.org", OLD)}
    assert len(keyed("address", "a@example.org", KEY)) == 43
