"""Paperround for production: `paperround up`."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.config.from_prefect import FILE
from flows.config.settings import Settings, unknown_variables
from flows.context import Context, open_context
from flows.incoming.mailboxes import opener
from flows.outcomes import Problem
from flows.processes.health import database_trouble, keep_answering, keep_current, server_trouble, tell_of
from flows.processes.prefect_api import PrefectApi
from flows.processes.prefect_server import ADDRESS, folder_of, prefect_environment
from flows.processes.supervisor import Stopped, Supervisor, locked, port_is_free, supervising
from flows.sending.transports import transport
from flows.storage.database import Database
from flows.storage.private_files import keep_all_private

KEY = 16
"""Characters that a key has at least."""


async def up(console: Console, settings: Settings, *, host: str, port: int, prefect_port: int) -> int:
    """Runs Paperround for production until it is asked to stop. Where PREFECT_API_URL is set, that server is joined."""
    for sentence in unknown_variables(os.environ):
        console.print(sentence, markup=False, soft_wrap=True)
    mail_url = settings.mail_url.get_secret_value()
    transport(mail_url)
    if returns_url := settings.returns_url.get_secret_value():
        opener(returns_url)
    away = urlsplit(mail_url).hostname not in (None, "localhost", "127.0.0.1", "::1")
    if away and settings.sender.endswith("@localhost>"):
        raise Problem("PAPERROUND_SENDER is not set: write who sends, such as `Paperround <digest@example.org>`.")
    if away and urlsplit(settings.public_url).hostname in ("127.0.0.1", "localhost"):
        raise Problem(
            "PAPERROUND_PUBLIC_URL is not set: readers' links would lead nowhere; write where the web app is reached, "
            "such as https://papers.example.org."
        )
    joined = os.environ.get("PREFECT_API_URL")
    if joined and not joined.startswith(("http://", "https://")):
        raise Problem(f"PREFECT_API_URL is {joined!r}: write it as http://127.0.0.1:4200/api, or leave it away.")
    _check_webhooks(settings)
    keep_all_private(settings.home_dir)
    with ExitStack() as held:
        if not held.enter_context(locked(settings.home_dir / "up.lock")):
            raise Problem(
                f"Paperround is up already in {settings.home_dir}: stop it, or set another PAPERROUND_HOME_DIR."
            )
        for wanted, option in ((port, "--port"), *([] if joined else [(prefect_port, "--prefect-port")])):
            if not port_is_free(wanted):
                raise Problem(f"Something listens on port {wanted} already: stop it, or name another with {option}.")
        return await _stay(console, settings, joined, host=host, port=port, prefect_port=prefect_port)


def _check_webhooks(settings: Settings) -> None:
    for name in ("alert_url", "events_url"):
        url = getattr(settings, name).get_secret_value()
        if url and not url.startswith(("http://", "https://")):
            raise Problem(f"PAPERROUND_{name.upper()} is no URL: write it as https://hooks.example.org/….")
    if settings.events_url.get_secret_value() and len(settings.events_key.get_secret_value()) < KEY:
        raise Problem(
            f"PAPERROUND_EVENTS_KEY has fewer than {KEY} characters: it signs what goes to PAPERROUND_EVENTS_URL."
        )


async def _stay(
    console: Console, settings: Settings, joined: str | None, *, host: str, port: int, prefect_port: int
) -> int:
    folder = folder_of(settings)
    async with open_context(settings) as context, supervising(settings.home_dir / "logs", folder) as supervisor:
        api = joined or f"http://127.0.0.1:{prefect_port}/api"
        environment = prefect_environment(settings, api, os.environ, joined=bool(joined))
        (folder / ADDRESS).write_text(api)
        try:
            with console.status("Starting…"):
                if not joined:
                    await supervisor.start("server", "server", "--port", str(prefect_port), environment=environment)
                else:
                    await _join(supervisor, api)
                await supervisor.start("runner", "runner", *(() if joined else ("--alone",)), environment=environment)
                web = ("web", "--host", host, "--port", str(port))
                await supervisor.start("web", *web, environment=environment)
                await supervisor.ready("Prefect server", f"{api}/health")
                await supervisor.ready("web app", f"http://{_reachable(host)}:{port}/healthz")
            # in a service's journal it would be read by others
            login = settings.login if console.is_terminal else "`paperround prefect login` prints it"
            in_force = await _schedules(context, api, "" if joined else settings.login)
            console.print(_running(context, api, host, port, "" if joined else login, in_force))
            site = f"http://{_reachable(host)}:{port}/healthz"
            server, home = f"{api}/health", settings.home_dir
            await _keep_running(console, supervisor, home, context.database, site, server, joined=bool(joined))
        except Stopped:
            pass
        if supervisor.failure:
            raise Problem(supervisor.failure)
        return 0


async def _keep_running(
    console: Console, supervisor: Supervisor, home: Path, database: Database, site: str, server: str, *, joined: bool
) -> None:
    """Until somebody asks to stop: starts again what ends or hangs, and tells of what is away."""

    def say(sentence: str) -> None:
        console.print(f"{dt.datetime.now():%Y-%m-%d %H:%M:%S} {sentence}", markup=False, soft_wrap=True)  # noqa: DTZ005

    supervisor.keep(say)
    away = partial(database_trouble, database)
    async with asyncio.TaskGroup() as group:
        group.create_task(tell_of(supervisor, say, away, "The database is there again."))
        group.create_task(keep_answering(supervisor, "web", site))
        group.create_task(keep_current(supervisor, "web", home / FILE))
        if joined:
            away = partial(server_trouble, server)
            group.create_task(tell_of(supervisor, say, away, "The Prefect server answers again."))
        else:
            group.create_task(keep_answering(supervisor, "server", server))


async def _join(supervisor: Supervisor, api: str) -> None:
    """Waits for the operator's own server, and tells a login that it does not take. Raises Problem."""
    await supervisor.ready("Prefect server that PREFECT_API_URL names", f"{api}/health", 15)
    login, key = (os.environ.get(f"PREFECT_API_{name}", "") for name in ("AUTH_STRING", "KEY"))
    async with PrefectApi(api, login, key) as prefect:
        if not await prefect.lets_in():
            raise Problem(
                f"The Prefect server at {api} asks for another login: set PREFECT_API_AUTH_STRING to its own, "
                "or PREFECT_API_KEY for Prefect Cloud."
            )


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - it is compared, not bound


