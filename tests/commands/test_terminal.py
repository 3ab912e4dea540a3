"""How the command speaks: sentences on lines of their own, nothing in them taken for markup, and nobody asked who can't
answer."""

from __future__ import annotations

import io

import pytest

from flows.commands.terminal import agreed, into, kind_of, run, tell
from flows.editions.model import Kind
from flows.outcomes import Problem


def test_a_sentence_is_one_line_however_long_and_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    words = "[bold]not bold[/bold] " + "word " * 100
    tell(words)
    said: list[str] = []
    into(said.append)("[red]once[/red]")
    assert capfd.readouterr().err == f"{words}\n[red]once[/red]\n"
    assert said == []  # the spinner is for a terminal alone


def test_where_nobody_can_be_asked_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(Problem, match="say --yes where nobody can be asked"):
        agreed("Go on?")


def test_work_runs_to_its_end_and_a_kind_is_chosen() -> None:
    async def work() -> int:
        return 7

    assert run(work()) == 7
    assert (kind_of(True), kind_of(False)) == (Kind.WEEKLY, Kind.DAILY)
