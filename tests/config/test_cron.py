"""A schedule that the catalogue takes is one that Prefect's scheduler takes, and one that comes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect.client.schemas.schedules import CronSchedule

from flows.config.cron import fault

_NUMBER = st.integers(0, 40).map(str)
_PIECE = st.one_of(
    st.just("*"),
    _NUMBER,
    st.builds("{}-{}".format, _NUMBER, _NUMBER),
    st.builds("*/{}".format, _NUMBER),
    st.builds("{}/{}".format, _NUMBER, _NUMBER),
    st.sampled_from(
        ["mon", "fri-sun", "jan", "L", "1#1", "1#6", "15W", "R", "H", "?", "", "٣", "L5", "mon-", ",", "@"]
    ),
)
_FIELD = st.lists(_PIECE, min_size=1, max_size=2).map(",".join)


def prefect_takes(cron: str) -> bool:
    try:
        CronSchedule(cron=cron, timezone="UTC")
    except ValueError:
        return False
    return True


@given(st.lists(_FIELD, min_size=4, max_size=6).map(" ".join) | st.sampled_from(["@daily", "@hourly", "@reboot", "@"]))
@settings(max_examples=400)
def test_what_is_taken_prefect_takes_too(cron: str) -> None:
    if not fault(cron):
        assert prefect_takes(cron), cron


@pytest.mark.parametrize(
    "cron",
    [
        "@daily",
        "@monthly",
        "0 7 * * 1#1",
        "0 7 L * *",
        "0 7 * * fri-sun",
        "0 7 * * L5",
        "0 7 ? * mon,FRI",
        "5/2 7 * * *",
    ],
)
def test_what_prefect_takes_of_five_fields_is_taken(cron: str) -> None:
    assert prefect_takes(cron)
    assert fault(cron) == ""


@pytest.mark.parametrize("cron", ["0 7 31 2 *", "0 7 30 2 *", "0 7 31 4,6 *", "0 7 31 2 1"])
def test_a_day_that_never_comes_is_told(cron: str) -> None:
    assert prefect_takes(cron)
    assert fault(cron) == "names a day that its months don't have: correct the day or the month"
