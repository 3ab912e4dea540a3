"""Which addresses may sign up, and how one is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses import LARGE, BadAddress, disposable, likely_meant, masked, read


def test_an_address_comes_in_its_normal_form_with_its_domain_in_ascii() -> None:
    assert read("ada.brook@EXAMPLE.org") == "ada.brook@example.org"
    assert read("ada@bücher.example.org") == "ada@xn--bcher-kva.example.org"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing"),
        ("ada", "form"),
        ("ada@", "form"),
        ("ada@example.org\r\nBcc: eve@example.org", "form"),
        ("ada@@example.org", "form"),
        ("ädä@example.org", "letters"),
        ("ada@mailinator.com", "disposable"),
    ],
)
def test_one_that_can_not_sign_up_has_a_reason(text: str, reason: str) -> None:
    with pytest.raises(BadAddress) as refused:
        read(text)
    assert refused.value.reason == reason


def test_a_domain_below_a_disposable_one_is_disposable_and_may_be_taken_where_that_does_not_matter() -> None:
    assert disposable("mx.mailinator.com")
    assert not disposable("notmailinator.com.example.org")
    assert read("ada@mailinator.com", lasting=False) == "ada@mailinator.com"


@given(st.text(max_size=80))
def test_whatever_is_written_is_an_address_or_refused(text: str) -> None:
    try:
        address = read(text)
    except BadAddress as error:
        assert error.reason in ("missing", "form", "letters", "disposable")  # noqa: PT017
    else:
        assert address.isascii()
        assert address.count("@") == 1
        assert not set(address) & set(" \r\n\t<>")


def test_what_is_shown_of_an_address_tells_its_owner_alone() -> None:
    assert masked("ada.brook@example.org") == "a…@example.org"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmai.com", "ada@gmail.com"),
        ("ada@gmaill.com", "ada@gmail.com"),
        ("ada@gmail.con", "ada@gmail.com"),
        ("ada@GMAIL.CO", "ada@gmail.com"),
        ("ada+x@hotmial.com", "ada+x@hotmail.com"),
        ("ada@yaho.com", "ada@yahoo.com"),
        ("ada@gmail.com", ""),
        ("ada@yahoo.fr", ""),
        ("ada@example.org", ""),
        ("ada@me.co", ""),
        ("ada@aqq.com", ""),
        ("ada@mail.com", ""),
        ("ada@ymail.com", ""),
        ("ada@mail.de", ""),
        ("", ""),
        ("@", ""),
    ],
)
def test_a_domain_one_slip_away_from_a_large_one_is_taken_for_a_slip(typed: str, meant: str) -> None:
    assert likely_meant(typed) == meant


@pytest.mark.parametrize("domain", LARGE)
def test_no_large_domain_is_taken_for_a_slip(domain: str) -> None:
    assert likely_meant(f"ada@{domain}") == ""
