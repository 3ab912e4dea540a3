"""The command `paperround`: its groups of calls, and what it says when something is wrong."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from flows import process
from flows.commands import (
    bounce_calls,
    edition_calls,
    service_calls,
    subscriber_calls,
    topic_calls,
    upkeep_calls,
)
from flows.commands.terminal import console
from flows.config.logs import LEVELS, set_up
from flows.outcomes import Problem
from flows.storage.private_files import OTHERS

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="**Paperround** brings the day's research papers to people's inboxes.\n\n"
    "Begin with `paperround demo`: a whole newsletter on this machine, which sends nothing anywhere else. "
    "Then set `PAPERROUND_MAIL_URL`, `PAPERROUND_SENDER` and `PAPERROUND_PUBLIC_URL`, add yourself with "
    "`paperround subscribers add`, and start `paperround up`.",
)
for calls in (service_calls.app, edition_calls.app, upkeep_calls.app):
    app.add_typer(calls)
app.add_typer(subscriber_calls.app, name="subscribers")
app.add_typer(topic_calls.app, name="topics")
app.add_typer(bounce_calls.bounces, name="bounces")
app.add_typer(bounce_calls.suppressions, name="suppressions")
app.add_typer(topic_calls.gists, name="gists")
app.add_typer(topic_calls.forecast, name="forecast")
app.add_typer(upkeep_calls.keys, name="keys")
app.add_typer(upkeep_calls.ui, name="prefect")
app.add_typer(upkeep_calls.signing, name="dkim")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command, with the process's own arguments if none are given, and ends with its status.

    Every error is one sentence on standard error with status 2, never a traceback.
    """
    os.umask(OTHERS)  # what we write is about people
    for stream in (sys.stdout, sys.stderr):
        _write_anything(stream)
    process.spare_loopback(os.environ)
    try:
        status = app(_typed() if arguments is None else arguments, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except Exception as error:
        if sentence := _sentence(error):
            console.print(f"[red]Error:[/] {escape(sentence)}", soft_wrap=True)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _typed() -> list[str]:
    """The process's own arguments, as UTF-8 where they are that and the locale knows less."""
    found = []
    for argument in sys.argv[1:]:
        try:
            found.append(os.fsencode(argument).decode("utf-8"))
        except UnicodeDecodeError:
            found.append(argument)
    return found


def _write_anything(stream: object) -> None:
    """What a terminal can't show is replaced there; in files and pipes everything is UTF-8, whatever the locale."""
    if isinstance(stream, io.TextIOWrapper):
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8")


def _sentence(error: Exception) -> str:
    """What to tell about an error; nothing where the help has been shown already."""
    if found := _problem_in(error):
        return found
    # depending on Typer's version its own errors are of Click or of a copy of it: they have this method in common
    if usage := getattr(error, "format_message", None):
        context, words = getattr(error, "ctx", None), str(usage()).strip().rstrip(".").replace("?.", "?")
        words += "" if words.endswith("?") or not words else "."
        return words and f"{words} See `{context.command_path if context else 'paperround'} --help`."
    with tempfile.NamedTemporaryFile("w", prefix="paperround-", suffix=".log", delete=False) as log:
        traceback.print_exception(error, file=log)
    words = " ".join(str(error).split())
    return f"Something unexpected happened ({type(error).__name__}: {words}): please report it with {log.name}."


def _problem_in(error: BaseException) -> str:
    """The sentence of a Problem, also of one that a group of tasks raised together with others."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for one in error.exceptions if (found := _problem_in(one))), "")
    from flows.storage.database import trouble  # noqa: PLC0415  # only where something is wrong

    if (wrong := trouble(error)) and not getattr(error, "filename", None):
        return wrong
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} can't be used ({error.strerror}): name another place, or mend this one."
    return str(error) if isinstance(error, Problem) else ""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paperround {version('paperround')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end")
    ] = False,
    log_level: Annotated[
        str, typer.Option("--log-level", help=f"Log what is {', '.join(LEVELS)} or worse; PAPERROUND_LOG_LEVEL else")
    ] = "",
) -> None:
    if not log_level:
        return
    if log_level not in LEVELS:
        raise Problem(f"--log-level {log_level[:20]!r} is not known: use one of {', '.join(LEVELS)}.")
    os.environ["PAPERROUND_LOG_LEVEL"] = log_level  # of the processes that it starts, too
    form = os.environ.get("PAPERROUND_LOG_FORMAT", "")
    set_up(log_level, "json" if form == "json" else "text")
