"""The calls `paperround topics …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands import explain_topics
from flows.commands.terminal import run

app = typer.Typer(no_args_is_help=True, help="How papers are grouped: explain one, evaluate many.")


@app.command("explain")
def explain(
    paper: Annotated[str, typer.Argument(help="Its arXiv identifier, such as 2606.10651, or its page's address")],
) -> None:
    """Shows why a paper has its topic: what spoke for it, what nearly won, and the best scores."""
    typer.echo(run(explain_topics.explain(paper)))


@app.command("evaluate")
def evaluate(
    file: Annotated[Path, typer.Argument(help="Labelled papers as JSON Lines, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """Shows how well papers are grouped: exact, acceptable, macro-F1, each topic, and what is confused with what.

    A line is an object with `id`, `title`, `abstract` and `label`, a topic's short name; `categories`, `keywords` and
    `alternates`, other topics that would do as well, may be there.
    """
    typer.echo(explain_topics.evaluate_topics(file, as_json=as_json))
