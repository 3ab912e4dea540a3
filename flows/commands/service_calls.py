"""The calls that start what stays up: demo, up, and the processes of `up`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_data_path
from rich.console import Console

from flows.commands.terminal import DATE, run

app = typer.Typer()


def _only_ours() -> None:
    """Raises Problem where another package has put itself in the place of ours."""
    from flows.config.own_files import foreign
    from flows.outcomes import Problem

    if words := foreign():
        raise Problem(words)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the delivery instead of staying up")] = False,
    date: Annotated[str, typer.Option("--date", "-d", help=f"{DATE}; the newest day with papers by default")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Deliver the bundled sample, ask nobody")] = False,
    home: Annotated[Path | None, typer.Option("--home", help="Where everything is kept")] = None,
) -> None:
    """A whole newsletter on this machine: Prefect with its UI, the web app, and a mail server that keeps what it gets.

    Scrapes the newest papers, groups them, mails the edition to a demo reader, and shows where to look.
    """
    _only_ours()
    from flows.context import read_day, utc_now
    from flows.processes.demo import claim_home
    from flows.processes.demo import demo as show

    # told before a home is made for it
    read_day(date, utc_now().date())
    with ExitStack() as held:
        folder = claim_home(home, user_data_path("paperround"), held)
        status = run(show(Console(highlight=False), once=once, date=date, offline=offline, home=folder))
    raise typer.Exit(status)


@app.command()
def up(
    host: Annotated[str, typer.Option(help="Where the web app listens")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The web app's port")] = 8180,
    prefect_port: Annotated[int, typer.Option(help="The Prefect server's port, on this machine alone")] = 4200,
) -> None:
    """Runs it for production: the Prefect server with its UI, the schedules, the web app.

    Where PREFECT_API_URL is set, that server is joined instead of starting one.
    """
    _only_ours()
    from flows.config.settings import load_settings
    from flows.processes.up import up as stay

    raise typer.Exit(
        run(stay(Console(highlight=False), load_settings(), host=host, port=port, prefect_port=prefect_port))
    )


@app.command(hidden=True)
def web(
    host: str = "127.0.0.1",
    port: int = 8180,
    mailbox: Path | None = None,
    processes: Annotated[
        int, typer.Option(help="Processes that serve the port together; 0: PAPERROUND_WEB_PROCESSES", min=0, max=64)
    ] = 0,
) -> None:
    """The web app, in one process or several."""
    _only_ours()
    from flows.config.settings import load_settings
    from flows.processes.serve import serve_web
    from flows.processes.web_processes import serve_in_several

    if (several := processes or load_settings().web_processes) > 1:
        serve_in_several(several, host, port, mailbox)
    else:
        run(serve_web(host, port, mailbox))


@app.command(hidden=True)
def server(port: int = 4200) -> None:
    """The process of Prefect's server."""
    from flows.processes.prefect_server import serve_prefect

    serve_prefect(port)


@app.command(hidden=True)
def runner(
    alone: Annotated[bool, typer.Option("--alone", help="Nobody else runs flows for this Prefect server")] = False,
) -> None:
    """The process that runs the flows."""
    _only_ours()
    from flows.processes.serve import serve_flows

    run(serve_flows(alone=alone))
