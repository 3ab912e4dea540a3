"""The calls that look after an installation: returns, upkeep, doctor, dkim."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands import dkim_new, without_prefect
from flows.commands.terminal import run
from flows.config.settings import load_settings

app = typer.Typer()
signing = typer.Typer(no_args_is_help=True, help="The keys that sign mail, where your relay does not.")


@app.command()
def returns() -> None:
    """Reads the mailbox of PAPERROUND_RETURNS_URL, as `up` does every five minutes: who unsubscribed by mail is
    unsubscribed. What is not understood stays there unread."""
    typer.echo(run(without_prefect.returns()))


@app.command()
def upkeep() -> None:
    """Forgets what is kept for a while only: sign-ups that nobody confirmed, old letters. `up` does so every night."""
    typer.echo(run(without_prefect.tidy()))


@app.command()
def doctor() -> None:
    """Looks at all that mail depends on, and says what to do: settings, database, mail server, the web app's address,
    and what DNS says of your domains (SPF, DKIM, DMARC). Sends nothing; ends with 1 if something is wrong."""
    from flows.commands.doctor import tell as examine  # it asks DNS: no other command needs that

    raise typer.Exit(run(examine(typer.echo)))


@signing.command("new")
def new_key(
    selector: Annotated[str, typer.Option(help="The key's name in DNS: a new one for every key")] = "paperround",
    domain: Annotated[str, typer.Option(help="The domain that signs; PAPERROUND_SENDER's by default")] = "",
    algorithm: Annotated[str, typer.Option(help="rsa, which every receiver verifies, or ed25519")] = "rsa",
    out: Annotated[Path | None, typer.Option(help="The file to make; by default one in PAPERROUND_HOME_DIR")] = None,
) -> None:
    """Makes a key that signs mail, and prints the DNS record to publish and the settings that use it."""
    typer.echo(dkim_new.new(load_settings(), selector, domain, algorithm, out))
