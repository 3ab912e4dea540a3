"""The calls `paperround subscribers …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.terminal import Newsletter, Weekly, agreed, console, kind_of, run, tell
from flows.outcomes import Problem

app = typer.Typer(no_args_is_help=True, help="Who is subscribed to what, and who is never mailed.")


@app.command("add")
def add(
    email: Annotated[str, typer.Argument(help="The address")],
    newsletter: Newsletter = "daily",
    *,
    topics: Annotated[
        str | None,
        typer.Option(
            help="Topics such as 'agents;code'; '' means all; '-video' all but that; '-*' what is followed alone"
        ),
    ] = None,
    keywords: Annotated[str | None, typer.Option(help="Words and phrases, joined by ;")] = None,
    authors: Annotated[str | None, typer.Option(help="Authors to follow, joined by ;")] = None,
    leave_out: Annotated[str | None, typer.Option(help="Words, phrases and authors to leave out, joined by ;")] = None,
    frequency: Annotated[
        str | None, typer.Option(help="daily, weekdays, weekly or weekly:mon; the default: the newsletter's")
    ] = None,
    hour: Annotated[
        str | None, typer.Option(help="The reader's hour, 0 to 23; '' at once; the default: the newsletter's")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="The reader's time zone, such as Europe/Berlin; or UTC")] = None,
    language: Annotated[
        str | None, typer.Option(help="The language of mails and pages, such as de; '': the site's own")
    ] = None,
    resubscribe: Annotated[bool, typer.Option("--resubscribe", help="Also bring back who has unsubscribed")] = False,
) -> None:
    """Adds a confirmed subscription, or changes what is given of the one that is there."""
    from flows.commands import subscribers

    row = {
        "email": email,
        "newsletter": newsletter,
        "topics": topics,
        "keywords": keywords,
        "authors": authors,
        "leave_out": leave_out,
        "frequency": frequency,
        "hour": hour,
        "zone": zone,
        "language": language,
        "state": "confirmed",
        "consent_source": "operator",
    }
    typer.echo(run(subscribers.add(row, resubscribe=resubscribe)))


@app.command("list")
def list_subscribers(
    newsletter: Annotated[str, typer.Option("--newsletter", "-n", help="Of this newsletter alone")] = "",
    state: Annotated[
        str,
        typer.Option(help="In this state alone: unconfirmed, confirmed, paused, unsubscribed or suppressed"),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines")] = False,
) -> None:
    """Shows who is subscribed, a line each."""
    from flows.commands import subscribers

    run(subscribers.show(newsletter, state, typer.echo, as_json=as_json))


@app.command("import")
def import_subscribers(
    file: Annotated[Path, typer.Argument(help="A CSV file, or - for standard input")],
    newsletter: Annotated[str, typer.Option("--newsletter", "-n", help="For lines that name none")] = "daily",
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help="What a column is here, as 'Email Address=email'; 'Notes=' leaves it out"),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Say what would be done, and change nothing")] = False,
    resubscribe: Annotated[bool, typer.Option("--resubscribe", help="Also bring back who has unsubscribed")] = False,
) -> None:
    """Adds and changes subscriptions from CSV. The same file again changes nothing.

    The first line names the columns, of which only `email` must be there: email, newsletter, topics, keywords, authors,
    leave_out, frequency, hour, zone, language, state, tags, consent_at, consent_source. Several values of a field are
    joined by `;`. A topic with a `-` before it is muted, `-*` mutes all; `weekly:mon` is a weekly reader's day,
    `paused:2026-07-01` the end of a pause. A bad line, and the second one of an address on a newsletter, is reported
    with its number, and the rest goes in. An address that has unsubscribed or is suppressed is refused.

    The exports of listmonk, Mailchimp, Ghost, Substack, Buttondown and Mailman are known by their columns: who had left
    them stays out, who bounced or complained is suppressed. Separators, encodings and line ends are those of the file.
    """
    from flows.commands import subscribers

    mapped = dict(_mapping(text) for text in columns or ())
    with console.status("Importing…") as status:
        work = subscribers.bring_in(
            file, status.update, tell, newsletter=newsletter, columns=mapped, resubscribe=resubscribe, check=check
        )
        words, bad = run(work)
    typer.echo(words)
    raise typer.Exit(1 if bad else 0)


def _mapping(text: str) -> tuple[str, str]:
    name, equals, ours = text.rpartition("=")
    if not equals or not name.strip():
        raise Problem(
            f"--map {text[:40]!r} names no column: write it as 'Email Address=email', or 'Notes=' to leave it out."
        )
    return name, ours


@app.command("export")
def export_subscribers(
    file: Annotated[Path, typer.Argument(help="The CSV file to write, or - for standard output")],
    newsletter: Annotated[str, typer.Option("--newsletter", "-n", help="Of this newsletter alone")] = "",
) -> None:
    """Writes all subscriptions as CSV, in the form that `import` reads."""
    from flows.commands import subscribers

    tell(run(subscribers.take_out(file, newsletter)))


@app.command("suppress")
def suppress(
    email: Annotated[str, typer.Argument(help="The address")] = "",
    reason: Annotated[str, typer.Option(help="operator, hard-bounce, soft-bounces or complaint")] = "operator",
    lift: Annotated[bool, typer.Option("--lift", help="Allow it again instead")] = False,
    edition: Annotated[
        str, typer.Option("--edition", "-e", help="With --lift: all that this edition suppressed, as daily/2026-06-09")
    ] = "",
    weekly: Weekly = False,
    on: Annotated[
        str, typer.Option("--on", help="With --lift: all that mail servers' refusals suppressed on this day (UTC)")
    ] = "",
) -> None:
    """Never mails an address again, on any newsletter. It is kept as a keyed hash, also after it is forgotten.

    With --lift it is allowed again; so are, with --edition or --on, all whom a mail server had refused then. Who
    complained, asked to be erased or was suppressed by you stays suppressed.
    """
    from flows.commands import deliveries, subscribers

    if sum(map(bool, (email, edition, on))) != 1:
        raise Problem("Name an address, or with --lift an --edition or the day --on which it was: one of them.")
    if (edition or on) and not lift:
        raise Problem("--edition and --on say what to lift: say --lift with them.")
    if edition:
        typer.echo(run(deliveries.lift(edition, kind=kind_of(weekly))))
    elif on:
        typer.echo(run(subscribers.lift_day(on)))
    else:
        typer.echo(run(subscribers.lift(email) if lift else subscribers.suppress(email, reason)))


@app.command("forget")
def forget(
    email: Annotated[str, typer.Argument(help="The address")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking")] = False,
) -> None:
    """Erases everything about an address: its subscriptions, its consent, who got what."""
    from flows.commands import subscribers

    typer.echo(run(subscribers.forget(email, lambda question: yes or agreed(question))))
