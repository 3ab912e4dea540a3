"""A whole newsletter on this machine: `paperround demo`."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import sys
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from flows.config.settings import SECRET_KEY, SUPPRESSION_KEY, Settings, kept_key, load_settings
from flows.context import Context, open_context, report_link
from flows.editions.model import Kind
from flows.outcomes import Problem
from flows.papers.gather import SOURCES, gather
from flows.papers.model import Window
from flows.processes.demo_mailbox import mail_server, newest
from flows.processes.prefect_api import TERMINAL, PrefectApi
from flows.processes.prefect_server import ADDRESS, folder_of, prefect_environment
from flows.processes.supervisor import Stopped, Supervisor, claim_port, locked, supervising
from flows.storage.private_files import keep_all_private
from subscribers.model import SubscriptionState
from subscribers.people.store import Change

READER = "reader@example.org"
LOOK_BACK = 14
"""Days that the demonstration goes back for papers."""
LAST_WORDS = 1.5
"""Seconds that a run's last words are waited for: Prefect sends them every second."""


@dataclass(frozen=True, slots=True)
class Ports:
    prefect: int
    web: int
    mail: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What the demonstration delivers, and why, in a sentence."""

    newsletter: str
    day: dt.date
    why: str


def claim_home(wanted: Path | None, data: Path, held: contextlib.ExitStack) -> Path:
    """The demonstration's folder: the one that was asked for, or one in the user's `data`, where other demos may run
    beside it. It is this process's own until `held` closes. Raises Problem when another demo has it."""
    homes = [wanted.expanduser().absolute()] if wanted else [data / f"demo{n}" for n in ("", *range(2, 100))]
    for home in homes:
        if held.enter_context(locked(home / "demo.lock")):
            return home
    raise Problem(f"Another demo is running in {homes[-1]}: stop it, or name another folder with --home.")


async def demo(console: Console, *, once: bool, date: str, offline: bool, home: Path) -> int:
    """Runs the demonstration in `home`; returns the exit status. It ends with 0 after the delivery if `once`, else
    when it is asked to."""
    keep_all_private(home)
    with contextlib.ExitStack() as held:
        ports = Ports(*(claim_port(preferred, held) for preferred in (4280, 8180, 2580)))
        settings = _take_over(load_settings().environment(), home, ports)
        api = f"http://127.0.0.1:{ports.prefect}/api"
        children = prefect_environment(settings, api, os.environ)
        (folder_of(settings) / ADDRESS).write_text(api)
        postman = mail_server(home / "inbox", ports.mail)
        postman.start()
        held.callback(postman.stop)
        async with supervising(home / "logs", folder_of(settings)) as supervisor:
            try:
                return await _show(
                    console, supervisor, ports, children, settings, once=once, date=date, offline=offline
                )
            except Stopped:
                return _ended(console, supervisor)


