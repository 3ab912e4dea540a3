from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from subscribers.tokens import Purpose, sign, sign_text, verify, verify_text

KEY, OLD = b"a key of twenty bytes", b"another, older key..."


@given(st.integers(0, 2**63 - 1), st.sampled_from(list(Purpose)))
def test_a_token_opens_what_it_was_made_for(number: int, purpose: Purpose) -> None:
    token = sign(purpose, number, KEY)
    assert verify(purpose, token, [KEY]) == number
    assert len(token) == 32
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")


@given(st.integers(0, 2**63 - 1), st.integers(0, 31), st.sampled_from("+/=-_Aa0.") | st.text(min_size=1, max_size=1))
def test_no_change_of_a_token_is_accepted(number: int, place: int, letter: str) -> None:
    token = sign(Purpose.UNSUBSCRIBE, number, KEY)
    changed = token[:place] + letter + token[place + 1 :]
    assert changed == token or verify(Purpose.UNSUBSCRIBE, changed, [KEY]) is None


@given(st.text(max_size=80))
def test_no_other_text_is_accepted(text: str) -> None:
    assert verify(Purpose.UNSUBSCRIBE, text, [KEY]) is None
    assert not verify_text(Purpose.PREVIEW, "daily/2026-06-09", text, [KEY])


def test_a_token_is_bound_to_its_purpose() -> None:
    assert verify(Purpose.PREVIEW, sign(Purpose.UNSUBSCRIBE, 7, KEY), [KEY]) is None


def test_a_mail_that_was_sent_under_an_older_key_still_works() -> None:
    token = sign(Purpose.UNSUBSCRIBE, 7, OLD)
    assert verify(Purpose.UNSUBSCRIBE, token, [KEY, OLD]) == 7
    assert verify(Purpose.UNSUBSCRIBE, token, [KEY]) is None


def test_a_seal_is_bound_to_its_text() -> None:
    seal = sign_text(Purpose.PREVIEW, "daily/2026-06-09", KEY)
    assert verify_text(Purpose.PREVIEW, "daily/2026-06-09", seal, [KEY])
    assert not verify_text(Purpose.PREVIEW, "daily/2026-06-10", seal, [KEY])
