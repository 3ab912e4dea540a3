"""The command `paperround`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import traceback
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from platformdirs import user_data_path
from rich.console import Console
from rich.markup import escape

from flows import process
from flows.commands import cli_returns, deliveries, dkim_new, send, subscribers
from flows.config.settings import load_settings
from flows.context import read_day, utc_now
from flows.editions.model import Kind
from flows.outcomes import Problem

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="**Paperround** brings the day's research papers to people's inboxes.\n\n"
    "Begin with `paperround demo`: a whole newsletter on this machine, which sends nothing anywhere else. "
    "Then set `PAPERROUND_MAIL_URL`, `PAPERROUND_SENDER` and `PAPERROUND_PUBLIC_URL`, add yourself with "
    "`paperround subscribers add`, and start `paperround up`.",
)
people = typer.Typer(no_args_is_help=True, help="Who is subscribed to what, and who is never mailed.")
app.add_typer(people, name="subscribers")
topics = typer.Typer(no_args_is_help=True, help="How papers are grouped: explain one, evaluate many.")
app.add_typer(topics, name="topics")

app.add_typer(cli_returns.bounces, name="bounces")
app.add_typer(cli_returns.suppressions, name="suppressions")
signing = typer.Typer(no_args_is_help=True, help="The keys that sign mail, where your relay does not.")
app.add_typer(signing, name="dkim")

console = Console(stderr=True, highlight=False)

Newsletter = Annotated[str, typer.Option("--newsletter", "-n", help="The newsletter's short name")]
Weekly = Annotated[bool, typer.Option("--weekly", help="The best of the week that ends with the date instead")]
DATE = "today, yesterday, or a date such as 2026-06-09"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command, with the process's own arguments if none are given, and ends with its status.

    Every error is one sentence on standard error with status 2, never a traceback.
    """
    try:
        status = app(arguments, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except Exception as error:
        if sentence := _sentence(error):
            console.print(f"[red]Error:[/] {escape(sentence)}", soft_wrap=True)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _sentence(error: Exception) -> str:
    """What to tell about an error; nothing where the help has been shown already."""
    if found := _problem_in(error):
        return found
    # depending on Typer's version its own errors are of Click or of a copy of it: they have this method in common
    if usage := getattr(error, "format_message", None):
        context, words = getattr(error, "ctx", None), str(usage()).strip().rstrip(".")
        return words and f"{words}. See `{context.command_path if context else 'paperround'} --help`."
    with tempfile.NamedTemporaryFile("w", prefix="paperround-", suffix=".log", delete=False) as log:
        traceback.print_exception(error, file=log)
    words = " ".join(str(error).split())
    return f"Something unexpected happened ({type(error).__name__}: {words}): please report it with {log.name}."


def _problem_in(error: BaseException) -> str:
    """The sentence of a Problem, also of one that a group of tasks raised together with others."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for one in error.exceptions if (found := _problem_in(one))), "")
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} can't be used ({error.strerror}): name another place, or mend this one."
    return str(error) if isinstance(error, Problem) else ""


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paperround {version('paperround')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end")
    ] = False,
) -> None:
    pass


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
    from flows.processes.demo import claim_home
    from flows.processes.demo import demo as show

    # told before a home is made for it
    read_day(date, utc_now().date())
    with ExitStack() as held:
        folder = claim_home(home, user_data_path("paperround"), held)
        status = _run(show(Console(highlight=False), once=once, date=date, offline=offline, home=folder))
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
    from flows.processes.up import up as stay

    raise typer.Exit(
        _run(stay(Console(highlight=False), load_settings(), host=host, port=port, prefect_port=prefect_port))
    )


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
) -> None:
    """Writes the edition of a day as digest.html, digest.txt and digest.eml. Nothing is sent, no edition is stored.

    With `--watch` it shows it in the browser instead, anew whenever a template or the newsletter's file is saved.
    """
    if watch == bool(out):
        raise Problem("Say either --out with the folder to write to, or --watch to see it in the browser.")
    if watch:
        from flows.commands.preview_server import watch as stay

        _run(stay(newsletter, date, as_reader, port, _print, kind=_kind(weekly)))
        return
    if not (date and out):
        raise Problem(f"Name the day with --date: {DATE}.")
    with console.status("Collecting…") as status:
        words = _run(send.preview(newsletter, date, as_reader, out, _into(status.update), kind=_kind(weekly)))
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
    with console.status("Preparing…") as status:
        words = process.run(
            send.deliver(newsletter, date, wait, _into(status.update), all_hours=all_hours, kind=_kind(weekly))
        )
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
    link: Annotated[bool, typer.Option("--link", help="Print a link to the page that shows the same instead")] = False,
    resend: Annotated[
        bool, typer.Option("--resend", help="With --state uncertain: send what is held again, under its Message-ID")
    ] = False,
    settle: Annotated[
        bool, typer.Option("--settle", help="With --state uncertain: count what is held as sent")
    ] = False,
) -> None:
    """Shows who got an edition: every reader it was made for, the state of their delivery, the server's last words.

    A summary by state comes first; its sum is the number of deliveries ever made for the edition. Who has been erased
    since then keeps a line without an address.
    """
    kind = _kind(weekly)
    if sum((as_csv, link, resend, settle)) > 1:
        raise Problem("--csv, --link, --resend and --settle exclude each other: say one of them.")
    if link:
        typer.echo(_run(deliveries.link(edition, kind=kind)))
    elif resend:
        typer.echo(_run(deliveries.resend(edition, state, kind=kind)))
    elif settle:
        typer.echo(_run(deliveries.settle(edition, state, kind=kind)))
    else:
        _run(deliveries.show(edition, state, _print, kind=kind, as_csv=as_csv))


def _kind(weekly: bool) -> Kind:
    return Kind.WEEKLY if weekly else Kind.DAILY


@app.command()
def returns() -> None:
    """Reads the mailbox of PAPERROUND_RETURNS_URL, as `up` does every five minutes: unsubscriptions, bounces,
    complaints. What is not understood stays there unread, and the reason is told."""
    typer.echo(_run(send.returns()))


@app.command()
def upkeep() -> None:
    """Forgets what is kept for a while only: sign-ups that nobody confirmed, old letters. `up` does so every night."""
    typer.echo(_run(send.tidy()))


def _into(update: Callable[[str], None]) -> Callable[[str], None]:
    """Shows the last sentence beside the spinner; on anything but a terminal every one on a line of its own."""

    def say(sentence: str) -> None:
        if console.is_terminal:
            update(escape(sentence))
        else:
            _print(sentence)

    return say


def _print(sentence: str) -> None:
    """On standard error, a line however long, nothing in it taken for markup."""
    console.print(sentence, markup=False, soft_wrap=True)


@people.command("add")
def add(
    email: Annotated[str, typer.Argument(help="The address")],
    newsletter: Newsletter = "daily",
    topics: Annotated[
        str | None,
        typer.Option(
            help="Topics such as 'agents;code'; '' means all; '-video' all but that; '-*' what is followed alone"
        ),
    ] = None,
    keywords: Annotated[str | None, typer.Option(help="Words and phrases, joined by ;")] = None,
    authors: Annotated[str | None, typer.Option(help="Authors to follow, joined by ;")] = None,
    frequency: Annotated[str | None, typer.Option(help="daily (the default), weekdays, weekly or weekly:mon")] = None,
    hour: Annotated[str | None, typer.Option(help="The reader's hour, 0 to 23; '', the default, at once")] = None,
    zone: Annotated[str | None, typer.Option(help="The reader's time zone, such as Europe/Berlin; or UTC")] = None,
    resubscribe: Annotated[bool, typer.Option("--resubscribe", help="Also bring back who has unsubscribed")] = False,
) -> None:
    """Adds a confirmed subscription, or changes what is given of the one that is there."""
    row = {
        "email": email,
        "newsletter": newsletter,
        "topics": topics,
        "keywords": keywords,
        "authors": authors,
        "frequency": frequency,
        "hour": hour,
        "zone": zone,
        "state": "confirmed",
        "consent_source": "operator",
    }
    typer.echo(_run(subscribers.add(row, resubscribe=resubscribe)))


@people.command("list")
def list_subscribers(
    newsletter: Annotated[str, typer.Option("--newsletter", "-n", help="Of this newsletter alone")] = "",
    state: Annotated[
        str,
        typer.Option(help="In this state alone: unconfirmed, confirmed, paused, unsubscribed or suppressed"),
    ] = "",
) -> None:
    """Shows who is subscribed, a line each."""
    _run(subscribers.show(newsletter, state, typer.echo))


@people.command("import")
def import_subscribers(
    file: Annotated[Path, typer.Argument(help="A CSV file, or - for standard input")],
    resubscribe: Annotated[bool, typer.Option("--resubscribe", help="Also bring back who has unsubscribed")] = False,
) -> None:
    """Adds and changes subscriptions from CSV. The same file again changes nothing.

    The first line names the columns, of which only `email` must be there: email, newsletter, topics, keywords, authors,
    frequency, hour, zone, state, tags, consent_at, consent_source. Several values of a field are joined by `;`. A topic
    with a `-` before it is muted, `-*` mutes all; `weekly:mon` is a weekly reader's day, `paused:2026-07-01` the end of
    a pause. A bad line, and the second one of an address on a newsletter, is reported with its number, and the rest
    goes in. An address that has unsubscribed or is suppressed is refused.
    """
    with console.status("Importing…") as status:
        words, bad = _run(subscribers.bring_in(file, status.update, _print, resubscribe=resubscribe))
    typer.echo(words)
    raise typer.Exit(1 if bad else 0)


@people.command("export")
def export_subscribers(
    file: Annotated[Path, typer.Argument(help="The CSV file to write, or - for standard output")],
    newsletter: Annotated[str, typer.Option("--newsletter", "-n", help="Of this newsletter alone")] = "",
) -> None:
    """Writes all subscriptions as CSV, in the form that `import` reads."""
    _print(_run(subscribers.take_out(file, newsletter)))


@people.command("suppress")
def suppress(
    email: Annotated[str, typer.Argument(help="The address")],
    reason: Annotated[str, typer.Option(help="operator, hard-bounce, soft-bounces or complaint")] = "operator",
    lift: Annotated[bool, typer.Option("--lift", help="Allow it again instead")] = False,
) -> None:
    """Never mails an address again, on any newsletter. It is kept as a keyed hash, also after it is forgotten."""
    typer.echo(_run(subscribers.lift(email) if lift else subscribers.suppress(email, reason)))


@people.command("forget")
def forget(
    email: Annotated[str, typer.Argument(help="The address")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking")] = False,
) -> None:
    """Erases everything about an address: its subscriptions, its consent, who got what."""
    typer.echo(_run(subscribers.forget(email, lambda question: yes or _agreed(question))))


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise Problem("Nothing was erased: say --yes where nobody can be asked.")
    return typer.confirm(question, err=True)


@topics.command("explain")
def explain(
    paper: Annotated[str, typer.Argument(help="Its arXiv identifier, such as 2606.10651, or its page's address")],
) -> None:
    """Shows why a paper has its topic: what spoke for it, what nearly won, and the best scores."""
    typer.echo(_run(send.explain(paper)))


@topics.command("evaluate")
def evaluate(
    file: Annotated[Path, typer.Argument(help="Labelled papers as JSON Lines, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """Shows how well papers are grouped: exact, acceptable, macro-F1, each topic, and what is confused with what.

    A line is an object with `id`, `title`, `abstract` and `label`, a topic's short name; `categories`, `keywords` and
    `alternates`, other topics that would do as well, may be there.
    """
    typer.echo(send.evaluate_topics(file, as_json=as_json))


@app.command()
def doctor() -> None:
    """Looks at all that mail depends on, and says what to do: settings, database, mail server, the web app's address,
    and what DNS says of your domains (SPF, DKIM, DMARC). Sends nothing; ends with 1 if something is wrong."""
    from flows.commands.doctor import tell  # it asks DNS: no other command needs that

    raise typer.Exit(_run(tell(typer.echo)))


@signing.command("new")
def new_key(
    selector: Annotated[str, typer.Option(help="The key's name in DNS: a new one for every key")] = "paperround",
    domain: Annotated[str, typer.Option(help="The domain that signs; PAPERROUND_SENDER's by default")] = "",
    algorithm: Annotated[str, typer.Option(help="rsa, which every receiver verifies, or ed25519")] = "rsa",
    out: Annotated[Path | None, typer.Option(help="The file to make; by default one in PAPERROUND_HOME_DIR")] = None,
) -> None:
    """Makes a key that signs mail, and prints the DNS record to publish and the settings that use it."""
    typer.echo(dkim_new.new(load_settings(), selector, domain, algorithm, out))


@app.command(hidden=True)
def courier(edition: int, until: str, share: int = 1) -> None:
    """A process that delivers beside others."""
    typer.echo(process.run(send.courier(edition, datetime.fromisoformat(until), share)))


@app.command(hidden=True)
def web(host: str = "127.0.0.1", port: int = 8180, mailbox: Path | None = None) -> None:
    """The web app's process."""
    from flows.processes.serve import serve_web

    _run(serve_web(host, port, mailbox))


@app.command(hidden=True)
def runner() -> None:
    """The process that runs the flows."""
    from flows.processes.serve import serve_flows

    _run(serve_flows())
