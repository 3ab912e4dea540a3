"""What Prefect offers to start: for each newsletter what is scheduled and what is done by hand, and what keeps the
installation in order. What an operator changes or deletes in the UI stays so, see `offers.kept`."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.flows import Flow
from prefect.runner import Runner
from prefect.settings import get_current_settings
from prefect.types.entrypoint import EntrypointType

from flows.alarms.watchdog import WATCH_EVERY, watchdog
from flows.by_hand.approve import approve
from flows.by_hand.correct import correct
from flows.by_hand.resend import resend
from flows.by_hand.send_test import send_test
from flows.collect import collect
from flows.compose import compose
from flows.context import Context
from flows.daily import daily
from flows.deliver import deliver, deliver_due
from flows.editions.model import Kind, Newsletter
from flows.offers.form_fields import choices, dates
from flows.offers.kept import KeptOffers
from flows.parameters import DUE_EVERY, RETURNS_EVERY
from flows.returns import returns
from flows.upkeep import upkeep
from flows.weekly import weekly

Planned: TypeAlias = CronSchedule | IntervalSchedule

log = logging.getLogger(__name__)

UPKEEP = CronSchedule(cron="17 3 * * *", timezone="UTC")
"""At a quiet hour, and not on one: everybody's jobs start at full hours."""
AT_A_TIME = 100
"""Runs that one runner has at most: long deliveries of many newsletters keep no short one waiting."""

_OURS, _EARLIER = "file-", "ours-"
"""What the slug of a schedule begins with that comes from us, not from the operator; and what it began with before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A deployment as we would have it. `limit` is how many of its runs may go on at the same time."""

    flow: Flow[..., Any]
    name: str
    about: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    planned: Planned | None = None
    active: bool = True
    limit: int | None = None
    cancels_new: bool = False
    """Whether a run too many is cancelled; else it waits for its turn."""
    tags: Sequence[str] = ()

    @property
    def whole_name(self) -> str:
        return f"{self.flow.name}/{self.name}"


def offers(newsletters: Iterable[Newsletter], *, with_returns: bool = False) -> list[Offer]:
    """For each newsletter `daily/NEWSLETTER` and `weekly/NEWSLETTER` by its schedules, `deliver-due/NEWSLETTER` every
    quarter of an hour, and by hand `collect`, `compose`, `deliver`, `send-test`, `approve`, `correct` and `resend`;
    `upkeep/nightly`, `watchdog/every-few-minutes`, and `returns/mailbox` with returns."""
    made = [offer for newsletter in newsletters for offer in _of(newsletter)]
    # the editions first: a run of one need not wait until all is registered
    made.sort(key=lambda offer: offer.flow is not daily)

    def add(flow: Flow[..., Any], name: str, about: str, planned: Planned, *, cancels_new: bool = True) -> None:
        tags = ("upkeep",)
        made.append(
            Offer(flow=flow, name=name, about=about, planned=planned, limit=1, cancels_new=cancels_new, tags=tags)
        )

    about = "What is kept for a while only goes when its time is over: sign-ups nobody confirmed, old letters and runs."
    add(upkeep, "nightly", about, UPKEEP, cancels_new=False)
    about = "Whether runs that are shown as running are, and whether editions are there when they should be."
    add(watchdog, "every-few-minutes", about, _every(WATCH_EVERY))
    if with_returns:
        about = "The mailbox that mail comes back to: unsubscriptions, bounces, complaints."
        add(returns, "mailbox", about, _every(RETURNS_EVERY))
    return made


