"""`paperround forecast evaluate`: how good the forecasts of the packaged model are."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from flows.commands.subscribers import opened
from flows.editions.forecast import forecast
from flows.editions.judging.forecast_report import FIRST, CheckedForecast, ForecastReport, read, report


def evaluate(file: Path, *, as_json: bool) -> str:
    """How good the forecasts are for the papers of a JSON Lines file, in lines or as JSON."""
    with opened(file, "r") as lines:
        candidates = read(lines)
    found = report(
        CheckedForecast(forecast(one.title, one.abstract, one.authors, one.comment), one.picked, one.day)
        for one in candidates
    )
    return json.dumps(asdict(found), indent=2) if as_json else as_lines(found)


def as_lines(found: ForecastReport) -> str:
    """A report for people."""
    days = f", {found.days} days" if found.days > 1 else ""
    lines = [
        f"{found.papers} papers{days}, {found.picked} picked ({found.chance:.1%})",
        f"  AUC                 {found.auc:.3f}  (chance 0.500)",
        f"  average precision   {found.average_precision:.3f}  (chance {found.chance:.3f})",
        f"  in the first {FIRST:<5}  {found.first:>6.1f}  (chance {found.first_by_chance:.1f})",
        f"  calibration error   {found.calibration_error:.3f}",
        "",
        "papers  forecast  picked",
    ]
    lines += [f"{one.papers:>6}  {one.forecast:>8.3f}  {one.picked:>6.3f}" for one in found.bins]
    return "\n".join(lines)
