from __future__ import annotations

import datetime as dt
import os
import signal
from pathlib import Path

import pytest

from flows.commands import subscribers, without_prefect
from flows.outcomes import Problem
from tests.papers.server import Reply, running

DAY = "2026-06-09"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two readers of the sample."""
    for name in [name for name in os.environ if name.startswith("PAPERROUND_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PAPERROUND_HOME_DIR", str(tmp_path / "home"))
    monkeypatch.setenv("PAPERROUND_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PAPERROUND_MAIL_URL", f"maildir://{tmp_path / 'outbox'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_a_day_that_is_over_is_collected_once_and_today_every_time(home: Path) -> None:
    said: list[str] = []
    for day, times in ((DAY, 1), (str(dt.datetime.now(dt.UTC).date()), 2)):
        said.clear()
        for _ in range(2):
            await without_prefect.preview("sample", day, "", home / "out", said.append)
        assert len([sentence for sentence in said if "25 papers" in sentence]) == times


async def test_a_day_whose_source_failed_ends_as_a_failure_and_a_quiet_one_does_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running() as server:
        monkeypatch.setenv("PAPERROUND_HUGGINGFACE_URL", server.url)
        with pytest.raises(Problem, match=r"No edition on 2026-06-09, so no mail: .* Run it again later"):
            await without_prefect.deliver("daily", DAY, 0, lambda sentence: None, all_hours=False)
    with running() as server:
        monkeypatch.setenv("PAPERROUND_HUGGINGFACE_URL", server.url)
        for day in ("2026-06-06", "2026-06-07", "2026-06-08", DAY):
            server.says(f"/api/daily_papers?date={day}&limit=100&p=0", Reply(b"[]"))
        said = await without_prefect.deliver("daily", DAY, 0, lambda sentence: None, all_hours=False)
        assert said.startswith("No edition on 2026-06-09, so no mail: ")


async def test_what_was_frozen_is_not_collected_again(home: Path) -> None:
    await without_prefect.deliver("sample", "today", 0, lambda sentence: None, all_hours=False)
    said: list[str] = []
    assert "(a draft)" not in await without_prefect.preview("sample", "today", "", home / "out", said.append)
    assert said == []


async def test_a_delivery_that_is_stopped_says_how_it_stands_and_goes_on_later(home: Path) -> None:
    for name in ("ada", "ben"):
        await subscribers.add({"email": f"{name}@example.org", "newsletter": "sample"})

    def stop_it(sentence: str) -> None:
        if "new to this edition" in sentence:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Problem, match=r"Stopped before the end\. Deliveries: 2 pending.* Run it again"):
        await without_prefect.deliver("sample", DAY, 600, stop_it, all_hours=False)
    assert (
        await without_prefect.deliver("sample", DAY, 600, lambda sentence: None, all_hours=False)
        == "Deliveries: 2 sent."
    )
