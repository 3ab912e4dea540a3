"""How a run waits for its operator: it is suspended, no process sleeps, and starts anew when they resume it.

All that stands before is done once however often the run starts: the answer is kept in our database, and what counts is
what stands there.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal
from uuid import UUID

from prefect import get_run_logger, suspend_flow_run
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.input.actions import read_flow_run_input
from prefect.input.run_input import RunInput
from prefect.states import Completed, Scheduled
from pydantic import Field, create_model

from flows.approval import deciding
from flows.approval.asking import ApprovalRequest, ask
from flows.artifacts.composed import show_asked
from flows.config.settings import load_settings
from flows.context import Context, open_context, preview_link
from flows.editions.decisions import Decisions, EditionDecision, decisions
from flows.editions.maths import text
from flows.editions.model import Kind, NoEdition
from flows.events.emit import tell_decision
from flows.outcomes import Problem
from flows.parameters import run_id, this_run
from flows.pipeline import not_allowed
from flows.storage.approvals import ApprovalState

KEY = "approval"
PATIENCE = dt.timedelta(days=1)
"""How long after its deadline a run still waits to be resumed, should nothing have ended it."""
_TITLE = 70


class ResumeForm(RunInput):
    """The form with which a run is resumed. Untouched it holds."""

    decision: Literal["hold", "send", "skip"] = Field(
        default="hold",
        title="Decision",
        description="send: its readers get it now; hold: nothing leaves until you allow it; skip: no edition that day",
        json_schema_extra={"position": 0},
    )
    subject: str = Field(
        default="",
        title="Subject",
        description="The same for all readers; empty: it names each reader's first papers",
        json_schema_extra={"position": 1},
    )
    note: str = Field(
        default="",
        title="Editor's note",
        description="Above the papers; links as `https://…` or `[words](https://…)`",
        json_schema_extra={"position": 2, "format": "textarea"},
    )
    drop: list[str] = Field(
        default_factory=list,
        title="Papers to drop",
        description="They come in no later edition either",
        json_schema_extra={"position": 3},
    )
    lead: str = Field(
        default="", title="Paper to lead", description="The paper that comes first", json_schema_extra={"position": 4}
    )
    reason: str = Field(
        default="",
        title="Reason",
        description="Of a hold, for your colleagues; of a skip, for everybody: the day's page tells it",
        json_schema_extra={"position": 5},
    )

    @property
    def decisions(self) -> Decisions:
        return decisions(self.subject, self.note, self.drop, self.lead)


def form(asked: ApprovalRequest, preview: str) -> type[ResumeForm]:
    """The form for one edition: its papers are the choices."""
    titles = tuple(f"{entry.paper.id}: {text(entry.paper.title)[:_TITLE]}" for entry in asked.edition.entries)
    fields: dict[str, Any] = ResumeForm.model_fields
    before = asked.approval.decisions
    paper: Any = Literal[titles]
    lead: Any = Literal[("", *titles)]
    made: dict[str, Any] = {
        "subject": (str, _with(fields["subject"], before.subject)),
        "note": (str, _with(fields["note"], before.note)),
        "drop": (list[paper], fields["drop"]),
        "lead": (lead, fields["lead"]),
    }
    model = create_model("Approval", __base__=ResumeForm, **made)
    return model.with_initial_data(description=described(asked, preview))


def _with(field: Any, default: str) -> Any:
    return Field(
        default=default,
        title=field.title,
        description=field.description,
        json_schema_extra=dict(field.json_schema_extra),
    )


def described(asked: ApprovalRequest, preview: str) -> str:
    """What stands above the form, in Markdown."""
    then = {"hold": "it is held", "send": "it is sent", "skip": "the day is skipped"}[asked.approval.otherwise]
    lines = [
        f"**The {asked.edition.kind} edition of {asked.edition.day}**: {asked.edition.size} papers. "
        f"[See it as a mail]({preview}). Until {asked.approval.deadline_at:%Y-%m-%d %H:%M} UTC; then {then}.",
        *(f"- {one}" for one in asked.concerns),
    ]
    return "\n".join(lines)


async def wait_for_approval(newsletter: str, kind: Kind, day: dt.date) -> State[Any] | None:
    """Asks the operator about the edition of a day if the newsletter wants that, and suspends the run around us until
    they answer, or ends it where they may object. None: it may be delivered; else the state that the run ends in."""
    log, run = get_run_logger(), run_id()
    asked: ApprovalRequest | None
    async with open_context(load_settings()) as context:
        wanted = context.newsletter(newsletter, kind)
        if given := await _given(run):
            log.info(await _take(context, newsletter, kind, day, given, run))
        asked = await ask(context, wanted, kind, day, log.info, run=run)
        if asked is None:
            return None
        known, preview = asked.approval, preview_link(context, newsletter, kind, day)
        if known.state is ApprovalState.ASKED:
            await show_asked(asked, preview)
            for one in asked.concerns:
                log.warning(one)
        refused = not_allowed(wanted, kind, day, known)
        now = context.now()
    if known.state is not ApprovalState.ASKED:
        if refused is None:
            return None
        name = "Skipped" if known.state is ApprovalState.SKIP else "Held"
        return Completed(name=name, message=f"no mail: {refused.reason}")
    at = f"{known.deadline_at:%Y-%m-%d %H:%M} UTC"
    await _look_then(newsletter, known.deadline_at)
    if wanted.approval == "veto":
        return Completed(
            name="Announced",
            message=f"{asked.edition.size} papers: it is sent at {at} unless you hold it with `approve`",
        )
    seconds = int((known.deadline_at + PATIENCE - now).total_seconds())
    log.info("It waits for you until %s: resume the run, and decide in its form.", at)
    await suspend_flow_run(  # type: ignore[misc] # it is awaited in a flow that is async
        wait_for_input=form(asked, preview), key=KEY, timeout=max(seconds, 60)
    )
    # whoever resumes it without touching the form is not heard in any other way
    async with open_context(load_settings()) as context:
        said = await _take(context, newsletter, kind, day, {"decision": EditionDecision.HOLD.value}, run)
    return Completed(name="Held", message=f"no mail: {said} To send it, use `approve`.")


async def _take(context: Context, newsletter: str, kind: Kind, day: dt.date, given: dict[str, Any], run: str) -> str:
    wanted, since = context.newsletter(newsletter, kind), context.now()
    try:
        answer = ResumeForm(**given)
        made = answer.decisions
        said = await deciding.answer(
            context, wanted, kind, day, EditionDecision(answer.decision), made, reason=answer.reason, run=run
        )
    except (Problem, ValueError) as error:
        # what was meant can't be done: nothing leaves, and what was wrong is said
        said = await deciding.answer(
            context, wanted, kind, day, EditionDecision.HOLD, Decisions(), reason=str(error), run=run
        )
        said = f"{said} {error}"
    await tell_decision(context, newsletter, kind, day, since)
    return str(said)


async def _given(run: str) -> dict[str, Any]:
    """What was written into the form of this run; nothing if it was not resumed yet."""
    value = await _input("response", run)
    return {"decision": "hold", **value} if isinstance(value, dict) else {}


async def _input(what: str, run: str) -> Any:
    """What Prefect keeps of the form of a run: its "schema" once it was suspended, the "response" of who resumed
    it with one; None where it keeps nothing."""
    try:
        return await read_flow_run_input(f"suspended-{KEY}-{what}", flow_run_id=UUID(run))
    except (ObjectNotFound, ValueError):
        return None


async def resumed() -> dt.datetime | None:
    """When the run around us was to start at first, if it has been suspended for its operator; else None."""
    run = this_run()
    if run is None or await _input("schema", str(run.id)) is None:
        return None
    return run.expected_start_time


async def at_deadline(newsletter: str) -> list[str]:
    """Does what is due about the editions of a newsletter that were to be approved, ends the runs that waited for it;
    returns what was done, in sentences. What was frozen is delivered by whoever asks."""
    said: list[str] = []
    ended: list[tuple[str, str]] = []
    async with open_context(load_settings()) as context:
        since = context.now()
        for known, found in await deciding.due(context, context.newsletter(newsletter), said.append, _cancelled):
            if isinstance(found, NoEdition):
                said.append(f"No {known.kind} edition on {known.day}, so no mail: {found.reason}")
            words = found.reason if isinstance(found, NoEdition) else "it goes by `deliver-due`"
            ended.append((known.run, words))
            await tell_decision(context, newsletter, known.kind, known.day, since)
    for run, words in ended:
        await end(run, words)
    return said


async def end(run: str, words: str) -> None:
    """Ends a run that waits for an answer which has been given elsewhere, or comes too late."""
    if not run or run == run_id():
        return
    async with get_client() as client:
        try:
            found = await client.read_flow_run(UUID(run))
        except (ObjectNotFound, ValueError):
            return
        if found.state is not None and found.state.is_paused():
            state: State[Any] = Completed(message=f"decided elsewhere: {words}")
            await client.set_flow_run_state(UUID(run), state, force=True)


async def _cancelled(run: str) -> bool:
    async with get_client() as client:
        try:
            found = await client.read_flow_run(UUID(run))
        except (ObjectNotFound, ValueError):
            return False
        return found.state is not None and (found.state.is_cancelled() or found.state.is_cancelling())


async def _look_then(newsletter: str, deadline: dt.datetime) -> None:
    """Plans a run of `deliver-due` for the deadline: without it the next one does the same, minutes later."""
    async with get_client() as client:
        try:
            found = await client.read_deployment_by_name(f"deliver-due/{newsletter}")
        except ObjectNotFound:
            return
        await client.create_flow_run_from_deployment(
            found.id,
            state=Scheduled(scheduled_time=deadline),
            idempotency_key=f"deadline-{newsletter}-{deadline.isoformat()}",
        )
