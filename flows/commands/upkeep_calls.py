"""The calls that look after an installation: returns, upkeep, doctor, keys, prefect, dkim."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.terminal import agreed, run, tell

app = typer.Typer()
keys = typer.Typer(no_args_is_help=True, help="The keys that sign links and hash addresses.")
ui = typer.Typer(no_args_is_help=True, help="Prefect's UI.")
signing = typer.Typer(no_args_is_help=True, help="The keys that sign mail, where your relay does not.")


@app.command()
def returns() -> None:
    """Reads the mailbox of PAPERROUND_RETURNS_URL, as `up` does every five minutes: unsubscriptions, bounces,
    complaints. What is not understood stays there unread, and the reason is told."""
    from flows.commands import without_prefect

    typer.echo(run(without_prefect.returns()))


@app.command()
def upkeep() -> None:
    """Forgets what is kept for a while only: sign-ups that nobody confirmed, old letters. `up` does so every night."""
    from flows.commands import without_prefect

    typer.echo(run(without_prefect.tidy()))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to make; as secret as the home folder")],
) -> None:
    """Writes the database and the keys into one file, as of one moment, also while a delivery is under way."""
    from flows.backups.backup import back_up
    from flows.config.settings import load_settings

    elsewhere = run(back_up(load_settings(), file))
    tell(f"{file} holds the database and the keys: keep it where only you can read it.")
    if elsewhere:
        tell(f"It does not hold {' and '.join(elsewhere)}, set elsewhere than in the home folder: keep them with it.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `paperround backup` made")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of what is there, which is kept as a file")
    ] = False,
) -> None:
    """Brings back what `paperround backup` made: keys and database. What was not yet sent then may have been since: it
    waits for you, and nobody is mailed twice without your word."""
    from flows.backups.backup import restore as bring_back
    from flows.config.settings import load_settings
    from flows.outcomes import Problem
    from flows.processes.supervisor import locked

    settings = load_settings()
    with locked(settings.home_dir / "up.lock") as free:
        if not free:
            raise Problem(f"Paperround is up in {settings.home_dir}: stop it first.")
        done = run(bring_back(settings, file, replace=replace))
    tell(f"Everything is as it was on {done.taken_at:%Y-%m-%d %H:%M} UTC.")
    if done.kept:
        tell(f"What was there before is kept: `paperround restore {done.kept} --replace` brings it back.")
    if done.doubtful or done.letters:
        tell(
            f"{done.doubtful} deliveries and {done.letters} letters were not sent then, and may have been since: they "
            "are held as uncertain. `paperround deliveries --edition NEWSLETTER/DATE --state uncertain` shows those of "
            "an edition, and with --resend or --settle you decide."
        )
    tell("Of editions that were made after that time nothing is known: don't start `daily` for their days.")


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines")] = False) -> None:
    """Looks at all that mail depends on, and says what to do: settings, database, mail server, the web app's address,
    and what DNS says of your domains (SPF, DKIM, DMARC). Sends nothing; ends with 1 if something is wrong."""
    from flows.commands.doctor import tell as examine  # it asks DNS: no other command needs that

    raise typer.Exit(run(examine(typer.echo, as_json=as_json)))


@keys.command("adopt")
def adopt(
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking")] = False,
) -> None:
    """Makes this machine's keys the installation's, where the ones it had are lost.

    Links in mails that were sent before open nothing any more, and who was suppressed without being a subscriber can
    be mailed again. Where the old keys are still to be had, use them: nothing is lost then.
    """
    from flows.commands.keys import adopt as take

    typer.echo(run(take(lambda question: yes or agreed(question))))


@ui.command("bring-back")
def bring_back() -> None:
    """Makes deployments again that were deleted in Prefect's UI, and takes back what was changed of the others, but for
    their schedules: at the next start of `up`."""
    from flows.config.settings import load_settings
    from flows.processes.prefect_server import folder_of

    said = folder_of(load_settings()) / "deployments.json"
    said.unlink(missing_ok=True)
    typer.echo("All deployments are made as we have them when `paperround up` starts the next time.")


@ui.command("login")
def login() -> None:
    """Prints the login that Prefect's UI asks for once, and the operator's pages of the web app."""
    from flows.config.settings import load_settings
    from flows.processes.prefect_server import address

    settings = load_settings()
    if where := address(settings):
        tell(f"Prefect's UI: {where}\nThe web app's pages for you: {settings.public_url}/login")
    typer.echo(settings.login)


@signing.command("new")
def new_key(
    selector: Annotated[str, typer.Option(help="The key's name in DNS: a new one for every key")] = "paperround",
    domain: Annotated[str, typer.Option(help="The domain that signs; PAPERROUND_SENDER's by default")] = "",
    algorithm: Annotated[str, typer.Option(help="rsa, which every receiver verifies, or ed25519")] = "rsa",
    out: Annotated[Path | None, typer.Option(help="The file to make; by default one in PAPERROUND_HOME_DIR")] = None,
) -> None:
    """Makes a key that signs mail, and prints the DNS record to publish and the settings that use it."""
    from flows.commands import dkim_new
    from flows.config.settings import load_settings

    typer.echo(dkim_new.new(load_settings(), selector, domain, algorithm, out))
