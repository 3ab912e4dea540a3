"""The flow `send-test`: an edition, mailed to its operator alone."""

from __future__ import annotations

from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.approval import to_operator
from flows.blocks.taken_over import take_over
from flows.context import open_context
from flows.parameters import KindOfDay


class Test(KindOfDay):
    """An edition that is mailed to you."""


@flow(name="send-test", flow_run_name="send-test-{test.newsletter}-{test.date}")
async def send_test(test: Test) -> State[Any]:
    """Mail an edition to PAPERROUND_OPERATOR_ADDRESS alone, its subject marked. It is made of what is collected, and
    no edition is stored."""
    log = get_run_logger()
    async with open_context(await take_over(log.info)) as context:
        newsletter = context.newsletter(test.newsletter, test.kind)
        day = context.day(newsletter, test.date)
        words = await to_operator.send_test(context, newsletter, test.kind, day)
    log.info(words)
    return Completed(message=words)
