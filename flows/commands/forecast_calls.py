"""The calls `paperround forecast …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands import forecasts

app = typer.Typer(no_args_is_help=True, help="How likely a paper is picked, before anybody could vote.")


@app.command("evaluate")
def evaluate(
    file: Annotated[Path, typer.Argument(help="Papers as JSON Lines, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """Shows how good the forecast is: AUC, average precision, picked papers among the first 20, and how far it is off.

    A line is an object with `title`, `abstract`, `authors`, a list of names, and `picked`, true or false; `comment`,
    the authors' own on arXiv, and `day`, whose papers compete with each other, may be there.
    """
    typer.echo(forecasts.evaluate(file, as_json=as_json))
