"""The flow `weekly`: the week's best, by `flows.daily.bring`."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.daily import bring
from flows.editions.model import Kind
from flows.parameters import Order


@flow(name="weekly", flow_run_name="{order.newsletter}-week-to-{order.date}")
async def weekly(order: Order) -> State[Any]:
    """The best of the seven days that end on a date, by topic, for those who read weekly.

    The days are collected again before, for their votes as they are now. Running a week again returns the same
    edition and mails only those who have not got it yet.
    """
    return await bring(Kind.WEEKLY, order)
