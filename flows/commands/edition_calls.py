"""The calls about one edition: preview, send-test, approve, correct, deliver, deliveries."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from flows import process
from flows.commands.terminal import DATE, Newsletter, Weekly, console, into, kind_of, run, tell
from flows.outcomes import Problem

app = typer.Typer()


@app.command()
def preview(
    date: Annotated[str, typer.Option("--date", "-d", help=f"{DATE}; with --watch invented papers by default")] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The folder to write to")] = None,
    newsletter: Newsletter = "daily",
    as_reader: Annotated[str, typer.Option("--as", help="A subscriber's address: their digest")] = "",
    weekly: Weekly = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it in the browser, as its templates change")
    ] = False,
    port: Annotated[int, typer.Option(help="Where --watch listens, on this machine alone")] = 8181,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines")] = False,
) -> None:
    """Writes the edition of a day as digest.html, digest.txt and digest.eml. Nothing is sent, no edition is stored.

    With `--watch` it shows it in the browser instead, anew whenever a template or the newsletter's file is saved.
    """
    from flows.commands import without_prefect

    if watch == bool(out):
        raise Problem("Say either --out with the folder to write to, or --watch to see it in the browser.")
    if watch:
        from flows.commands.preview_server import watch as stay

        run(stay(newsletter, date, as_reader, port, tell, kind=kind_of(weekly)))
        return
    if not (date and out):
        raise Problem(f"Name the day with --date: {DATE}.")
    with console.status("Collecting…") as status:
        say, kind = into(status.update), kind_of(weekly)
        words = run(without_prefect.preview(newsletter, date, as_reader, out, say, kind=kind, as_json=as_json))
    typer.echo(words)


@app.command()
def deliver(
    date: Annotated[str, typer.Option("--date", "-d", help=DATE)],
    newsletter: Newsletter = "daily",
    wait: Annotated[float, typer.Option(min=0, help="Stay for what is due within so many seconds")] = 600,
    all_hours: Annotated[bool, typer.Option("--all-hours", help="Send now, whatever the readers' hours")] = False,
    weekly: Weekly = False,
) -> None:
    """Delivers the edition of a day, composed if need be. Running it again goes on and mails nobody twice."""
    from flows.commands import without_prefect

    with console.status("Preparing…") as status:
        say, kind = into(status.update), kind_of(weekly)
        words = process.run(without_prefect.deliver(newsletter, date, wait, say, all_hours=all_hours, kind=kind))
    typer.echo(words)


@app.command("send-test")
def send_test(
    newsletter: Newsletter = "daily",
    date: Annotated[str, typer.Option("--date", "-d", help=DATE)] = "today",
    weekly: Weekly = False,
) -> None:
    """Mails an edition to PAPERROUND_OPERATOR_ADDRESS alone, its subject marked. No edition is stored."""
    from flows.commands import approving

    with console.status("Preparing…") as status:
        words = run(approving.test(newsletter, date, into(status.update), kind=kind_of(weekly)))
    typer.echo(words)


@app.command()
def approve(
    *,
    newsletter: Newsletter = "daily",
    date: Annotated[str, typer.Option("--date", "-d", help=DATE)] = "today",
    weekly: Weekly = False,
    send: Annotated[bool, typer.Option("--send", help="Allow it: its readers get it")] = False,
    hold: Annotated[bool, typer.Option("--hold", help="Hold it until you allow it")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Send none for that day; --send undoes it")] = False,
    subject: Annotated[str, typer.Option(help="A subject of your own")] = "",
    note: Annotated[str, typer.Option(help="Your words above the papers; links as [words](https://…)")] = "",
    drop: Annotated[list[str] | None, typer.Option(help="A paper to leave out, by its identifier; several")] = None,
    lead: Annotated[str, typer.Option(help="The paper that comes first")] = "",
    reason: Annotated[str, typer.Option(help="With --hold or --skip: why; of a skip its page tells it")] = "",
) -> None:
    """Decides about an edition before it is delivered, or shows how it stands."""
    from flows.commands import approving
    from flows.editions.decisions import decisions

    asked = [verdict for wanted, verdict in ((send, "send"), (hold, "hold"), (skip, "skip")) if wanted]
    if len(asked) > 1:
        raise Problem("--send, --hold and --skip exclude each other: say one of them.")
    if not asked and (subject or note or drop or lead or reason):
        raise Problem("Say with --send, --hold or --skip what is to become of the edition.")
    verdict = asked[0] if asked else ""
    wanted = decisions(subject, note, drop or (), lead)
    typer.echo(run(approving.approve(newsletter, date, verdict, wanted, reason, kind=kind_of(weekly))))


@app.command()
def correct(
    *,
    note: Annotated[str, typer.Option(help="What was wrong; links as [words](https://…)")],
    newsletter: Newsletter = "daily",
    date: Annotated[str, typer.Option("--date", "-d", help=DATE)] = "today",
    weekly: Weekly = False,
    edition: Annotated[bool, typer.Option("--edition", help="Send the corrected edition, not words alone")] = False,
    subject: Annotated[str, typer.Option(help="A subject; it is marked Correction:")] = "",
    drop: Annotated[list[str] | None, typer.Option(help="With --edition: a paper to leave out; several")] = None,
    lead: Annotated[str, typer.Option(help="With --edition: the paper that comes first")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many would get it")] = False,
) -> None:
    """Sends a correction to exactly those who got an edition, once each. Again with the same words it goes on."""
    from flows.commands import approving
    from flows.editions.decisions import decisions

    made = decisions(subject, note, drop or (), lead)
    if dry_run:
        typer.echo(run(approving.who_got(newsletter, date, kind=kind_of(weekly))))
        return
    with console.status("Preparing…") as status:
        say = into(status.update)
        words = process.run(approving.correct(newsletter, date, made, say, whole=edition, kind=kind_of(weekly)))
    typer.echo(words)


@app.command("deliveries")
def show_deliveries(
    edition: Annotated[str, typer.Option("--edition", "-e", help="The edition, such as daily/2026-06-09")],
    state: Annotated[
        str,
        typer.Option(
            help="In this state alone: sent, pending, sending, deferred, uncertain, rejected or skipped",
        ),
    ] = "",
    weekly: Weekly = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, with times in UTC")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines")] = False,
    link: Annotated[bool, typer.Option("--link", help="Print a link to the page that shows the same instead")] = False,
    resend: Annotated[
        bool,
        typer.Option(
            "--resend",
            help="With --state uncertain or rejected: send what is held, or was rejected, again under its Message-ID",
        ),
    ] = False,
    domain: Annotated[str, typer.Option(help="With --resend: only to addresses of this domain")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --resend or --settle: only count them")] = False,
    settle: Annotated[
        bool, typer.Option("--settle", help="With --state uncertain: count what is held as sent")
    ] = False,
) -> None:
    """Shows who got an edition: every reader it was made for, the state of their delivery, the server's last words.

    A summary by state comes first; its sum is the number of deliveries ever made for the edition. Who has been erased
    since then keeps a line without an address.
    """
    from flows.commands import deliveries

    kind = kind_of(weekly)
    if sum((as_csv, as_json, link, resend, settle)) > 1:
        raise Problem("--csv, --json, --link, --resend and --settle exclude each other: say one of them.")
    if domain and not resend:
        raise Problem("--domain belongs to --resend: say it with it.")
    if dry_run and not (resend or settle):
        raise Problem("--dry-run belongs to --resend and --settle: say one of them with it.")
    if link:
        typer.echo(run(deliveries.link(edition, kind=kind)))
    elif resend:
        typer.echo(run(deliveries.resend(edition, state, kind=kind, domain=domain, dry_run=dry_run)))
    elif settle:
        typer.echo(run(deliveries.settle(edition, state, kind=kind, dry_run=dry_run)))
    else:
        run(deliveries.show(edition, state, tell, kind=kind, as_csv=as_csv, as_json=as_json))


@app.command(hidden=True)
def deliver_share(edition: int, until: str, share: int = 1) -> None:
    """A process that delivers beside others."""
    from flows.commands import without_prefect

    typer.echo(process.run(without_prefect.deliver_share(edition, datetime.fromisoformat(until), share)))
