"""The calls of `paperround bounces` and `paperround suppressions`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

bounces = typer.Typer(no_args_is_help=True, help="What came back: how much, what waits for you, what is paused.")
suppressions = typer.Typer(no_args_is_help=True, help="Who is never mailed: the list in and out, and whole domains.")

Newsletter = Annotated[str, typer.Option("--newsletter", "-n", help="The newsletter's short name")]
Domain = Annotated[str, typer.Option("--domain", help="Of this domain alone")]


@bounces.command("rates")
def rates(newsletter: Newsletter = "daily") -> None:
    """Shows what became of the mails of 30 days: delivered, bounced, complained about; and whether the newsletter is
    paused for it."""
    from flows.commands.returned import bounce_report as bounced

    asyncio.run(bounced.rates(newsletter, typer.echo))


@bounces.command("held")
def held() -> None:
    """Shows the hard bounces that suppress nobody until you decide: so many at once, of one domain or one day, are
    rarely the readers' own."""
    from flows.commands.returned import bounce_report as bounced

    asyncio.run(bounced.held(typer.echo))


@bounces.command("suppress")
def suppress(domain: Domain = "") -> None:
    """Never mails again the readers whose bounces are held."""
    from flows.commands.returned import bounce_report as bounced

    typer.echo(asyncio.run(bounced.decide(domain, suppress=True)))


@bounces.command("free")
def free(domain: Domain = "") -> None:
    """Goes on mailing the readers whose bounces are held: what came back until now counts no more."""
    from flows.commands.returned import bounce_report as bounced

    typer.echo(asyncio.run(bounced.decide(domain, suppress=False)))


@bounces.command("resume")
def resume(newsletter: Newsletter = "daily") -> None:
    """Lets a newsletter go on that was paused since too much came back."""
    from flows.commands.returned import bounce_report as bounced

    typer.echo(asyncio.run(bounced.resume(newsletter)))


@suppressions.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="The CSV file to write, or - for standard output")],
    hashed: Annotated[bool, typer.Option("--hashed", help="Without addresses: hashes alone")] = False,
) -> None:
    """Writes who is never mailed, as CSV with the columns email, sha256, key, reason, at.

    An address is known while it is subscribed; of others there is our own keyed hash alone, which an installation with
    the same PAPERROUND_SUPPRESSION_KEY reads.
    """
    from flows.commands.returned import suppression_lists as suppressed

    typer.echo(asyncio.run(suppressed.take_out(file, hashed=hashed)), err=True)


@suppressions.command("import")
def bring_in(
    file: Annotated[Path, typer.Argument(help="A CSV file, or - for standard input")],
    check: Annotated[bool, typer.Option("--check", help="Say what would be done, and change nothing")] = False,
) -> None:
    """Never mails again whom a list names: ours, or another sender's.

    The first line names the columns, of which one must be there: email, sha256 or md5 (of the address in lower case, in
    hexadecimal), key (of our own export); `reason` may be. The same file again changes nothing.
    """
    from flows.commands.returned import suppression_lists as suppressed

    words, bad = asyncio.run(suppressed.bring_in(file, lambda sentence: typer.echo(sentence, err=True), check=check))
    typer.echo(words)
    raise typer.Exit(1 if bad else 0)


@suppressions.command("lift")
def lift(
    reason: Annotated[str, typer.Option(help="hard-bounce, soft-bounces, complaint or operator")],
    domain: Domain = "",
    since: Annotated[str, typer.Option(help="Suppressed on this day or later: today, yesterday or 2026-06-09")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many they are, and change nothing")] = False,
) -> None:
    """Allows again all that were suppressed for a reason; one address is freed by `subscribers suppress --lift`."""
    from flows.commands.returned import suppression_lists as suppressed

    typer.echo(asyncio.run(suppressed.lift_all(reason, domain, since, dry_run=dry_run)))


@suppressions.command("block")
def block(domain: Annotated[str, typer.Argument(help="The domain, such as example.org")]) -> None:
    """Mails nobody at a domain or below it, and takes no sign-up from there."""
    from flows.commands.returned import suppression_lists as suppressed
    from subscribers.people.rows import BLOCKED

    typer.echo(asyncio.run(suppressed.rule(domain, BLOCKED)))


@suppressions.command("allow")
def allow(domain: Annotated[str, typer.Argument(help="The domain, such as example.org")]) -> None:
    """Takes sign-ups from a domain even if it gives out addresses for a few minutes; what comes back from it for good
    suppresses nobody, but waits for you."""
    from flows.commands.returned import suppression_lists as suppressed
    from subscribers.people.rows import ALLOWED

    typer.echo(asyncio.run(suppressed.rule(domain, ALLOWED)))


@suppressions.command("forget")
def forget(domain: Annotated[str, typer.Argument(help="The domain, such as example.org")]) -> None:
    """Treats a domain like any other again."""
    from flows.commands.returned import suppression_lists as suppressed

    typer.echo(asyncio.run(suppressed.rule(domain, "")))


@suppressions.command("domains")
def domains() -> None:
    """Shows the domains that are blocked or allowed."""
    from flows.commands.returned import suppression_lists as suppressed

    asyncio.run(suppressed.rules(typer.echo))
