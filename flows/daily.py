"""The flow `daily`: a day's edition, by `flows.rounds`."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.editions.model import Kind
from flows.orders import Order
from flows.rounds import bring


@flow(name="daily", flow_run_name="{order.newsletter}-{order.date}")
async def daily(order: Order) -> State[Any]:
    """A newsletter's edition of a day, from the sources to the readers' inboxes.

    Running a day again returns the same edition and mails only those who have not got it yet.
    """
    return await bring(Kind.DAILY, order)