async def _schedules(context: Context, api: str, login: str) -> dict[str, str]:
    """When each newsletter's edition comes, as its deployment says; before it is registered, as its file does."""
    given = [os.environ.get(f"PREFECT_API_{name}", "") for name in ("AUTH_STRING", "KEY")]
    own = (login, "") if login else (given[0], given[1])
    found = {}
    async with PrefectApi(api, *own) as prefect:
        for newsletter in context.newsletters.values():
            try:
                told = await prefect.schedules(f"daily/{newsletter.slug}")
            except Problem as problem:  # what is up stays up: it is told in the place of what is not known
                return {"Schedules": str(problem)}
            if told is None and newsletter.active:
                told = f"{newsletter.cron} {newsletter.zone}"
            found[newsletter.title] = told or "by hand alone, until you switch its schedule on"
    return found


def _running(context: Context, api: str, host: str, port: int, login: str, schedules: Mapping[str, str]) -> Table:
    table = Table(title="Paperround is up", title_justify="left", show_header=False, box=None, padding=(0, 2))
    table.add_row("Prefect", context.settings.prefect_url or api.removesuffix("/api"))
    if login:
        table.add_row("Its login", escape(login))
    table.add_row("Deployments", "in Prefect's UI, after a first start within a minute")
    table.add_row("Web app", f"{context.settings.public_url} (listening on {host}:{port})")
    table.add_row("Database", context.database.engine.url.render_as_string(hide_password=True))
    for title, schedule in schedules.items():
        table.add_row(title, escape(schedule))
    table.add_row("Logs", str(context.settings.home_dir / "logs"))
    return table
