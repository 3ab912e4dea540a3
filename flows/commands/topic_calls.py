"""The calls about what the models say: `paperround topics …`, `gists …` and `forecast …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.terminal import run

app = typer.Typer(no_args_is_help=True, help="How papers are grouped: explain one, evaluate many.")
gists = typer.Typer(no_args_is_help=True, help="What a card says of a paper without a summary: evaluate many.")
forecast = typer.Typer(no_args_is_help=True, help="How likely a paper is picked, before anybody could vote.")


@app.command("explain")
def explain(
    paper: Annotated[str, typer.Argument(help="Its arXiv identifier, such as 2606.10651, or its page's address")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """Shows why a paper has its topic: what spoke for it, what nearly won, and the best scores."""
    from flows.commands import explain_topics

    typer.echo(run(explain_topics.explain(paper, as_json=as_json)))


@app.command("evaluate")
def evaluate(
    file: Annotated[Path, typer.Argument(help="Labelled papers as JSON Lines, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """Shows how well papers are grouped: exact, acceptable, macro-F1, each topic, and what is confused with what.

    A line is an object with `id`, `title`, `abstract` and `label`, a topic's short name; `categories`, `keywords` and
    `alternates`, other topics that would do as well, may be there.
    """
    from flows.commands import explain_topics

    typer.echo(explain_topics.evaluate_topics(file, as_json=as_json))


@gists.command("evaluate")
def evaluate_gists(
    file: Annotated[Path, typer.Argument(help="Papers with summaries as JSON Lines, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """Shows how much the gists of papers have in common with summaries of them: ROUGE-1 and ROUGE-2, F1 of stems.

    A line is an object with `title`, `abstract` and `reference`, a summary that somebody else wrote; it may be called
    `ai_summary`, too.
    """
    from flows.commands.learning import gist_judge

    typer.echo(gist_judge.evaluate_gists(file, as_json=as_json))


@forecast.command("evaluate")
def evaluate_forecast(
    file: Annotated[Path, typer.Argument(help="Papers as JSON Lines, or - for standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """Shows how good the forecast is: AUC, average precision, picked papers among the first 20, and how far it is off.

    A line is an object with `title`, `abstract`, `authors`, a list of names, and `picked`, true or false; `comment`,
    the authors' own on arXiv, and `day`, whose papers compete with each other, may be there.
    """
    from flows.commands.learning import forecast_judge

    typer.echo(forecast_judge.evaluate(file, as_json=as_json))
