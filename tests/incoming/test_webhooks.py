"""What all providers' calls go through: their secret, their time, their shape."""

from __future__ import annotations

import base64
import datetime as dt
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.causes import Cause
from flows.incoming.model import Evidence
from flows.incoming.webhooks import (
    AHEAD,
    OLDEST,
    Call,
    CallRefused,
    authorised,
    digest,
    evidence,
    failed,
    in_time,
    moment,
    parsed,
    rows,
    seconds,
    table,
    text,
)
from tests.context import NOON

SECOND = dt.timedelta(seconds=1)


def basic(words: str) -> str:
    return "Basic " + base64.b64encode(words.encode()).decode()


@pytest.mark.parametrize("header", [basic("us:secret"), "Bearer us:secret", "bearer  us:secret "])
def test_the_secret_opens_in_both_forms(header: str) -> None:
    authorised(Call({"authorization": header}, b""), "us:secret")


@pytest.mark.parametrize(
    "header", ["", "us:secret", "Digest us:secret", basic("us:other"), "Basic us:secret", "Basic \xff", "Bearer ü"]
)
def test_whatever_else_is_brought_opens_nothing(header: str) -> None:
    with pytest.raises(CallRefused, match="does not bring the secret"):
        authorised(Call({"authorization": header} if header else {}, b""), "us:secret")


def test_a_call_is_heard_for_a_day_and_not_before_it_was_made() -> None:
    for good in (NOON, NOON - OLDEST, NOON + AHEAD):
        in_time(good, NOON)
    for bad in (NOON - OLDEST - SECOND, NOON + AHEAD + SECOND):
        with pytest.raises(CallRefused):
            in_time(bad, NOON)


def test_a_time_is_read_or_refused() -> None:
    assert seconds("1781006400") == seconds(1781006400.0) == NOON
    assert moment("2026-06-09T12:00:00Z") == moment("2026-06-09T12:00:00") == NOON
    none: tuple[Any, ...] = ("", "soon", "nan", "1e99", None, [], {})
    for bad in none:
        with pytest.raises(CallRefused):
            seconds(bad)
        with pytest.raises(CallRefused):
            moment(bad)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSON)
def test_any_value_has_a_shape_that_can_be_asked(value: Any) -> None:
    assert table(value).get("x") is None or "x" in value
    assert all(isinstance(one, dict) for one in rows(value))
    assert isinstance(text(value), str)
    with suppress(CallRefused):
        assert seconds(value).tzinfo is dt.UTC


def test_what_is_no_json_is_refused_and_of_a_list_a_thousand_are_read() -> None:
    for body in (b"", b"{", b"\xff[", b"[" * 100_000):
        with pytest.raises(CallRefused, match="no JSON"):
            parsed(body)
    assert len(rows([{}] * 5000)) == 1000
    assert digest(Call({}, b"a")) != digest(Call({}, b"b"))


def test_what_a_provider_repeats_of_our_mail_is_evidence_with_brackets_or_without() -> None:
    for written in ("<daily.7@x.example>", " daily.7@x.example "):
        assert evidence(message_id=written).message_ids == ("daily.7@x.example",)
    token = "a" * 40
    assert evidence(return_path=f"bounces+{token}@x.example").tokens == (token,)
    assert evidence(headers={"X-Any": f"<https://x.example/unsubscribe/{'A' * 32}>"}).unsubscribes == ("A" * 32,)
    assert evidence() == Evidence()


@pytest.mark.parametrize(
    ("words", "lasting", "given", "cause"),
    [
        ("no", True, {}, Cause.DEAD),
        ("no", False, {}, Cause.OTHER),
        ("552 5.2.2 mailbox full", True, {}, Cause.FULL),
        ("on a list", True, {"status": "5.7.1"}, Cause.POLICY),
        ("4.4.7 given up", True, {}, Cause.REACH),
    ],
)
def test_what_words_explain_is_not_the_addresss_fault(
    words: str, lasting: bool, given: dict[str, Any], cause: Cause
) -> None:
    found = failed("ada@x.example", words, Evidence(), lasting=lasting, **given)
    assert (found.cause, found.signed) == (cause, True)


def test_what_no_text_can_hold_is_taken_out() -> None:
    assert text(parsed(b'"a\\ud800b\\u0000c"')) == "a?bc"


def test_a_code_is_taken_where_it_is_one() -> None:
    for no_code in ("²", "5" * 5000, "250", "5500"):
        assert failed("a@x.example", "no", Evidence(), lasting=False, code=no_code).code is None
    assert failed("a@x.example", "no", Evidence(), lasting=False, code="550").code == 550
    assert failed("a@x.example", "451 later", Evidence(), lasting=False, code=0).code == 451
    assert len(failed("a" * 999, "x" * 9999, Evidence(), lasting=False).words) == 500
