"""What an operator can ask for: the forms of the Prefect UI, and how a run reads them.

Every field has its default in the deployment, not here: the UI would mark it as optional.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any

from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.exceptions import FailedRun
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from flows.config.logs import in_words
from flows.editions.model import Kind
from flows.outcomes import Problem

in_words(Problem, FailedRun)  # every flow's module comes by here

LATE = {Kind.DAILY: dt.timedelta(hours=12), Kind.WEEKLY: dt.timedelta(days=3)}
"""A scheduled run that starts later than this is skipped: yesterday's news is no news. A week's best keeps longer, but
not so long that it meets the next."""

DUE_EVERY = dt.timedelta(minutes=15)
"""How often what has become due is delivered."""

RETURNS_EVERY = dt.timedelta(minutes=5)
"""How often the mailbox that mail comes back to is read."""


def _written(value: object) -> str:
    """A date as it is written: as a picker gives it, with or without a time, or a word. Nothing means today."""
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    text = str(value or "").strip()
    return text[:10] if text[10:11] == "T" else text or "today"


Date = Annotated[str, BeforeValidator(_written), WithJsonSchema({"type": "string", "format": "date"})]
"""`today`, `yesterday` or a date such as 2026-06-09, which the UI asks for with a picker."""

ChosenKind = Annotated[Kind, WithJsonSchema({"type": "string", "enum": [Kind.DAILY.value, Kind.WEEKLY.value]})]


def _picker(position: int) -> Callable[[dict[str, Any]], None]:
    """A picker shows dates alone: today is what an empty one means, and no default of the form."""

    def shape(schema: dict[str, Any]) -> None:
        schema.pop("default", None)
        schema["position"] = position

    return shape


MOST_DAYS = 62
"""Days that one run collects: arXiv answers once in three seconds."""


class Target(BaseModel):
    """A newsletter."""

    newsletter: str = Field(
        title="Newsletter", description="Its short name, such as daily", json_schema_extra={"position": 0}
    )


class Day(Target):
    """A newsletter's day."""

    date: Date = Field(
        "today",
        title="Date",
        description="Of the edition, however old; none means today",
        json_schema_extra=_picker(1),
    )


class KindOfDay(Day):
    """A newsletter's edition of a kind."""

    kind: ChosenKind = Field(
        Kind.DAILY,
        title="Kind",
        description="The day's edition, or that of the week that ends with it",
        json_schema_extra={"position": 2},
    )


class Days(Target):
    """Days in a row of a newsletter."""

    first: Date = Field(
        "today",
        title="First day",
        description="None means today",
        json_schema_extra=_picker(1),
    )
    last: Date = Field(
        "today",
        title="Last day",
        description=f"None means today; {MOST_DAYS} days at most",
        json_schema_extra=_picker(2),
    )


class Order(Day):
    """A newsletter's edition of a day, or of the week that ends with it, from the sources to the readers."""

    dry_run: bool = Field(
        title="Dry run",
        description="Collect and compose, show the edition, but store and send none",
        json_schema_extra={"position": 2},
    )


def this_run() -> FlowRun | None:
    """The run around us; None: there is none."""
    context = FlowRunContext.get()
    return context.flow_run if context else None


def run_id() -> str:
    """The identifier of the run around us; empty: there is none."""
    run = this_run()
    return str(run.id) if run else ""


def scheduled_at() -> dt.datetime | None:
    """When the run around us was to start, if a schedule made it; None for a run that a person started."""
    run = this_run()
    return run.expected_start_time if run is not None and run.auto_scheduled else None


def too_late(kind: Kind, planned: dt.datetime | None, now: dt.datetime) -> str:
    """Why a run that was `planned` for then should not be made any more, in one sentence; empty: it should."""
    if planned is None or now - planned <= LATE[kind]:
        return ""
    hours = (now - planned).total_seconds() / 3600
    return (
        f"skipped: this run was planned for {planned:%Y-%m-%d %H:%M} UTC and comes {hours:.0f} hours late; "
        "to send that edition all the same, start a run with its date"
    )