def _of(newsletter: Newsletter) -> Iterable[Offer]:
    slug, title = newsletter.slug, newsletter.title
    tags = ("newsletter", slug)
    target = {"newsletter": slug}
    edition = {**target, "kind": Kind.DAILY.value}

    def by_hand(flow: Flow[..., Any], about: str, parameters: Mapping[str, Any], limit: int | None = None) -> Offer:
        about = f"{about} ({title}). By hand."
        return Offer(flow=flow, name=slug, about=about, parameters=parameters, limit=limit, tags=(*tags, "by hand"))

    order = {"order": {**target, "dry_run": False}}

    def scheduled(flow: Flow[..., Any], about: str, cron: str) -> Offer:
        planned, active = CronSchedule(cron=cron, timezone=newsletter.zone), newsletter.active
        return Offer(
            flow=flow, name=slug, about=about, parameters=order, planned=planned, active=active, limit=1, tags=tags
        )

    about = f"**{title}.** {newsletter.description} The whole way, from the sources to the readers."
    yield scheduled(daily, about, newsletter.cron)
    if newsletter.weekly_cron:
        about = f"**{title}, weekly.** The best of the seven days that end on the date, by topic."
        yield scheduled(weekly, about, newsletter.weekly_cron)
    about = f"{title}: readers whose hour has come, and what a mail server put off. Every quarter of an hour."
    yield Offer(
        flow=deliver_due,
        name=slug,
        about=about,
        parameters={"target": target},
        # always on: an edition of a newsletter without a schedule has readers with an hour of their own too
        planned=_every(DUE_EVERY),
        limit=1,
        cancels_new=True,
        tags=tags,
    )
    yield by_hand(collect, "The papers of a day, or of a range of days, once more", {"days": target})
    yield by_hand(compose, "An edition as it would be now; nothing is stored or sent", {"day": edition})
    yield by_hand(deliver, "An edition to its readers, or on with it", {"day": edition}, limit=1)
    yield by_hand(send_test, "An edition to you alone", {"test": edition})
    word = {**edition, "decision": "hold", "subject": "", "note": "", "drop": [], "lead": "", "reason": ""}
    yield by_hand(approve, "Hold, send or skip an edition; a note, papers dropped, one to lead", {"word": word})
    wrong = {**edition, "note": "", "subject": "", "edition": False, "drop": [], "lead": ""}
    yield by_hand(correct, "A correction to exactly those who got an edition", {"correction": wrong}, limit=1)
    again = {**edition, "state": "rejected", "domain": "", "dry_run": True}
    yield by_hand(resend, "What a mail server refused wrongly, or is uncertain, once more", {"again": again}, limit=1)


