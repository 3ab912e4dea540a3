"""A newsletter is paused when too much came back, until its operator lets it go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.delivery.run import deliver_due, paused_sentence
from flows.storage.database import Database
from tests.incoming.scene import DAY, Scene, complaint, scene_of

ADA, BEN, CLEO = "ada@one.example", "ben@one.example", "cleo@sub.two.example"


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> Scene:
    made = scene_of(database, tmp_path)
    await made.subscribe(ADA, BEN, CLEO)
    return made


async def test_a_newsletter_with_too_many_complaints_is_paused_until_the_operator_lets_it_go_on(scene: Scene) -> None:
    number = await scene.send()
    assert await paused_sentence(scene.context, "daily") == ""
    for one in (ADA, BEN, CLEO):
        scene.put(complaint(headers=f"Return-Path: <{scene.token_of(number, one)}>\n"))
    await scene.read()
    paused = await scene.context.watch("daily")
    assert paused is not None
    assert paused.fresh
    again = await scene.context.watch("daily")
    assert again is not None
    assert not again.fresh
    said: list[str] = []
    (held,) = await deliver_due(scene.context, "daily", said.append)
    assert "3 of the 3 mails" in said[0]
    assert "paperround bounces resume --newsletter daily" in held.sentence
    assert await paused_sentence(scene.context, "arxiv") == ""
    scene.now += DAY / 24
    assert await scene.context.pauses.resume("daily", scene.now)
    assert not await scene.context.pauses.resume("daily", scene.now)
    assert await scene.context.watch("daily") is None
    assert await deliver_due(scene.context, "daily", said.append) == []


async def test_never_is_no_bound(database: Database, tmp_path: Path) -> None:
    scene = scene_of(database, tmp_path, pause_above="never")
    await scene.subscribe(ADA, BEN, CLEO)
    number = await scene.send()
    for one in (ADA, BEN, CLEO):
        scene.put(complaint(headers=f"Return-Path: <{scene.token_of(number, one)}>\n"))
    await scene.read()
    assert await scene.context.watch("daily") is None
