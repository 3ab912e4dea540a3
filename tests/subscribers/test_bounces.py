from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.causes import Cause
from subscribers.bounces import (
    MASS_OF_DAY,
    MASS_OF_DOMAIN,
    SOFT_LIMIT,
    Attempt,
    BounceKind,
    BounceState,
    ReportedMail,
    follows,
    is_mass,
    kind_of,
    streak,
)

NOW = dt.datetime(2026, 6, 9, 12, tzinfo=dt.UTC)
SOFT, HARD, REFUSED = BounceKind.SOFT, BounceKind.HARD, BounceKind.REFUSED


def history(*failed: BounceKind | None) -> list[Attempt]:
    """A delivery a day, the last one today."""
    return [Attempt(NOW - dt.timedelta(days=len(failed) - 1 - at), kind) for at, kind in enumerate(failed)]


@pytest.mark.parametrize(
    ("attempts", "count"),
    [
        ([], 0),
        ([None], 0),
        ([SOFT, SOFT, SOFT], 3),
        ([SOFT, SOFT, None, SOFT], 1),
        ([SOFT, SOFT, None], 2),  # the last may still come back
        ([SOFT, REFUSED, SOFT], 2),
        ([SOFT, HARD, SOFT], 2),
        ([SOFT] * 40, 30),
    ],
)
def test_soft_bounces_in_a_row_are_counted_up_to_the_last(attempts: list[BounceKind | None], count: int) -> None:
    assert streak(history(*attempts), NOW) == count
    assert streak(reversed(history(*attempts)), NOW) == count


def test_five_soft_bounces_in_a_row_suppress_and_four_do_not() -> None:
    assert follows(SOFT, history(*[SOFT] * 4), NOW) is BounceState.COUNTED
    assert follows(SOFT, history(*[SOFT] * 5), NOW) is BounceState.SUPPRESSED
    assert follows(SOFT, history(*[SOFT] * 5), NOW, freed=True) is BounceState.SETTLED
    spread = [Attempt(NOW - dt.timedelta(days=9 * at), SOFT) for at in range(5)]
    assert follows(SOFT, spread, NOW) is BounceState.COUNTED


def test_a_hard_bounce_suppresses_unless_it_is_one_of_a_mass() -> None:
    assert follows(HARD, history(HARD), NOW) is BounceState.SUPPRESSED
    assert follows(HARD, history(HARD), NOW, mass=True) is BounceState.HELD
    assert follows(HARD, history(HARD), NOW, freed=True) is BounceState.SETTLED


def test_what_is_about_our_mail_never_suppresses_and_a_complaint_always_does() -> None:
    assert follows(REFUSED, history(*[REFUSED] * 30), NOW) is BounceState.COUNTED
    assert follows(BounceKind.COMPLAINT, [], NOW, mass=True, freed=True) is BounceState.SUPPRESSED


@pytest.mark.parametrize(
    ("cause", "proven", "kind"),
    [
        (Cause.DEAD, True, HARD),
        (Cause.DEAD, False, SOFT),
        (Cause.FULL, True, SOFT),
        (Cause.REACH, True, SOFT),
        (Cause.OTHER, True, SOFT),
        *(
            (cause, proven, REFUSED)
            for cause in (Cause.POLICY, Cause.CONTENT, Cause.SIZE, Cause.SENDER)
            for proven in (True, False)
        ),
    ],
)
def test_what_a_report_counts_as(cause: Cause, proven: bool, kind: BounceKind) -> None:
    assert kind_of(ReportedMail(cause=cause), proven=proven) is kind
    assert kind_of(ReportedMail(cause=cause, complaint=True), proven=proven) is (
        BounceKind.COMPLAINT if proven else SOFT
    )


def test_a_mass_is_many_and_a_large_part() -> None:
    assert is_mass(10, 12, MASS_OF_DOMAIN)
    assert not is_mass(9, 9, MASS_OF_DOMAIN)
    assert not is_mass(10, 10_000, MASS_OF_DOMAIN)
    assert is_mass(100, 1_000, MASS_OF_DAY)
    assert not is_mass(100, 10_000, MASS_OF_DAY)


@given(st.lists(st.sampled_from([None, SOFT, HARD, REFUSED]), max_size=60))
def test_no_count_reaches_over_a_success(failed: list[BounceKind | None]) -> None:
    """Whoever is suppressed for soft bounces has had as many, and none of the mails between them went well."""
    attempts = history(*failed)
    if follows(SOFT, attempts, NOW) is BounceState.SUPPRESSED:
        recent = [one.failed for one in attempts if one.sent_at > NOW - dt.timedelta(days=30)]
        while recent[-1] is not SOFT:
            recent.pop()
        row = []
        for one in reversed(recent):
            if one is None:
                break
            row.append(one)
        assert row.count(SOFT) >= SOFT_LIMIT
