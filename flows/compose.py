"""The flow `compose`: groups and ranks what is stored into an edition, and shows it."""

from __future__ import annotations

import datetime as dt

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from flows import pipeline
from flows.artifacts.composed import show_edition
from flows.config.settings import load_settings
from flows.context import open_context
from flows.editions.model import Kind, NoEdition
from flows.events.emit import tell
from flows.parameters import KindOfDay


@task(name="compose", task_run_name="compose the {kind} edition {newsletter}/{day}", cache_policy=NO_CACHE)
async def compose_edition(newsletter: str, kind: Kind, day: dt.date, *, keep: bool) -> int:
    """Composes the edition, keeps it as a draft if told to, leaves it as artifacts; returns its number of papers."""
    log = get_run_logger()
    async with open_context(load_settings()) as context:
        wanted = context.newsletter(newsletter)
        if keep:
            edition = await pipeline.draft(context, wanted, kind, day, log.info)
        else:
            edition = await pipeline.compose(context, wanted, kind, day)
        await show_edition(context, edition)
        if keep and not isinstance(edition, NoEdition):
            await tell(context, "edition.composed", newsletter, day, kind=kind.value, papers=edition.size)
    if isinstance(edition, NoEdition):
        log.info("No %s edition on %s: %s", kind, day, edition.reason)
        return 0
    log.info(
        "%s papers in %s topics: %s.",
        edition.size,
        len(edition.sections),
        ", ".join(f"{section.name} {len(section.entries)}" for section in edition.sections),
    )
    for sentence in edition.missing:
        log.warning(sentence)
    return edition.size


@flow(name="compose", flow_run_name="compose-{day.newsletter}-{day.date}")
async def compose(day: KindOfDay) -> None:
    """Show the edition that the stored papers of a day make. Nothing is stored."""
    async with open_context(load_settings()) as context:
        newsletter = context.newsletter(day.newsletter, day.kind)
        date = context.day(newsletter, day.date)
    await compose_edition(newsletter.slug, day.kind, date, keep=False)
