from __future__ import annotations

import re

import pytest

from flows.mail.cards import feedback_id


@pytest.mark.parametrize("domain", ["example.org", "x.io", "a.b", "a-very-long-name.of-a-university.example"])
def test_gmail_knows_the_sender_by_five_to_fifteen_letters_that_stay_the_same(domain: str) -> None:
    made = feedback_id("daily", "edition", f"Paperround <digest@{domain}>").decode()
    assert re.fullmatch(r"Feedback-ID: daily:edition:[a-z0-9]{5,15}", made)
    assert made == feedback_id("daily", "edition", f"Another name <other@{domain.upper()}>").decode()