def _take_over(given: dict[str, str], home: Path, ports: Ports) -> Settings:
    """The demonstration's settings: the user's own, but for what would send something anywhere, read somebody's mail or
    lie elsewhere. The environment of this process is made to agree."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "PAPERROUND_"))]:
        del os.environ[name]
    os.environ.update({name: value for name, value in given.items() if name not in _LEFT_OUT} | _own(home, ports))
    return load_settings(env_file=None)


_LEFT_OUT = frozenset(
    f"PAPERROUND_{name}" for name in ("RETURNS_URL", "RETURN_PATH", "DKIM_KEY", "DKIM_SELECTOR", "DKIM_DOMAIN")
)


def _own(home: Path, ports: Ports) -> dict[str, str]:
    return {
        "PAPERROUND_HOME_DIR": str(home),
        "PAPERROUND_DATABASE_URL": f"sqlite:///{quote(str(home / 'paperround.db'))}",
        "PAPERROUND_MAIL_URL": f"smtp://127.0.0.1:{ports.mail}",
        "PAPERROUND_PUBLIC_URL": f"http://127.0.0.1:{ports.web}",
        "PAPERROUND_SENDER": "Paperround <paperround@example.org>",
        "PAPERROUND_SECRET_KEY": kept_key(home / SECRET_KEY),
        "PAPERROUND_SUPPRESSION_KEY": kept_key(home / SUPPRESSION_KEY),
        "PAPERROUND_OPERATOR_LOGIN": kept_key(home / "operator_login", "operator:"),
        "PAPERROUND_PREFECT_URL": f"http://127.0.0.1:{ports.prefect}",
    }


async def _show(
    console: Console,
    supervisor: Supervisor,
    ports: Ports,
    environment: dict[str, str],
    settings: Settings,
    *,
    once: bool,
    date: str,
    offline: bool,
) -> int:
    api, home = environment["PREFECT_API_URL"], settings.home_dir
    async with open_context(settings) as context, PrefectApi(api, settings.login) as prefect:
        with stages(console) as now:
            now("the Prefect server starts")
            await supervisor.start("server", "server", "--port", str(ports.prefect), environment=environment)
            # it waits by itself until the server answers
            await supervisor.start("runner", "runner", environment=environment)
            web = ("web", "--port", str(ports.web), "--mailbox", str(home / "inbox"))
            await supervisor.start("web", *web, environment=environment)
            choosing = asyncio.create_task(_choose(context, date, offline=offline))
            await supervisor.ready("web app", f"http://127.0.0.1:{ports.web}/healthz")
            choice = await choosing
            console.print(f"[green]✓[/] {escape(choice.why)}", soft_wrap=True)
            await _sign_up(context, choice.newsletter)
            await supervisor.ready("Prefect server", f"{api}/health")
            console.print("[green]✓[/] Prefect server, web app and mail server are up.")
            now("the flows are registered")
            run = await _start(supervisor, prefect, choice)
            now("collect, compose, deliver")
            failed = await _follow(console, supervisor, prefect, run)
        if failed:
            console.print(f"[red]The run did not succeed:[/] {failed}\nIts log: {_run_page(ports, run)}")
        who_got_it = report_link(context, choice.newsletter, Kind.DAILY, choice.day)
        _show_where(console, ports, run, choice, settings, who_got_it, gone=once)
    if once:
        return 1 if failed else 0
    console.print("It stays up until you press Ctrl-C.")
    with _opening(console, f"http://127.0.0.1:{ports.web}{newest(home / 'inbox')}"):
        await supervisor.stopping.wait()
    return _ended(console, supervisor)


async def _choose(context: Context, date: str, *, offline: bool) -> Choice:
    """The newest day that has papers, today first; the bundled sample where there is no reaching any."""
    newsletter = context.newsletter("daily")
    start = context.day(newsletter, date)
    if offline:
        return Choice("sample", start, "Offline, as you wished: the bundled sample of invented papers is delivered.")
    source = SOURCES["huggingface"]
    async with context.fetcher(_silent) as fetcher:
        for age in range(1 if date else LOOK_BACK + 1):
            window = Window(day=start - dt.timedelta(days=age))
            found = await gather(source, window, context.addresses, fetcher, _silent)
            if found.papers:
                return Choice("daily", window.day, _chosen(window.day, len(found.papers), newest=not date))
            if found.problem:
                return Choice("sample", start, f"{found.problem}. The bundled sample is delivered instead.")
    if date:
        raise Problem(f"Hugging Face lists no papers for {start}: choose another --date, or none for the newest day.")
    return Choice(
        "sample",
        start,
        f"Hugging Face listed no papers from {start - dt.timedelta(days=LOOK_BACK)} to {start}: "
        "the bundled sample is delivered instead.",
    )


def _chosen(day: dt.date, papers: int, *, newest: bool) -> str:
    named = f"{day:%A}, {day.day} {day:%B %Y}"
    if newest:
        return f"{named} is the newest day with papers on Hugging Face: its {papers} are delivered."
    return f"{named}: Hugging Face lists {papers} papers."


def _silent(sentence: str) -> None:
    """The run itself will say all this."""


async def _sign_up(context: Context, newsletter: str) -> None:
    # confirmed again too: trying the unsubscribe link must not end the demonstration for good
    columns = {"state": SubscriptionState.CONFIRMED, "consent_at": context.now(), "consent_source": "demo"}
    change = Change(email=READER, newsletter=newsletter, columns=columns)
    await context.subscribers.keep([change], context.now(), resubscribe=True)


STAGES = 3


@contextlib.contextmanager
def stages(console: Console) -> Iterator[Callable[[str], None]]:
    """A bar that says which of the stages goes on, and for how long it has taken; on a terminal alone."""
    columns = (SpinnerColumn(), BarColumn(bar_width=20), TextColumn("{task.description}…"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        bar = shown.add_task("", total=STAGES)
        yield lambda words: shown.update(bar, description=words, advance=1)


@contextlib.contextmanager
def _opening(console: Console, page: str) -> Iterator[None]:
    """Opens the mail's page when Enter is pressed, where there are a desktop and somebody who could."""
    desktop = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if not (desktop and console.is_terminal and sys.stdin.isatty()):
        yield
        return
    console.print("Press Enter to see the mail in your browser.")

    def pressed() -> None:
        sys.stdin.readline()
        webbrowser.open(page)

    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), pressed)
    try:
        yield
    finally:
        loop.remove_reader(sys.stdin.fileno())


