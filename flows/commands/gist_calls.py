"""The calls `paperround gists …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands import gists

app = typer.Typer(no_args_is_help=True, help="What a card says of a paper without a summary: evaluate many.")


@app.command("evaluate")
def evaluate(
    file: Annotated[Path, typer.Argument(help="Papers with summaries as JSON Lines, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """Shows how much the gists of papers have in common with summaries of them: ROUGE-1 and ROUGE-2, F1 of stems.

    A line is an object with `title`, `abstract` and `reference`, a summary that somebody else wrote; it may be called
    `ai_summary`, too.
    """
    typer.echo(gists.evaluate_gists(file, as_json=as_json))