async def deployment(offer: Offer, present: DeploymentResponse | None, said: KeptOffers) -> RunnerDeployment:
    """The deployment of an offer, with what its operator changed.

    Entrypoints are modules, never files: a file's folder would come onto the path and hide standard modules.
    """
    ours = _ours(offer)
    there = None if present is None else _standing(present)
    value = {name: said.value(offer.whole_name, name, ours[name], there) for name in ours}
    strategy = ConcurrencyLimitStrategy.CANCEL_NEW if offer.cancels_new else ConcurrencyLimitStrategy.ENQUEUE
    limit = value["concurrency_limit"]
    schedules = planned(offer.planned, offer.active, present.schedules if present else ()) if offer.planned else None
    made = await offer.flow.ato_deployment(
        offer.name,
        description=value["description"],
        schedules=schedules,
        concurrency_limit=None if limit is None else ConcurrencyLimitConfig(limit=limit, collision_strategy=strategy),
        parameters=value["parameters"],
        tags=value["tags"],
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    if present is not None and present.paused:
        made.paused = True
    return made


def _ours(offer: Offer) -> dict[str, Any]:
    return {
        "description": offer.about,
        "tags": list(offer.tags),
        "parameters": dict(offer.parameters),
        "concurrency_limit": offer.limit,
    }


def _standing(present: DeploymentResponse) -> dict[str, Any]:
    limit = present.global_concurrency_limit
    return {
        "description": present.description,
        "tags": list(present.tags),
        "parameters": present.parameters,
        "concurrency_limit": limit.limit if limit else None,
    }


def planned(ours: Planned, active: bool, present: Iterable[DeploymentSchedule]) -> list[DeploymentScheduleCreate]:
    """A deployment's schedules: those that are there, with whatever the operator changed or added in the UI.

    Serving a deployment would otherwise set its schedules back. Our own one is made, in place of an earlier one of
    ours, when the time that it names is another than it was.
    """
    slug = _slug(ours)
    before = f"{_EARLIER}{zlib.crc32(ours.model_dump_json().encode()):08x}"
    kept = [
        DeploymentScheduleCreate(
            schedule=one.schedule,
            active=one.active,
            slug=slug if one.slug == before else one.slug,
            parameters=one.parameters or {},
        )
        for one in present
        if one.slug in (slug, before) or not (one.slug or "").startswith((_OURS, _EARLIER))
    ]
    if not any(one.slug == slug for one in kept):
        kept.append(DeploymentScheduleCreate(schedule=ours, active=active, slug=slug))
    return kept


def _slug(schedule: Planned) -> str:
    """What a schedule of ours is known by, which says when it is: `file-0-7-any-any-1-5-europe-by-berlin`."""
    if isinstance(schedule, IntervalSchedule):
        return f"{_OURS}every-{int(schedule.interval.total_seconds() // 60)}-minutes"
    words = (
        f"{schedule.cron} {schedule.timezone}".lower().replace("*", " any ").replace("#", " nth ").replace("/", " by ")
    )
    return _OURS + re.sub(r"[^a-z0-9]+", "-", words).strip("-")


def _every(interval: dt.timedelta) -> IntervalSchedule:
    """Counted from midnight UTC: an interval skips no run when the clocks change."""
    return IntervalSchedule(interval=interval, anchor_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


async def register(context: Context, runner: Runner) -> None:
    """Registers what is offered, but for what an operator has deleted; what is offered no more goes."""
    with_returns = bool(context.settings.returns_url.get_secret_value())
    wanted = {one.whole_name: one for one in offers(context.newsletters.values(), with_returns=with_returns)}
    said = KeptOffers(context.settings.home_dir / "prefect" / "deployments.json", str(get_current_settings().api.url))
    slugs = sorted(context.newsletters)
    async with get_client() as client:
        names = [*wanted, *{*said.names, *_RENAMED}.difference(wanted)]
        present = dict(zip(names, await asyncio.gather(*(_present(client, name) for name in names)), strict=True))
        fresh = not any(present[name] for name in said.names)
        for name, offer in wanted.items():
            there = present[name]
            if said.deleted(name, _standing(there) if there else None, fresh=fresh):
                log.warning("%s was deleted in Prefect's UI and stays away: `paperround prefect bring-back`.", name)
                continue
            made = await deployment(offer, there, said)
            mine = [offer.name] if offer.name in slugs else slugs
            dates(choices(made, {"newsletter": mine}), context.now().date())
            await runner.aadd_deployment(made)
            if there is not None:
                await _drop_earlier(client, there, made)
            said.say(name, _ours(offer))
        for name in {*said.names, *_RENAMED} - set(wanted):
            if (old := present[name]) is not None:
                await client.delete_deployment(old.id)
            said.forget(name)
    said.save()


_RENAMED = ("collect/by-hand", "compose/by-hand", "deliver/by-hand")
"""What earlier versions offered for all newsletters together."""


async def _drop_earlier(client: PrefectClient, there: DeploymentResponse, made: RunnerDeployment) -> None:
    """Takes away schedules of ours that name another time than now: Prefect keeps what it is not told of."""
    slugs = {one.slug for one in made.schedules or ()}
    for schedule in there.schedules:
        if (schedule.slug or "").startswith((_OURS, _EARLIER)) and schedule.slug not in slugs and schedule.id:
            await client.delete_deployment_schedule(there.id, schedule.id)


async def _present(client: PrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return await client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


async def serve(context: Context) -> None:
    """Registers the deployments and runs what is started, until it is stopped."""
    runner = Runner(name="paperround", pause_on_shutdown=False, limit=AT_A_TIME)
    async with asyncio.TaskGroup() as group:
        # what is registered first can be started while the others are
        group.create_task(register(context, runner))
        await runner.start()
