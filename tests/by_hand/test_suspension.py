"""How a run waits for its operator, at a real Prefect server. That it is suspended and starts anew is seen in
`tests/processes/test_demo.py`."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Running, Suspended
from pydantic import ValidationError

from flows import pipeline
from flows.approval.asking import ApprovalRequest
from flows.by_hand.suspension import ResumeForm, at_deadline, described, end, form, resumed, wait_for_approval
from flows.editions.decisions import Decisions, EditionDecision, decisions
from flows.editions.model import Kind
from flows.storage.approvals import Approval, ApprovalState
from tests import factories
from tests.approval.scene import silent
from tests.by_hand.scene import a_run, state_of
from tests.factories import DAY
from tests.prefect_server import Installation, in_a_run

AT = dt.datetime(2026, 6, 9, 9, 30, tzinfo=dt.UTC)
TITLE = "2606.00001: A Lighthouse That Reads Its Own Log, Part 1"
OTHER = "2606.00002: Counting Swifts with One Microphone, Part 2"
KEY: tuple[str, Kind, dt.date] = ("asked", Kind.DAILY, DAY)


def request(made: Decisions, *concerns: str, title: str = "") -> ApprovalRequest:
    papers = [factories.paper(1, **({"title": title} if title else {})), factories.paper(2)]
    approval = Approval(
        newsletter="asked",
        kind=Kind.DAILY,
        day=DAY,
        state=ApprovalState.ASKED,
        otherwise=EditionDecision.SKIP,
        deadline_at=AT,
        decisions=made,
    )
    return ApprovalRequest(approval=approval, edition=factories.edition(papers), concerns=concerns, test="")


def test_a_form_that_is_not_touched_holds_and_keeps_what_was_written_before() -> None:
    made = form(request(decisions("Ours", "Read this.", (), "")), "https://papers.example.org/preview")()
    assert (made.decision, made.subject, made.note) == ("hold", "Ours", "Read this.")
    assert made.decisions == decisions("Ours", "Read this.", (), "")


def test_the_choices_are_the_editions_papers_and_no_others() -> None:
    model = form(request(Decisions()), "https://papers.example.org/preview")
    assert model(decision="send", lead=TITLE, drop=[OTHER]).decisions == decisions(
        "", "", ("2606.00002",), "2606.00001"
    )
    for wrong in ({"lead": "2606.99999"}, {"drop": ["2606.99999"]}, {"decision": "later"}):
        with pytest.raises(ValidationError):
            model.model_validate(wrong)
    long = form(request(Decisions(), title="x" * 300), "https://papers.example.org/preview")
    assert long(lead=f"2606.00001: {'x' * 70}").decisions.lead == "2606.00001"


def test_what_stands_above_the_form_says_until_when_what_then_and_what_looks_wrong() -> None:
    assert described(request(Decisions(), "Few papers."), "https://papers.example.org/p").splitlines() == [
        f"**The daily edition of {DAY}**: 2 papers. [See it as a mail](https://papers.example.org/p). "
        "Until 2026-06-09 09:30 UTC; then the day is skipped.",
        "- Few papers.",
    ]
    assert ResumeForm().decision == "hold"


@pytest.mark.parametrize(
    ("state", "after"),
    [(Suspended(timeout_seconds=600), "COMPLETED"), (Running(), "RUNNING"), (Cancelled(), "CANCELLED")],
)
async def test_a_run_that_waits_is_ended_and_no_other_is(
    installation: Installation, state: State[Any], after: str
) -> None:
    run = await a_run(state)
    await end(run, "it was allowed")
    kind, words = state_of(installation, run)
    assert kind == after
    assert (words == "decided elsewhere: it was allowed") is (after == "COMPLETED")
    for nobody in ("", "no run", "00000000-0000-0000-0000-000000000000"):
        await end(nobody, "it was allowed")


async def ask(installation: Installation, run: str = "", hours: int = -1) -> None:
    async with installation.context() as context:
        at = context.now() + dt.timedelta(hours=hours)
        await context.approvals.ask(*KEY, otherwise=EditionDecision.SKIP, deadline=at, run=run, now=at)


async def test_at_its_deadline_what_was_said_before_happens_unless_its_run_was_cancelled(
    installation: Installation,
) -> None:
    installation.has_newsletter("asked", approval="wait")
    await ask(installation, await a_run(Cancelled()))
    (said, *_) = await at_deadline("asked")
    assert said.endswith("and its run was cancelled: it is held.")
    async with installation.context() as context:
        known = await context.approvals.find(*KEY)
    assert known is not None
    assert known.state is ApprovalState.HOLD
    assert await at_deadline("asked") == []


async def test_whose_deadline_it_is_ends_the_run_that_waits_for_it(installation: Installation) -> None:
    installation.has_newsletter("asked", approval="wait")
    run = await a_run(Suspended(timeout_seconds=600))
    await ask(installation, run)
    first, second = await at_deadline("asked")
    assert first.endswith("and nobody decided: it is skipped.")
    assert second.startswith(f"No daily edition on {DAY}, so no mail: ")
    kind, words = state_of(installation, run)
    assert (kind, words) == ("COMPLETED", f"decided elsewhere: {second.partition('no mail: ')[2]}")


async def waited(slug: str) -> tuple[str, str] | None:
    """The state that a run of it would end in, as its name and its words; None: it goes on."""
    state = await wait_for_approval(slug, Kind.DAILY, DAY)
    return None if state is None else (str(state.name), str(state.message))


async def test_a_run_goes_on_where_nobody_is_asked_and_ends_with_what_was_decided(installation: Installation) -> None:
    installation.has_newsletter("asked", approval="veto")

    async def one_run() -> list[tuple[str, str] | None]:
        async with installation.context() as context:
            await pipeline.collect(context, context.newsletter("asked"), Kind.DAILY, DAY, silent)
            found = [await waited("sample"), await waited("asked")]
            for verdict in (EditionDecision.HOLD, EditionDecision.SKIP, EditionDecision.SEND):
                await context.approvals.decide(*KEY, verdict, Decisions(), now=context.now(), reason="a holiday")
                found.append(await waited("asked"))
        return found

    nobody, announced, held, skipped, sent = await in_a_run(one_run())
    assert (nobody, sent) == (None, None)
    assert announced is not None
    assert announced[0] == "Announced"
    assert announced[1].endswith("UTC unless you hold it with `approve`")
    assert held is not None
    assert held[0] == "Held"
    assert held[1].startswith("no mail: It is held by its operator: a holiday.")
    assert skipped is not None
    assert skipped[0] == "Skipped"
    assert "a holiday" in skipped[1]


async def test_a_run_that_was_never_suspended_was_not_resumed(installation: Installation) -> None:
    assert await resumed() is None
    assert await in_a_run(resumed()) is None
