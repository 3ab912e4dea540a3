"""What Prefect offers to start: a scheduled deployment per newsletter, and each stage by hand."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.flows import Flow
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType

from flows.alarms.watchdog import WATCH_EVERY, watchdog
from flows.by_hand.approve import approve
from flows.by_hand.correct import correct
from flows.by_hand.send_test import send_test
from flows.collect import collect
from flows.compose import compose
from flows.context import Context
from flows.daily import daily
from flows.deliver import deliver, deliver_due
from flows.editions.model import Kind, Newsletter
from flows.parameters import DUE_EVERY, RETURNS_EVERY, Day, Order, Target
from flows.returns import returns
from flows.upkeep import upkeep
from flows.weekly import weekly

Planned: TypeAlias = CronSchedule | IntervalSchedule

UPKEEP = CronSchedule(cron="17 3 * * *", timezone="UTC")
"""At a quiet hour, and not on one: everybody's jobs start at full hours."""

_OURS = "ours-"
"""What the slug of a schedule begins with that comes from us, not from the operator."""


async def deployments(newsletters: Iterable[Newsletter], *, with_returns: bool = False) -> list[RunnerDeployment]:
    """For each newsletter `daily/NEWSLETTER` and `weekly/NEWSLETTER` by its schedules, `deliver-due/NEWSLETTER` every
    quarter of an hour; `upkeep/nightly`; `watchdog/every-few-minutes`; `returns/mailbox`, with returns; `collect`,
    `compose` and `deliver` by hand.

    Entrypoints are modules, never files: a file's folder would come onto the path and hide standard modules.
    """
    offered = []
    for newsletter in newsletters:
        order = {"order": Order(newsletter=newsletter.slug, date="today", dry_run=False).model_dump()}
        planned = CronSchedule(cron=newsletter.cron, timezone=newsletter.zone)
        about = f"**{newsletter.title}.** {newsletter.description}"
        offered.append(await _deployment(daily, newsletter.slug, order, planned, newsletter.active, about))
        if newsletter.weekly_cron:
            planned = CronSchedule(cron=newsletter.weekly_cron, timezone=newsletter.zone)
            about = f"**{newsletter.title}, weekly.** The best of the seven days that end on the date, by topic."
            offered.append(await _deployment(weekly, newsletter.slug, order, planned, newsletter.active, about))
        offered += await _by_hand(newsletter)
        often = _every(DUE_EVERY)
        target = Target(newsletter=newsletter.slug)
        about = f"{newsletter.title}: readers whose hour has come, and what a mail server put off."
        offered.append(
            # always on: an edition of a newsletter without a schedule has readers with an hour of their own too
            await _deployment(deliver_due, newsletter.slug, {"target": target.model_dump()}, often, True, about)
        )
    about = "What is kept for a while only goes when its time is over: sign-ups that nobody confirmed, old letters."
    offered.append(await _deployment(upkeep, "nightly", {}, UPKEEP, True, about, tags=()))
    about = "Whether runs that are shown as running are, and whether editions are there when they should be."
    offered.append(await _deployment(watchdog, "every-few-minutes", {}, _every(WATCH_EVERY), True, about, tags=()))
    if with_returns:
        about = "The mailbox that mail comes back to: unsubscriptions, bounces, complaints."
        offered.append(await _deployment(returns, "mailbox", {}, _every(RETURNS_EVERY), True, about, tags=()))
    for stage in (collect, compose, deliver):
        day = Day(newsletter="daily", date="today")
        offered.append(
            await stage.ato_deployment(
                "by-hand", parameters={"day": day.model_dump()}, entrypoint_type=EntrypointType.MODULE_PATH
            )
        )
    return offered


async def _by_hand(newsletter: Newsletter) -> list[RunnerDeployment]:
    """What an operator does about an edition: see it first, and decide about it."""
    of: dict[str, Any] = {"newsletter": newsletter.slug, "date": "today", "kind": Kind.DAILY.value}
    word = {**of, "decision": "hold", "subject": "", "note": "", "drop": [], "lead": "", "reason": ""}
    wrong = {**of, "note": "", "subject": "", "edition": False, "drop": [], "lead": ""}
    about = f"{newsletter.title}: an edition, mailed to you alone."
    decide = f"{newsletter.title}: hold, send or skip an edition, with a note, papers dropped and one to lead."
    return [
        await send_test.ato_deployment(
            newsletter.slug,
            description=about,
            parameters={"test": of},
            entrypoint_type=EntrypointType.MODULE_PATH,
            tags=["newsletter"],
        ),
        await approve.ato_deployment(
            newsletter.slug,
            description=decide,
            parameters={"word": word},
            entrypoint_type=EntrypointType.MODULE_PATH,
            tags=["newsletter"],
        ),
        await correct.ato_deployment(
            newsletter.slug,
            description=f"{newsletter.title}: a correction, to exactly those who got an edition.",
            parameters={"correction": wrong},
            entrypoint_type=EntrypointType.MODULE_PATH,
            tags=["newsletter"],
        ),
    ]


def _every(interval: dt.timedelta) -> IntervalSchedule:
    """Counted from midnight UTC: an interval skips no run when the clocks change."""
    return IntervalSchedule(interval=interval, anchor_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


async def _deployment(
    flow: Flow[..., Any],
    name: str,
    parameters: dict[str, Any],
    planned: Planned,
    active: bool,
    about: str,
    tags: Sequence[str] = ("newsletter",),
) -> RunnerDeployment:
    present = await _present(f"{flow.name}/{name}")
    return await flow.ato_deployment(
        name,
        description=about,
        schedules=schedules(planned, active, present),
        parameters=parameters,
        entrypoint_type=EntrypointType.MODULE_PATH,
        tags=list(tags),
    )


def schedules(planned: Planned, active: bool, present: Iterable[DeploymentSchedule]) -> list[DeploymentScheduleCreate]:
    """A deployment's schedules: those that are there, with whatever the operator changed or added in the UI.

    Serving a deployment would otherwise set its schedules back. Our own one is made, in place of an earlier one of
    ours, when the time that it names is another than it was.
    """
    ours = f"{_OURS}{zlib.crc32(planned.model_dump_json().encode()):08x}"
    kept = [
        DeploymentScheduleCreate(
            schedule=one.schedule, active=one.active, slug=one.slug, parameters=one.parameters or {}
        )
        for one in present
        if one.slug == ours or not (one.slug or "").startswith(_OURS)
    ]
    if not any(one.slug == ours for one in kept):
        kept.append(DeploymentScheduleCreate(schedule=planned, active=active, slug=ours))
    return kept


async def _present(deployment: str) -> list[DeploymentSchedule]:
    async with get_client() as client:
        try:
            return (await client.read_deployment_by_name(deployment)).schedules
        except ObjectNotFound:
            return []


async def serve(context: Context) -> None:
    """Registers the deployments and runs what is started, until it is stopped."""
    runner = Runner(name="paperround", pause_on_shutdown=False)
    with_returns = bool(context.settings.returns_url.get_secret_value())
    for deployment in await deployments(context.newsletters.values(), with_returns=with_returns):
        await runner.aadd_deployment(deployment)
    await runner.start()
