"""What is held since it came back for very many at once: told by domain, and decided in one step."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.storage.database import Database
from subscribers.bounces import BounceState
from subscribers.model import Suppressed
from subscribers.people.rows import ALLOWED
from tests.incoming.scene import DAY, Scene, report, scene_of

ADA, BEN, CLEO = "ada@one.example", "ben@one.example", "cleo@sub.two.example"


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> Scene:
    made = scene_of(database, tmp_path)
    await made.subscribe(ADA, BEN, CLEO)
    return made


async def many_held(scene: Scene) -> list[str]:
    many = [f"r{n}@held.example" for n in range(12)]
    await scene.subscribe(*many)
    number = await scene.send()
    for one in many:
        scene.put(report(scene.token_of(number, one), one))
    await scene.read()
    assert await scene.suppressed() == {}
    return many


async def test_what_is_held_is_told_by_domain_and_suppressed_in_one_step(scene: Scene) -> None:
    many = await many_held(scene)
    (waiting,) = await scene.context.held_bounces.waiting()
    assert (waiting.domain, waiting.readers) == ("held.example", 12)
    assert await scene.context.held_bounces.decide(scene.now, suppress=True, at="other.example") == 0
    assert await scene.context.held_bounces.decide(scene.now, suppress=True) == 12
    assert await scene.suppressed() == dict.fromkeys(many, Suppressed.HARD_BOUNCE)
    assert await scene.context.held_bounces.waiting() == []
    # what was decided stays so when more come within the day
    scene.now += 0.75 * DAY
    number = await scene.send(ADA)
    scene.put(report(scene.token_of(number, ADA), ADA))
    await scene.read()
    assert len(await scene.suppressed()) == 13


async def test_what_is_held_is_freed_in_one_step_and_mailed(scene: Scene) -> None:
    many = await many_held(scene)
    scene.now += DAY / 24
    assert await scene.context.held_bounces.decide(scene.now, suppress=False, at="held.example") == 12
    assert await scene.suppressed() == {}
    assert await scene.states() == {BounceState.SETTLED: 12}
    for one in many:
        scene.put(report(scene.token_of(scene.sent[-1], one), one))
    await scene.read()
    assert await scene.suppressed() == {}


async def test_what_comes_back_from_an_allowed_domain_waits_for_the_operator(scene: Scene) -> None:
    await scene.context.subscribers.rule("one.example", ALLOWED, scene.now)
    assert await scene.context.subscribers.allows("eve@mail.one.example")
    assert not await scene.context.subscribers.allows(CLEO)
    number = await scene.send()
    scene.put(report(scene.token_of(number, ADA), ADA))
    assert (await scene.read()).held == 1
    assert await scene.suppressed() == {}
