"""An operator is asked about an edition: the draft, what looks wrong with it, and a mail of it to themselves."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass

from flows.approval.to_operator import send_test
from flows.context import Context, Say
from flows.editions.choose import choose
from flows.editions.concerns import concerns
from flows.editions.deadline import deadline_of, otherwise_of
from flows.editions.model import Edition, Interests, Kind, Newsletter
from flows.mail.assemble import LIMIT, page
from flows.mail.look import gist_of
from flows.outcomes import Problem
from flows.pipeline import cards_of, compose
from flows.storage.approvals import Approval, ApprovalState
from flows.storage.editions import Frozen

COMPARED = 10
"""Editions that say how many papers are usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """What an operator is shown."""

    approval: Approval
    edition: Edition
    concerns: tuple[str, ...]
    test: str
    """Whether it was mailed to them, in a sentence."""


async def ask(
    context: Context, newsletter: Newsletter, kind: Kind, day: dt.date, say: Say, *, run: str = ""
) -> ApprovalRequest | None:
    """Asks for the approval of an edition; None: nobody need be asked, since the newsletter wants no approval, or the
    edition is delivered already or is none.

    Any number of times: whoever asks again learns how it stands, and the mail to the operator leaves once.
    """
    if not newsletter.approval or isinstance(await context.store.find(newsletter.slug, kind, day), Frozen):
        return None
    edition = await compose(context, newsletter, kind, day)
    if not isinstance(edition, Edition):
        return None
    now = context.now()
    approval = await context.approvals.ask(
        newsletter.slug,
        kind,
        day,
        otherwise=otherwise_of(newsletter),
        deadline=deadline_of(newsletter, now),
        run=run,
        now=now,
    )
    test = ""
    if approval.state is ApprovalState.ASKED:
        test = await _test(context, newsletter, kind, day, say)
    return ApprovalRequest(
        approval=approval, edition=edition, concerns=await worries(context, newsletter, edition), test=test
    )


async def _test(context: Context, newsletter: Newsletter, kind: Kind, day: dt.date, say: Say) -> str:
    """Mails the edition to the operator, once for each time that they are asked. What keeps it from leaving keeps
    nobody from deciding."""
    if not context.settings.operator_address:
        return "No test was mailed: PAPERROUND_OPERATOR_ADDRESS names nobody."
    if not await context.approvals.test(newsletter.slug, kind, day, context.now()):
        return "It was mailed to the operator's address."
    try:
        said = await send_test(context, newsletter, kind, day)
    except Problem as problem:
        await context.approvals.not_tested(newsletter.slug, kind, day)
        said = str(problem)
    say(said)
    return said


async def worries(context: Context, newsletter: Newsletter, edition: Edition) -> tuple[str, ...]:
    """What looks wrong with an edition, in sentences."""
    usual = await context.store.sizes_before(edition.newsletter, edition.kind, edition.day, COMPARED)
    cards = await cards_of(context, edition, newsletter)
    whole = await asyncio.to_thread(page, cards, choose(edition, Interests()))
    without = sum(not gist_of(entry.paper)[0] for entry in edition.entries)
    return concerns(edition, usual=usual, size=len(whole), limit=LIMIT, without_gist=without)