async def _start(supervisor: Supervisor, prefect: PrefectApi, choice: Choice) -> str:
    while not (deployment := await prefect.deployment(f"daily/{choice.newsletter}")):
        await supervisor.pause(0.2)
        if supervisor.stopping.is_set():
            raise Stopped
    order = {"newsletter": choice.newsletter, "date": str(choice.day), "dry_run": False}
    return await prefect.start(deployment, {"order": order})


async def _follow(console: Console, supervisor: Supervisor, prefect: PrefectApi, run: str) -> str:
    """Shows the run's own words until it has ended; returns why it failed, or nothing."""
    shown: set[str] = set()
    while True:
        state = await prefect.state(run)
        ended = state.type in TERMINAL
        # a run's last words reach the server a moment after its end
        await supervisor.pause(LAST_WORDS if ended else 0.5)
        for sentence in await prefect.new_logs(run):
            shown.add(sentence)
            console.print(f"  {sentence}", style="dim", markup=False, soft_wrap=True)
        if ended:
            break
        if supervisor.stopping.is_set():
            raise Stopped
    if state.type != "COMPLETED":
        return state.message or state.type.lower()
    # the run's last words are its result in most cases: they are not said twice
    console.print(f"[green]✓[/] {'Done.' if state.message in shown else escape(state.message)}", soft_wrap=True)
    return ""


def _run_page(ports: Ports, run: str) -> str:
    """By way of the login: without one Prefect's page of a run says that there is no such page."""
    return f"http://127.0.0.1:{ports.prefect}/login?redirect=/runs/flow-run/{run}"


def _show_where(
    console: Console, ports: Ports, run: str, choice: Choice, settings: Settings, who_got_it: str, *, gone: bool
) -> None:
    """Every place to look at; with `gone` those that are left when the servers have stopped."""
    site, home = f"http://127.0.0.1:{ports.web}", settings.home_dir
    places = {
        "The mail": f"{site}{newest(home / 'inbox')}",
        "The inbox": f"{site}/inbox",
        "The mail as maildir": str(home / "inbox"),
        "The edition on the web": f"{site}/archive/{choice.newsletter}/{choice.day}",
        "Who got it": who_got_it,
        "Prefect: the run": _run_page(ports, run),
        "Prefect: start another": f"http://127.0.0.1:{ports.prefect}/deployments",
        "Its login, asked once": settings.login,
        "Logs": str(home / "logs"),
    }
    console.print("\n[bold]Where to look[/]")
    for name, place in places.items():
        if gone and (place.startswith("http") or place == settings.login):
            continue
        # never wrapped: addresses are for copying
        console.print(f"  {name:<24}{place}", markup=False, soft_wrap=True)


def _ended(console: Console, supervisor: Supervisor) -> int:
    if supervisor.failure:
        raise Problem(supervisor.failure)
    console.print("Stopping.")
    return 0
