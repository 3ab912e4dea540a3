"""What operators decide of editions before they are delivered: a value beside each draft. Its only SQL."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.editions.decisions import Decisions, EditionDecision
from flows.editions.model import Kind
from flows.papers.model import PaperId
from flows.storage.database import Database, Instant, metadata
from flows.storage.editions import edition

approval = sa.Table(
    "approval",
    metadata,
    sa.Column("newsletter", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(10), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("state", sa.String(5), nullable=False, comment="asked, send, hold or skip"),
    sa.Column("otherwise", sa.String(5), nullable=False, comment="what happens at the deadline"),
    sa.Column("deadline_at", Instant, nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("decided_at", Instant),
    sa.Column("by", sa.String(8), nullable=False, server_default="", comment="operator or deadline"),
    sa.Column("subject", sa.Text, nullable=False, server_default=""),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("dropped", sa.Text, nullable=False, server_default="[]", comment="papers, as JSON"),
    sa.Column("lead", sa.String(40), nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default="", comment="why it is held or skipped"),
    sa.Column("run", sa.String(36), nullable=False, server_default="", comment="Prefect's run that asked"),
    sa.Column("answered", sa.String(36), nullable=False, server_default="", comment="the run whose answer was taken"),
    sa.Column("tested_at", Instant, comment="when it was mailed to the operator"),
    comment="what operators decided of an edition before its delivery",
)


class ApprovalState(StrEnum):
    ASKED = "asked"
    SEND = EditionDecision.SEND.value
    HOLD = EditionDecision.HOLD.value
    SKIP = EditionDecision.SKIP.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """How it stands with the approval of an edition."""

    newsletter: str
    kind: Kind
    day: dt.date
    state: ApprovalState
    otherwise: EditionDecision
    deadline_at: dt.datetime
    by: str = ""
    decisions: Decisions = field(default_factory=Decisions)
    decided_at: dt.datetime | None = None
    reason: str = ""
    run: str = ""
    answered: str = ""
    tested_at: dt.datetime | None = None


class Approvals:
    """The approvals of all editions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, newsletter: str, kind: Kind, day: dt.date) -> Approval | None:
        """How it stands with an edition; None: nobody was asked."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(approval).where(*_is(newsletter, kind, day)))).one_or_none()
        return None if row is None else _read(row)

    async def ask(
        self,
        newsletter: str,
        kind: Kind,
        day: dt.date,
        *,
        otherwise: EditionDecision,
        deadline: dt.datetime,
        run: str,
        now: dt.datetime,
    ) -> Approval:
        """Notes that an operator is asked about an edition, and returns how it stands. The run that asked before, and
        one that finds it allowed, change nothing; another one asks again about what was held or skipped."""
        asked = {
            "state": ApprovalState.ASKED,
            "otherwise": otherwise,
            "deadline_at": deadline,
            "asked_at": now,
            "run": run,
        }
        again = {**asked, "decided_at": None, "by": "", "reason": "", "tested_at": None}
        row = self._database.insert(approval).values(newsletter=newsletter, kind=kind, day=day, **asked)
        key = [approval.c.newsletter, approval.c.kind, approval.c.day]
        shut = approval.c.state.in_([ApprovalState.HOLD, ApprovalState.SKIP])
        async with self._database.write() as connection:
            await connection.execute(
                row.on_conflict_do_update(
                    index_elements=key,
                    set_=again,
                    where=sa.and_(shut, approval.c.run != run, approval.c.answered != run),
                )
            )
            # of several runs that wait for the same answer the latest is the one that a deadline ends
            waits = (*_is(newsletter, kind, day), approval.c.state == ApprovalState.ASKED)
            await connection.execute(sa.update(approval).where(*waits).values(run=run))
        found = await self.find(newsletter, kind, day)
        assert found is not None  # noqa: S101 - it was made above, and nothing takes it away
        return found

    async def decide(
        self,
        newsletter: str,
        kind: Kind,
        day: dt.date,
        verdict: EditionDecision,
        made: Decisions,
        *,
        now: dt.datetime,
        by: str = "operator",
        reason: str = "",
        answer: str = "",
    ) -> bool:
        """Keeps what was decided, in place of what was decided before. False: it comes too late, since the edition is
        frozen or the `answer` (a run that was resumed) was taken before; or, `by` the deadline, somebody was faster."""
        values = {
            "state": verdict.value,
            "by": by,
            "subject": made.subject,
            "note": made.note,
            "dropped": json.dumps(made.dropped),
            "lead": made.lead or "",
            "reason": reason,
            "decided_at": now,
            **({"answered": answer} if answer else {}),
        }
        mine = _is(newsletter, kind, day)
        fresh = {"otherwise": EditionDecision.HOLD, "deadline_at": now, "asked_at": now, **values}
        unasked = self._database.insert(approval).values(newsletter=newsletter, kind=kind, day=day, **fresh)
        async with self._database.write() as connection:
            # locked first, so that whoever freezes the edition is waited for
            held = await connection.execute(sa.select(approval).where(*mine).with_for_update())
            row = held.one_or_none()
            frozen = sa.select(edition.c.id).where(
                edition.c.newsletter == newsletter,
                edition.c.kind == kind,
                edition.c.day == day,
                edition.c.state == "frozen",
            )
            if await connection.scalar(frozen) is not None:
                return False
            if row is None:
                return (await connection.execute(unasked.on_conflict_do_nothing())).rowcount == 1
            if (answer and row.answered == answer) or (by == "deadline" and row.state != ApprovalState.ASKED):
                return False
            await connection.execute(sa.update(approval).where(*mine).values(**values))
            return True

    async def still(self, connection: AsyncConnection, *, known: Approval) -> bool:
        """Whether an edition is allowed as it was when `known` was read; asked while it is frozen, in the same
        transaction, so that no word of an operator is passed over."""
        mine = _is(known.newsletter, known.kind, known.day)
        row = (await connection.execute(sa.select(approval).where(*mine).with_for_update())).one_or_none()
        return row is not None and row.state == ApprovalState.SEND and _read(row) == known

    async def unasked(self, newsletter: str, kind: Kind, day: dt.date, connection: AsyncConnection) -> bool:
        """Whether still nobody was asked about an edition; asked while it is frozen, in the same transaction."""
        return await connection.scalar(sa.select(approval.c.state).where(*_is(newsletter, kind, day))) is None

    async def due(self, newsletter: str, now: dt.datetime) -> Sequence[Approval]:
        """What is to be done now: editions whose deadline is over, and those that were allowed and are not frozen."""
        frozen = sa.exists().where(
            edition.c.newsletter == approval.c.newsletter,
            edition.c.kind == approval.c.kind,
            edition.c.day == approval.c.day,
            edition.c.state == "frozen",
        )
        over = sa.and_(approval.c.state == ApprovalState.ASKED, approval.c.deadline_at <= now)
        wanted = sa.or_(over, sa.and_(approval.c.state == ApprovalState.SEND, ~frozen))
        query = sa.select(approval).where(approval.c.newsletter == newsletter, wanted).order_by(approval.c.day)
        async with self._database.read() as connection:
            return [_read(row) for row in (await connection.execute(query)).all()]

    async def dropped_before(self, newsletter: str, day: dt.date) -> frozenset[PaperId]:
        """The papers that were dropped from a newsletter's editions of the year before `day`: they come in none."""
        query = sa.select(approval.c.dropped).where(
            approval.c.newsletter == newsletter,
            approval.c.state == ApprovalState.SEND,
            approval.c.day < day,
            approval.c.day > day - dt.timedelta(days=366),
            approval.c.dropped != "[]",
        )
        async with self._database.read() as connection:
            rows = (await connection.scalars(query)).all()
        return frozenset(PaperId(one) for row in rows for one in json.loads(row))

    async def test(self, newsletter: str, kind: Kind, day: dt.date, now: dt.datetime) -> bool:
        """Takes it on oneself to mail an edition to its operator; False: that was done since it was asked for."""
        free = (*_is(newsletter, kind, day), approval.c.tested_at.is_(None))
        async with self._database.write() as connection:
            return (await connection.execute(sa.update(approval).where(*free).values(tested_at=now))).rowcount == 1

    async def not_tested(self, newsletter: str, kind: Kind, day: dt.date) -> None:
        """Notes that the mail to the operator did not leave."""
        async with self._database.write() as connection:
            await connection.execute(sa.update(approval).where(*_is(newsletter, kind, day)).values(tested_at=None))


def _is(newsletter: str, kind: Kind, day: dt.date) -> tuple[sa.ColumnElement[bool], ...]:
    return (approval.c.newsletter == newsletter, approval.c.kind == kind, approval.c.day == day)


def _read(row: sa.Row[Any]) -> Approval:
    made = Decisions(
        subject=row.subject,
        note=row.note,
        dropped=tuple(map(PaperId, json.loads(row.dropped))),
        lead=PaperId(row.lead) if row.lead else None,
    )
    return Approval(
        newsletter=row.newsletter,
        kind=Kind(row.kind),
        day=row.day,
        state=ApprovalState(row.state),
        otherwise=EditionDecision(row.otherwise),
        deadline_at=row.deadline_at,
        by=row.by,
        decisions=made,
        decided_at=row.decided_at,
        reason=row.reason,
        run=row.run,
        answered=row.answered,
        tested_at=row.tested_at,
    )
