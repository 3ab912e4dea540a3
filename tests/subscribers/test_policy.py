from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.model import Kind
from flows.outcomes import Outcome, Stage, Verdict
from subscribers.model import DeliveryState, Frequency, Subscription, SubscriptionState, Suppressed
from subscribers.policy import BACK_OFF, GIVE_UP, Follows, decide, due, follow, frequencies, superseded, tries

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


@pytest.mark.parametrize(
    ("frozen", "weekday", "hour", "zone", "expected"),
    [
        # Saturday's edition on Sunday at nine, on Monday with the day's default, on Saturday itself at another hour
        ("2026-06-13T07:00+00:00", 6, 9, "Europe/Berlin", "2026-06-14T07:00+00:00"),
        ("2026-06-13T07:00+00:00", 0, None, "Europe/Berlin", "2026-06-15T05:00+00:00"),
        ("2026-06-13T07:00+00:00", 5, 20, "UTC", "2026-06-13T20:00+00:00"),
        # in Auckland it is Saturday evening already: their Friday is six days away
        ("2026-06-13T07:00+00:00", 4, 8, "Pacific/Auckland", "2026-06-18T20:00+00:00"),
        # frozen before the hour of their day, at midnight too
        ("2026-06-13T00:00+00:00", 5, None, "UTC", "2026-06-13T07:00+00:00"),
        ("2026-06-13T07:00+00:00", 6, 0, "America/New_York", "2026-06-14T04:00+00:00"),
        # over the changes of the clocks: an hour that is left out, and one that comes twice
        ("2026-03-28T07:00+00:00", 6, 2, "Europe/Berlin", "2026-03-29T01:00+00:00"),
        ("2026-10-24T07:00+00:00", 6, 2, "Europe/Berlin", "2026-10-25T00:00+00:00"),
        ("2026-10-24T07:00+00:00", 6, 7, "Europe/Berlin", "2026-10-25T06:00+00:00"),
    ],
)
def test_a_weekly_mail_is_due_on_the_readers_day(
    frozen: str, weekday: int, hour: int | None, zone: str, expected: str
) -> None:
    assert due(at(frozen), hour, zone, weekday) == at(expected)


@pytest.mark.parametrize(
    ("frozen", "hour", "zone"),
    [
        ("2026-06-13T07:01+00:00", 7, "UTC"),
        ("2026-06-13T07:59+00:00", 7, "UTC"),
        ("2026-06-13T07:00+00:00", None, "Europe/Berlin"),
        # the hour is over: better late on their day than a week old
        ("2026-06-13T07:00+00:00", 8, "Europe/Berlin"),
    ],
)
def test_an_edition_that_is_frozen_on_the_readers_day_from_their_hour_on_is_due_at_once(
    frozen: str, hour: int | None, zone: str
) -> None:
    assert due(at(frozen), hour, zone, 5) is None


@given(
    st.integers(0, 6 * 365 * 24 * 60).map(lambda minutes: at("2024-01-01T00:00+00:00") + dt.timedelta(minutes=minutes)),
    st.none() | st.integers(0, 23),
    st.sampled_from(ZONES),
    st.integers(0, 6),
)
def test_a_weekly_mail_comes_on_the_readers_day_within_a_week(
    frozen: dt.datetime, hour: int | None, zone: str, weekday: int
) -> None:
    here, wanted = frozen.astimezone(ZoneInfo(zone)), 7 if hour is None else hour
    moment = due(frozen, hour, zone, weekday)
    if moment is None:
        assert here.weekday() == weekday
        assert here.hour >= wanted
        return
    assert frozen <= moment <= frozen + dt.timedelta(days=7, hours=1)
    shown = moment.astimezone(ZoneInfo(zone))
    assert shown.weekday() == weekday
    assert (shown.hour, shown.fold) in ((wanted, 0), (wanted + 1, 0))
    if moment - dt.timedelta(hours=1) > frozen:  # an hour before it was not yet their hour
        before = (moment - dt.timedelta(hours=1)).astimezone(ZoneInfo(zone))
        assert (before.weekday(), before.hour) != (weekday, wanted)


def test_who_has_turned_to_weekly_waits_for_it_and_who_has_turned_to_daily_gets_the_last_one() -> None:
    frozen = at("2026-06-09T17:00+00:00")

    def reason(frequency: Frequency, kind: Kind, changed: str | None) -> str:
        when = at(changed) if changed else None
        reader = Subscription(email="a@example.org", newsletter="daily", frequency=frequency, frequency_at=when)
        return superseded(reader, kind, frozen)

    assert (
        reason(Frequency.WEEKLY, Kind.DAILY, "2026-06-09T18:00+00:00") == "the reader has turned to the weekly edition"
    )
    # a welcome brings a new weekly reader the day's edition
    assert reason(Frequency.WEEKLY, Kind.DAILY, None) == ""
    assert reason(Frequency.WEEKLY, Kind.DAILY, "2026-06-09T16:00+00:00") == ""
    assert reason(Frequency.WEEKDAYS, Kind.DAILY, "2026-06-09T18:00+00:00") == ""
    assert reason(Frequency.DAILY, Kind.WEEKLY, "2026-06-09T18:00+00:00") == ""
    assert reason(Frequency.WEEKLY, Kind.WEEKLY, "2026-06-09T18:00+00:00") == ""


def test_weekdays_readers_rest_at_weekends() -> None:
    assert Frequency.WEEKDAYS in frequencies(Kind.DAILY, dt.date(2026, 6, 12))
    assert Frequency.WEEKDAYS not in frequencies(Kind.DAILY, dt.date(2026, 6, 13))
    assert frequencies(Kind.WEEKLY, dt.date(2026, 6, 13)) == (Frequency.WEEKLY,)


@pytest.mark.parametrize("state", list(SubscriptionState))
def test_only_who_is_confirmed_gets_mail(state: SubscriptionState) -> None:
    subscription = Subscription(email="a@example.org", newsletter="daily", state=state)
    assert (decide(subscription, dt.date(2026, 6, 9)) == "") is (state is SubscriptionState.CONFIRMED)


def test_who_is_suppressed_gets_no_mail_whatever_their_subscription_is() -> None:
    suppressed = Subscription(
        email="a@example.org",
        newsletter="daily",
        state=SubscriptionState.CONFIRMED,
        suppressed=Suppressed.COMPLAINT,
    )
    assert decide(suppressed, dt.date(2026, 6, 9)) == "suppressed: complaint"


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
        assert minutes > 60 * 20 or attempts > 2 * tries(tuple(BACK_OFF), GIVE_UP)


def test_what_is_uncertain_is_sent_again_or_waits_for_the_operator() -> None:
    now = at("2026-06-09T07:00+00:00")
    lost = Outcome(Verdict.UNCERTAIN, Stage.CONTENT)
    assert follow(lost, 1, now, now) == Follows(DeliveryState.UNCERTAIN, now + BACK_OFF[0])
    assert follow(lost, 1, now, now, resend=False) == Follows(DeliveryState.UNCERTAIN)
