"""What Prefect offers to start: a scheduled deployment per newsletter, and each stage by hand."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType

from flows.collect import collect
from flows.compose import compose
from flows.context import Context
from flows.daily import daily
from flows.deliver import deliver
from flows.editions.model import Newsletter
from flows.orders import Day, Order

_OURS = "file-"
"""What the slug of a schedule begins with that comes from a newsletter's file."""


async def deployments(newsletters: Iterable[Newsletter]) -> list[RunnerDeployment]:
    """A deployment `daily/NEWSLETTER` with its schedule for each, and `collect`, `compose`, `deliver` by hand.

    Entrypoints are modules, never files: a file's folder would come onto the path and hide standard modules.
    """
    offered = [
        await daily.ato_deployment(
            newsletter.slug,
            description=f"**{newsletter.title}.** {newsletter.description}",
            schedules=schedules(newsletter, await _present(newsletter.slug)),
            parameters={"order": Order(newsletter=newsletter.slug, date="today", dry_run=False).model_dump()},
            entrypoint_type=EntrypointType.MODULE_PATH,
            tags=["newsletter"],
        )
        for newsletter in newsletters
    ]
    by_hand = [
        await stage.ato_deployment(
            "by-hand",
            parameters={"day": Day(newsletter="daily", date="today").model_dump()},
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for stage in (collect, compose, deliver)
    ]
    return offered + by_hand


def schedules(newsletter: Newsletter, present: Iterable[DeploymentSchedule]) -> list[DeploymentScheduleCreate]:
    """The newsletter's schedules: those that are there, with whatever the operator changed or added in the UI.

    Serving a deployment would otherwise set its schedules back. The file's own one is made, in place of an earlier
    file's, when the file names another time than it did.
    """
    ours = f"{_OURS}{zlib.crc32(f'{newsletter.cron} {newsletter.zone}'.encode()):08x}"
    kept = [
        DeploymentScheduleCreate(
            schedule=one.schedule, active=one.active, slug=one.slug, parameters=one.parameters or {}
        )
        for one in present
        if one.slug == ours or not (one.slug or "").startswith(_OURS)
    ]
    if not any(one.slug == ours for one in kept):
        planned = CronSchedule(cron=newsletter.cron, timezone=newsletter.zone)
        kept.append(DeploymentScheduleCreate(schedule=planned, active=newsletter.active, slug=ours))
    return kept


async def _present(newsletter: str) -> list[DeploymentSchedule]:
    async with get_client() as client:
        try:
            return (await client.read_deployment_by_name(f"{daily.name}/{newsletter}")).schedules
        except ObjectNotFound:
            return []


async def serve(context: Context) -> None:
    """Registers the deployments and runs what is started, until it is stopped."""
    runner = Runner(name="paperround", pause_on_shutdown=False)
    for deployment in await deployments(context.newsletters.values()):
        await runner.aadd_deployment(deployment)
    await runner.start()
