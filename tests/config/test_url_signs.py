"""A sign that cuts a URL off is named with its code, and what stands in a secret is told to nobody."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.config.settings import load_settings
from flows.config.url_signs import fault
from flows.outcomes import Problem


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "smtp://ada:se#cret@mail.example.org:587",
            "has '#' in its password, which a URL can't hold as it is: write %23",
        ),
        ("smtp://ada:se?cret@mail.example.org", "has '?' in its password, which a URL can't hold as it is: write %3F"),
        ("smtp://ada:se[cret@mail.example.org", "has '[' in its password, which a URL can't hold as it is: write %5B"),
        ("smtp://ada:se]cret@mail.example.org", "write %5D for it"),
        ("smtp://ada:se/cret@mail.example.org", "write %2F for it"),
        ("smtp://ada:se@cret@mail.example.org", "write %40 for it"),
        ("smtp://ada:se%cret@mail.example.org", "has '%' in its password, which a URL can't hold as it is: write %25"),
        ("smtp://ada:50%@mail.example.org", "write %25 for it"),
        ("smtp://ada:se cret@mail.example.org", "has a space in its password"),
        ("smtp://ada@example.org:secret@mail.example.org", "has '@' in its user name, which a URL can't hold as it is"),
        ("imaps://ada:secret@mail.example.org/A Box", "has a space in its path"),
        (
            "imaps://ada:secret@mail.example.org/Box#1",
            "has '#' in its path, which a URL can't hold as it is: write %23",
        ),
        ("maildir:///var/why?/box", "has '?' in its path, which a URL can't hold as it is: write %3F"),
        ("maildir:///var/100%/box", "write %25 for it"),
        ("smtp://mail.example.org?timeout=3", "has '?' in its host: take it away, with what follows it"),
        ("https://papers.example.org/a#b", "has '#' in its path"),
    ],
)
def test_a_sign_that_must_be_encoded_is_named_with_its_code(url: str, words: str) -> None:
    assert words in fault(url)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://mail.example.org:587",
        "smtp+starttls://ada:se%23cret%25@mail.example.org:587",
        "smtp://ada:with:colons!$&'()*+,;=~@mail.example.org",
        "smtp://[2001:db8::1]:25",
        "maildir:///home/me@work/outbox",
        "imaps://ada%40example.org:secret@mail.example.org/INBOX/Sub",
        "https://münchen.example/",
        "nonsense",
        "",
    ],
)
def test_what_is_well_is_taken(url: str) -> None:
    assert fault(url) == ""


def test_a_database_may_have_options() -> None:
    assert fault("postgresql://ada:secret@db.example.org/papers?sslmode=require", query=True) == ""
    assert fault("sqlite:////var/papers.db", query=True) == ""
    assert "password" in fault("postgresql://ada:se?cret@db.example.org/papers", query=True)


@given(st.text(min_size=1), st.text(min_size=1))
def test_whatever_is_encoded_is_taken_and_read_back(user: str, password: str) -> None:
    surrogates = any("\ud800" <= one <= "\udfff" for one in user + password)
    if not surrogates:
        url = f"smtp://{quote(user, safe='')}:{quote(password, safe='')}@mail.example.org:587"
        assert fault(url) == ""
        assert unquote(urlsplit(url).password or "") == password


@given(st.text())
def test_no_fault_repeats_a_secret(text: str) -> None:
    assert "hunter2hunter2" not in fault(f"smtp://ada:hunter2hunter2{text}@mail.example.org")


@pytest.mark.parametrize("name", ["MAIL_URL", "RETURNS_URL", "DATABASE_URL"])
def test_a_setting_is_refused_with_its_name_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"PAPERROUND_{name}", "smtp://ada:hunter2[#@mail.example.org")
    with pytest.raises(Problem) as told:
        load_settings(env_file=None)
    assert str(told.value) == (
        f"PAPERROUND_{name} is not accepted: has '[' in its password, which a URL can't hold as it is: write %5B "
        "for it."
    )
