"""The choices of a form are those that there are, and a date is one that arXiv can have papers of."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from prefect import flow
from prefect.deployments.runner import RunnerDeployment
from pydantic import BaseModel, Field

from flows.offers.form_fields import choices, dates

TODAY = dt.date(2026, 6, 9)


class Asked(BaseModel):
    newsletter: str = "daily"
    date: str = Field("", json_schema_extra={"format": "date"})


@flow
def asks(asked: Asked) -> None:
    """Takes a form."""


def fields(deployment: RunnerDeployment) -> dict[str, Any]:
    found: dict[str, Any] = deployment._parameter_openapi_schema.definitions["Asked"]["properties"]
    return found


@pytest.fixture
def deployment() -> RunnerDeployment:
    made = asks.to_deployment("asked")
    assert isinstance(made, RunnerDeployment)
    return made


def test_a_field_takes_the_values_that_there_are_alone(deployment: RunnerDeployment) -> None:
    found = fields(choices(deployment, {"newsletter": ["daily", "arxiv"], "nothing": ["x"]}))
    assert found["newsletter"]["enum"] == ["daily", "arxiv"]
    assert "enum" not in found["date"]


@pytest.mark.parametrize("word", ["", "today", "yesterday", "2007-01-01", "2019-12-31", "2026-06-09"])
def test_a_date_that_may_have_papers_is_taken(deployment: RunnerDeployment, word: str) -> None:
    assert re.search(fields(dates(deployment, TODAY))["date"]["pattern"], word)


@pytest.mark.parametrize(
    "word", ["tomorrow", "2006-12-31", "2027-01-01", "2026-13-01", "2026-06-32", "2026-6-9", "x2026-06-09"]
)
def test_another_is_refused(deployment: RunnerDeployment, word: str) -> None:
    assert not re.search(fields(dates(deployment, TODAY))["date"]["pattern"], word)


def test_next_years_first_dates_come_with_the_last_days_of_this(deployment: RunnerDeployment) -> None:
    pattern = fields(dates(deployment, dt.date(2029, 12, 30)))["date"]["pattern"]
    assert re.search(pattern, "2030-01-01")
    assert not re.search(pattern, "2031-01-01")
