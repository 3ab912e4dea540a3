from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from subscribers.model import DeliveryState, Frequency, Subscription, SubscriptionState
from subscribers.policy import BACK_OFF, decide, due, follow, frequencies

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("frozen", "hour", "zone", "expected"),
    [
        ("2026-06-09T17:00+00:00", 7, "Europe/Berlin", "2026-06-10T05:00+00:00"),
        ("2026-06-09T17:00+00:00", 21, "Europe/Berlin", "2026-06-09T19:00+00:00"),
        # the clocks go forward over 02:00 to 03:00: the reader is served when they do
        ("2026-03-28T20:00+00:00", 2, "Europe/Berlin", "2026-03-29T01:00+00:00"),
        # they go back from 03:00 to 02:00: the first of the two
        ("2026-10-24T20:00+00:00", 2, "Europe/Berlin", "2026-10-25T00:00+00:00"),
    ],
)
def test_a_mail_is_due_at_the_first_occurrence_of_the_readers_hour(
    frozen: str, hour: int, zone: str, expected: str
) -> None:
    assert due(at(frozen), hour, zone) == at(expected)


def test_an_edition_that_is_frozen_within_the_hour_is_due_at_once() -> None:
    assert due(at("2026-06-09T07:40+00:00"), 7, "UTC") is None
    assert due(at("2026-06-09T07:40+00:00"), None, "UTC") is None


@given(
    st.integers(0, 6 * 365 * 24 * 60).map(lambda minutes: at("2024-01-01T00:00+00:00") + dt.timedelta(minutes=minutes)),
    st.integers(0, 23),
    st.sampled_from(ZONES),
)
def test_the_wait_for_an_hour_is_never_longer_than_a_day_and_a_change_of_the_clocks(
    frozen: dt.datetime, hour: int, zone: str
) -> None:
    moment = due(frozen, hour, zone)
    if moment is not None:
        assert frozen <= moment <= frozen + dt.timedelta(hours=25)
        shown = moment.astimezone(ZoneInfo(zone))
        assert shown.hour in (hour, (hour + 1) % 24)


def test_weekdays_readers_rest_at_weekends() -> None:
    assert Frequency.WEEKDAYS in frequencies(Kind.DAILY, dt.date(2026, 6, 12))
    assert Frequency.WEEKDAYS not in frequencies(Kind.DAILY, dt.date(2026, 6, 13))
    assert frequencies(Kind.WEEKLY, dt.date(2026, 6, 13)) == (Frequency.WEEKLY,)


@pytest.mark.parametrize("state", list(SubscriptionState))
def test_only_who_is_confirmed_gets_mail(state: SubscriptionState) -> None:
    subscription = Subscription(email="a@example.org", newsletter="daily", state=state)
    assert (decide(subscription, dt.date(2026, 6, 9)) == "") is (state is SubscriptionState.CONFIRMED)


def test_a_pause_ends_on_its_day() -> None:
    paused = Subscription(
        email="a@example.org",
        newsletter="daily",
        state=SubscriptionState.PAUSED,
        paused_until=dt.date(2026, 6, 10),
    )
    assert decide(paused, dt.date(2026, 6, 9)) == "paused until 2026-06-10"
    assert decide(paused, dt.date(2026, 6, 10)) == ""


@given(st.sampled_from(list(Verdict)), st.integers(1, 60), st.integers(0, 60 * 30))
def test_every_outcome_leads_to_a_state_and_only_what_can_still_succeed_is_tried_again(
    verdict: Verdict, attempts: int, minutes: int
) -> None:
    now = at("2026-06-09T07:00+00:00") + dt.timedelta(minutes=minutes)
    follows = follow(Outcome(verdict, Stage.CONTENT), attempts, at("2026-06-09T07:00+00:00"), now)
    if verdict in (Verdict.SENT, Verdict.REJECTED):
        assert follows.retry_at is None
    elif follows.retry_at is not None:
        assert now <= follows.retry_at <= now + BACK_OFF[-1]
    else:
        assert follows.state in (DeliveryState.REJECTED, DeliveryState.UNCERTAIN)
        assert minutes > 60 * 20
