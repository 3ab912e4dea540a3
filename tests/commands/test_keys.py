"""A machine's keys become the installation's where that is agreed to, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.commands.keys import adopt
from flows.config.settings import load_settings
from flows.context import open_context
from flows.outcomes import Problem


async def test_other_keys_are_taken_only_where_that_is_agreed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_context(load_settings()) as context:
        assert context.settings.hashing_key
    assert await adopt(lambda question: False) == "These are the installation's keys already: nothing was changed."
    monkeypatch.setenv("PAPERROUND_SECRET_KEY", "a key of sixteen letters or more")
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(Problem, match="Nothing was changed"):
        await adopt(refuse)
    assert "Links in mails sent before will open nothing" in asked[0]
    with pytest.raises(Problem):
        async with open_context(load_settings()):
            pass
    assert (await adopt(lambda question: True)).startswith("This machine's keys are the installation's from now on")
    async with open_context(load_settings()) as context:
        assert context.settings.keys[0] == b"a key of sixteen letters or more"
