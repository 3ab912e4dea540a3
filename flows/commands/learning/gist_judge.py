"""How good the gists are that cards show."""

from __future__ import annotations

import json
from pathlib import Path

from flows.commands.subscribers import opened
from flows.editions.gist import gist
from flows.editions.judging.gist_evaluate import GistReport, evaluate, read


def evaluate_gists(file: Path, *, as_json: bool) -> str:
    """How much the gists of a JSON Lines file's papers have in common with their summaries, in lines or as JSON."""
    with opened(file, "r") as summarised:
        papers = read(summarised)
    report = evaluate(gist, papers)
    return _as_json(report) if as_json else as_lines(report)


def as_lines(report: GistReport) -> str:
    """A report for people."""
    lines = [f"{report.papers} papers, with 95 % confidence"]
    for name, share in (("ROUGE-1", report.rouge1), ("ROUGE-2", report.rouge2)):
        lines.append(f"  {name}  {share.value:.3f}  ({share.low:.3f} to {share.high:.3f})")
    lines.append(f"{report.words:.1f} words a gist; the longest has {report.characters} characters")
    return "\n".join(lines)


def _as_json(report: GistReport) -> str:
    shares = {"rouge1": report.rouge1, "rouge2": report.rouge2}
    whole = {
        "papers": report.papers,
        **{name: share.value for name, share in shares.items()},
        "intervals": {name: [share.low, share.high] for name, share in shares.items()},
        "words": report.words,
        "characters": report.characters,
    }
    return json.dumps(whole, indent=2)
