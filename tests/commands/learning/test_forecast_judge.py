"""How good forecasts are, as the command tells it."""

from __future__ import annotations

import json
from pathlib import Path

from flows.commands.learning import forecast_judge
from tests.editions.test_forecast import AGENT, ENTROPY


def test_the_command_tells_figures_in_lines_and_as_json(tmp_path: Path) -> None:
    file = tmp_path / "papers.jsonl"
    file.write_text(
        "\n".join(
            json.dumps({"title": title, "abstract": abstract, "authors": ["A"] * 9, "picked": hit, "day": day})
            for day in ("one", "two")
            for (title, abstract), hit in ((AGENT, True), (ENTROPY, False))
        )
    )

    assert (
        json.loads(forecast_judge.evaluate(file, as_json=True)).items() >= {"auc": 1.0, "picked": 2, "days": 2}.items()
    )
    assert "4 papers, 2 days, 2 picked (50.0%)\n  AUC                 1.000" in forecast_judge.evaluate(
        file, as_json=False
    )
