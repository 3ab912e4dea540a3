"""What Prefect offers to start: a scheduled deployment per newsletter, and each stage by hand."""

from __future__ import annotations

from collections.abc import Iterable

from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from flows.collect import collect
from flows.compose import compose
from flows.context import Context
from flows.daily import daily
from flows.deliver import deliver
from flows.editions.model import Newsletter
from flows.orders import Day, Order


async def deployments(newsletters: Iterable[Newsletter]) -> list[RunnerDeployment]:
    """A deployment `daily/NEWSLETTER` with its schedule for each, and `collect`, `compose`, `deliver` by hand.

    Entrypoints are modules, never files: a file's folder would come onto the path and hide standard modules.
    """
    offered = [
        await daily.ato_deployment(
            newsletter.slug,
            description=f"**{newsletter.title}.** {newsletter.description}",
            schedule=Cron(newsletter.cron, timezone=newsletter.zone, active=newsletter.active, slug="edition"),
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


async def serve(context: Context) -> None:
    """Registers the deployments and runs what is started, until it is stopped."""
    runner = Runner(name="paperround", pause_on_shutdown=False)
    for deployment in await deployments(context.newsletters.values()):
        await runner.aadd_deployment(deployment)
    await runner.start()
