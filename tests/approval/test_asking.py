"""An operator is asked: the draft, what looks wrong with it, and a mail of it, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from flows import pipeline
from flows.approval.asking import ask
from flows.editions.model import Kind
from flows.storage.approvals import ApprovalState
from flows.storage.database import Database
from flows.storage.editions import Frozen
from tests.approval.scene import OPERATOR, Scene, made, silent
from tests.factories import DAY
from tests.sending.smtp import mail_server


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        yield await made(database, tmp_path, server)


def as_veto(scene: Scene) -> Scene:
    scene.newsletter = replace(scene.newsletter, approval="veto")
    return scene


async def test_the_operator_gets_it_first_and_once_however_often_they_are_asked(scene: Scene) -> None:
    for _ in range(2):
        asked = await ask(*scene.asked, silent, run="one")
        assert asked is not None
        assert asked.approval.state is ApprovalState.ASKED
    (mail,) = scene.to(OPERATOR)
    assert b"Subject: [Test]\r\n" in mail
    assert b"This is a test, to you alone." in mail
    assert b"/preview/sample/2026-06-09" in mail.replace(b"=\r\n", b"")
    assert scene.server.readers.total() == 1


async def test_a_test_that_could_not_leave_keeps_nobody_from_deciding_and_leaves_the_next_time(scene: Scene) -> None:
    scene.server.refuses = lambda address: "550 5.7.1 not today"
    asked = await ask(*scene.asked, silent, run="one")
    assert asked is not None
    assert asked.test.startswith("The test was not sent: ")
    assert OPERATOR not in asked.test
    scene.server.refuses = lambda address: ""
    asked = await ask(*scene.asked, silent, run="one")
    assert asked is not None
    assert "was mailed to the operator" in asked.test
    assert len(scene.to(OPERATOR)) == 1


async def test_whoever_wants_no_approval_is_not_asked(scene: Scene) -> None:
    plain = replace(scene.newsletter, approval="")
    assert await ask(scene.context, plain, Kind.DAILY, DAY, silent) is None
    frozen = await pipeline.freeze(scene.context, plain, Kind.DAILY, DAY)
    assert isinstance(frozen, Frozen)
    assert await ask(*scene.asked, silent) is None
