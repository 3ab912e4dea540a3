"""An edition in Prefect's UI, as its server keeps it."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from flows.approval.asking import ApprovalRequest
from flows.artifacts.composed import show_asked, show_edition
from flows.editions.decisions import EditionDecision
from flows.editions.model import Kind, NoEdition
from flows.storage.approvals import Approval, ApprovalState
from tests import factories
from tests.factories import DAY
from tests.prefect_server import Installation, in_a_run

PREVIEW = "https://papers.example.org/preview/daily/2026-06-09"


async def test_an_edition_is_a_table_by_topic_and_a_link_to_the_mail(installation: Installation) -> None:
    installation.sets(public_url="https://papers.example.org")
    one = factories.edition(factories.papers(7, upvotes=None), missing=("arXiv gave *nothing*.",))
    async with installation.context() as context:
        await in_a_run(show_edition(context, factories.eventful(one)))
    shown = installation.prefect.shown("edition-daily")
    assert shown["description"] == (r"7 papers on Tuesday, 09 June 2026, in 5 topics. arXiv gave \*nothing\*.")
    rows = json.loads(shown["data"])
    assert [row["topic"] for row in rows] == [section.name for section in one.sections for _ in section.entries]
    assert rows[0]["paper"] == next(one.entries).paper.url
    assert rows[0]["shown again"] == "+120 votes"
    assert {row["shown again"] for row in rows[1:]} == {""}
    assert {row["votes"] for row in rows} == {""}
    assert {row["likely to be picked"] for row in rows} == {"0%"}
    link = installation.prefect.shown("preview-daily")
    assert PREVIEW in link["data"]


@pytest.mark.parametrize("kind", Kind)
async def test_no_edition_is_a_reason_that_is_no_markup(installation: Installation, kind: Kind) -> None:
    """A week's history is its own."""
    async with installation.context() as context:
        none = NoEdition(newsletter="quiet", kind=kind, day=DAY, reason="<b>nothing</b> new")
        await in_a_run(show_edition(context, none))
    shown = installation.prefect.shown("edition-quiet" + "-weekly" * (kind is Kind.WEEKLY))
    assert shown["data"] == rf"**No {kind} edition on Tuesday, 09 June 2026.** \<b>nothing\</b> new"
    assert shown["description"] == str(DAY)


THEN = {
    EditionDecision.HOLD: "then it is held",
    EditionDecision.SEND: "then it is sent",
    EditionDecision.SKIP: "then the day is skipped",
}


@pytest.mark.parametrize("otherwise", THEN)
async def test_what_is_asked_says_until_when_and_what_happens_then(
    installation: Installation, otherwise: EditionDecision
) -> None:
    approval = Approval(
        newsletter="daily",
        kind=Kind.DAILY,
        day=DAY,
        state=ApprovalState.ASKED,
        otherwise=otherwise,
        deadline_at=dt.datetime(2026, 6, 9, 11, 0, tzinfo=dt.UTC),
    )
    wrong = ("Half as many papers as *usual*.",) if otherwise is EditionDecision.HOLD else ()
    asked = ApprovalRequest(approval=approval, edition=factories.edition(), concerns=wrong, test="It is in your inbox.")
    await in_a_run(show_asked(asked, PREVIEW))
    lines = installation.prefect.shown("approval-daily")["data"].splitlines()
    assert lines[0] == f"**7 papers wait for your word** until 2026-06-09 11:00 UTC; {THEN[otherwise]}."
    assert f"[See it as a mail]({PREVIEW}) · It is in your inbox." in lines
    assert (r"- ⚠ Half as many papers as \*usual\*." in lines) == bool(wrong)
    assert ("Nothing looks wrong." in lines) == (not wrong)
    assert lines[-5:] == [f"| {one.name} | {len(one.entries)} |" for one in asked.edition.sections]
