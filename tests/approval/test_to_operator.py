"""An edition as a mail to its operator alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from flows.approval.to_operator import send_test
from flows.editions.model import Kind
from flows.outcomes import Problem
from flows.storage.database import Database
from tests.approval.scene import KEY, OPERATOR, Scene, made
from tests.factories import DAY
from tests.sending.smtp import mail_server


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        yield await made(database, tmp_path, server)


async def test_a_test_changes_nothing_for_anybody_and_stores_no_edition(scene: Scene) -> None:
    words = await send_test(*scene.asked)
    assert words == ("The daily edition of 2026-06-09 (a draft, 25 papers) was mailed to the operator's address alone.")
    assert await scene.context.store.find(*KEY) is None
    (mail,) = scene.to(OPERATOR)
    assert b"List-Unsubscribe: <" in mail


async def test_a_test_without_an_address_says_what_to_set(scene: Scene) -> None:
    settings = scene.context.settings.model_copy(update={"operator_address": ""})
    with pytest.raises(Problem, match="set PAPERROUND_OPERATOR_ADDRESS to your own address"):
        await send_test(replace(scene.context, settings=settings), scene.newsletter, Kind.DAILY, DAY)
