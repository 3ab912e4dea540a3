"""What a language puts into mails: shipped English is what cards of earlier versions say, and German leaves no place
out."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from flows.mail.language import ENGLISH, long_date, short_date, words_of
from tests import factories


def places(words: str) -> list[str]:
    return sorted(re.findall(r"{\w+}", words))


def test_the_shipped_english_is_that_of_cards_which_have_no_words() -> None:
    assert words_of(factories.phrases()) == ENGLISH


def test_another_language_has_the_same_places_in_words_of_its_own() -> None:
    german = words_of(factories.phrases(language="de"))
    assert german.language == "de"
    assert list(map(places, german)) == list(map(places, ENGLISH))
    assert {name for name, words in german._asdict().items() if words == getattr(ENGLISH, name)} <= {"and_last"}


@pytest.mark.parametrize(
    ("language", "day", "short", "long"),
    [
        ("en", dt.date(2026, 6, 9), "9 June", "Tuesday, 9 June 2026"),
        ("en", dt.date(2027, 1, 3), "3 January", "Sunday, 3 January 2027"),
        ("de", dt.date(2026, 3, 2), "2. März", "Montag, 2. März 2026"),
        ("de", dt.date(2026, 12, 31), "31. Dezember", "Donnerstag, 31. Dezember 2026"),
    ],
)
def test_a_day_is_written_as_its_language_writes_it(language: str, day: dt.date, short: str, long: str) -> None:
    say = factories.phrases(language=language)
    assert (short_date(day, say), long_date(day, say)) == (short, long)
