"""The two processes that stay: the runner of the flows, and the web app."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp

from flows.config import logs
from flows.config.settings import Settings, load_settings
from flows.context import Context, open_context
from flows.delivery.send_letters import work
from flows.editions.choose import choose
from flows.editions.model import Interests, Kind, Newsletter, NoEdition
from flows.incoming.hooks import Hooks
from flows.mail.assemble import page
from flows.mail.cards import unpack
from flows.mail.look import gist_of
from flows.outcomes import Problem
from flows.papers import by_number
from flows.papers.model import Paper, PaperId, Window
from flows.pipeline import cards_of, compose
from flows.processes import demo_mailbox
from flows.processes.crowd import BACKLOG, Crowd
from flows.storage.archive import Archive
from flows.storage.editions import Frozen
from flows.storage.search import Search
from subscribers.ledger.figures import Figures
from subscribers.web.app import Services, create_app
from subscribers.web.latest import FindLatest
from subscribers.web.pages import Pages, Speaker
from subscribers.web.request_limits import Limits
from subscribers.web.services import Keep
from subscribers.web.sessions import Sessions

SHUTDOWN = 5
"""Seconds for answers that are under way when the web app is stopped."""
START = 60
"""Seconds for a new process of the web app until it serves, and for any of several to show that it lives."""


def services(
    context: Context,
    links: Mapping[str, str] | None = None,
    wake: Callable[[], None] = lambda: None,
    hear: Hooks | None = None,
) -> Services:
    """What the web app needs, from what this process works with; `links` follow its own in the menu. `wake` tells
    whoever sends the outbox that there is something in it; `hear` does what providers report."""
    menu = {"/archive": "archive.menu", "/search": "search.menu"}
    speaker = Speaker(context.languages)

    async def page_of(frozen: Frozen) -> str:
        kept = await context.store.translated(frozen.id, [speaker.language])
        cards = kept.get(speaker.language, frozen.cards)
        return await asyncio.to_thread(lambda: page(unpack(cards), choose(frozen.edition, Interests())))

    async def preview_of(newsletter: Newsletter, kind: Kind, day: dt.date) -> str | NoEdition:
        edition = await compose(context, newsletter, kind, day)
        if isinstance(edition, NoEdition):
            return edition
        return page(await cards_of(context, edition, newsletter), choose(edition, Interests()))

    async def of_arxiv(ids: Sequence[PaperId]) -> list[Paper]:
        async with context.fetcher(lambda _: None) as fetcher:
            return await by_number.fetch(ids, Window(day=context.now().date()), context.addresses, fetcher)

    return Services(
        database=context.database,
        store=context.store,
        subscribers=context.subscribers,
        newsletters=context.newsletters,
        keys=context.settings.keys,
        pages=Pages(context.template_folders, speaker, {**menu, **(links or {})}),
        page_of=page_of,
        preview_of=preview_of,
        now=context.now,
        topics=context.topics,
        phrases=speaker,
        hashing_key=context.settings.hashing_key,
        limits=Limits(context.database, context.settings.hashing_key),
        wake=wake,
        latest=FindLatest(context.store),
        approvals=context.approvals,
        gist_of=lambda paper: gist_of(paper)[0],
        archive=Archive(context.database),
        search=Search(context.database),
        arxiv=by_number.ByNumber(of_arxiv),
        report=context.report,
        sessions=Sessions(context.database, context.settings.login),
        rates=context.rates,
        pauses=context.pauses,
        hear=hear or Hooks(context),
        figures=Figures(context.database),
        metrics_token=context.settings.metrics_token.get_secret_value(),
        keep=Keep(
            leavers=context.settings.keep_leavers,
            deliveries=context.settings.keep_deliveries,
            letters=context.settings.keep_letters,
            logs=context.settings.keep_logs,
        ),
        sender=context.settings.sender,
        postal_address=context.settings.postal_address,
        public_url=context.settings.public_url,
    )


@asynccontextmanager
async def site(context: Context, mailbox: Path | None = None) -> AsyncIterator[ASGIApp]:
    """The web app, and beside it whoever sends the outbox, which has brought its letters to their end afterwards; with
    a `mailbox`, pages that show it."""
    stop, wake = asyncio.Event(), asyncio.Event()
    wanted = services(context, {"/inbox": "inbox.title"} if mailbox else None, wake.set)
    extra = demo_mailbox.routes(mailbox, wanted.pages) if mailbox else ()
    # what was kept by a version that had no search becomes findable while the site is up
    completing = asyncio.create_task(context.store.complete_index())
    sending = asyncio.create_task(work(context, stop, wake))
    try:
        yield create_app(wanted, extra)
    finally:
        completing.cancel()
        stop.set()
        await sending


def how_to_serve(app: ASGIApp, settings: Settings, host: str, port: int, processes: int = 1) -> uvicorn.Config:
    """How each process serves the app. The access log is off: paths hold readers' tokens."""
    return uvicorn.Config(
        app,
        http=Crowd(settings.proxies, processes=processes).connection,  # type: ignore[arg-type] # a class would do
        ws="none",
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN,
        host=host,
        port=port,
        access_log=False,
        log_config=None,  # as everything else of this process
        log_level="warning",
        server_header=False,
        # with an empty list nobody's X-Forwarded-For is believed
        proxy_headers=True,
        forwarded_allow_ips=settings.proxies,
        workers=processes,
        timeout_worker_healthcheck=START,
    )


async def serve_web(host: str, port: int, mailbox: Path | None = None) -> None:
    """The web app in this one process until it is stopped."""
    # uvicorn raises the signal again when it has stopped, which would end the process in the middle of a letter
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)
    settings = load_settings()
    logs.set_up(settings.log_level, settings.log_format)
    async with open_context(settings) as context, site(context, mailbox) as app:
        await uvicorn.Server(how_to_serve(app, settings, host, port)).serve()


async def serve_flows(*, alone: bool = False) -> None:
    """The deployments' runner, as soon as the Prefect server that PREFECT_API_URL names answers. Where it is the one
    runner of that server, what is shown as running at its start is not: that is set right first."""
    # importing Prefect takes seconds: it goes on while the server starts
    from prefect.exceptions import PrefectException  # noqa: PLC0415

    from flows.alarms.automations import make_automations  # noqa: PLC0415
    from flows.alarms.stale_runs import set_all_right  # noqa: PLC0415
    from flows.blocks.taken_over import offer_blocks  # noqa: PLC0415
    from flows.deployments import serve  # noqa: PLC0415

    api = os.environ.get("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    async with httpx.AsyncClient(timeout=5) as client:
        while True:
            try:
                if (await client.get(f"{api}/health")).status_code == 200:
                    break
            except httpx.HTTPError:
                pass  # not yet
            await asyncio.sleep(0.2)
    try:
        async with open_context(load_settings()) as context:
            if alone:
                gone = "The process of this run is gone: its runner was stopped or killed while it worked."
                await set_all_right(context, gone)
            try:
                await make_automations(context.settings)
            except (Problem, PrefectException) as error:  # without alerts the mail goes all the same
                print(f"Nobody is alerted: {error}", file=sys.stderr)
            await offer_blocks()
            await serve(context)
    except httpx.TransportError as error:
        raise Problem(f"The Prefect server at {api} answers no more: this ends, and waits for it anew.") from error
