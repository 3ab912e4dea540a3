"""The flow `approve`, as a run under a real Prefect server."""

from __future__ import annotations

import datetime as dt

import pytest
from prefect.states import Suspended

from flows import pipeline
from flows.by_hand.approve import ApproveForm, approve
from flows.editions.decisions import EditionDecision
from flows.editions.model import Kind
from flows.storage.approvals import ApprovalState
from tests.approval.scene import silent
from tests.by_hand.scene import a_run, state_of
from tests.factories import DAY
from tests.prefect_server import Installation

SAMPLE = {"newsletter": "sample", "date": str(DAY), "kind": "daily"}


async def said(decision: str, **given: object) -> tuple[str, str]:
    state = await approve(ApproveForm.model_validate(SAMPLE | {"decision": decision} | given), return_state=True)
    return state.type.value, str(state.message)


@pytest.mark.parametrize(
    ("decision", "words"),
    [("hold", "is held: nothing leaves until you allow it."), ("skip", "is skipped: the day has")],
)
async def test_what_is_not_sent_is_kept_with_its_reason_and_ends_the_run_that_waits(
    installation: Installation, decision: str, words: str
) -> None:
    run = await a_run(Suspended(timeout_seconds=600))
    async with installation.context() as context:
        await context.approvals.ask(
            "sample",
            Kind.DAILY,
            DAY,
            otherwise=EditionDecision.SEND,
            deadline=context.now() + dt.timedelta(hours=1),
            run=run,
            now=context.now(),
        )
    kind, told = await said(decision, reason="the lead is wrong")
    assert (kind, words in told) == ("COMPLETED", True)
    async with installation.context() as context:
        known = await context.approvals.find("sample", Kind.DAILY, DAY)
    assert known is not None
    assert (known.state, known.reason) == (ApprovalState(decision), "the lead is wrong")
    assert state_of(installation, run) == ("COMPLETED", f"decided elsewhere: {told}")
    assert installation.outbox == []


async def test_what_is_sent_is_delivered_by_this_run_unless_a_paper_is_not_its(installation: Installation) -> None:
    await installation.subscribes("ada", newsletter="sample")
    async with installation.context() as context:
        await pipeline.collect(context, context.newsletter("sample"), Kind.DAILY, DAY, silent)
    kind, told = await said("send", drop=["2606.99999"])
    assert (kind, "2606.99999 is no paper of the daily edition" in told) == ("FAILED", True)
    assert installation.outbox == []
    kind, told = await said("send", subject="Ours")
    assert (kind, told) == ("COMPLETED", f"The daily edition of {DAY} is allowed. Deliveries: 1 sent.")
    assert installation.outbox == ["ada@example.org"]
