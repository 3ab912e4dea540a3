"""The Variable that stops every delivery, at a real Prefect server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.variables import Variable

from flows.by_hand.pause_all import PAUSE_ALL, WORDS, heeding_pause_all, pauses_all
from tests.conftest import free_port
from tests.prefect_server import Installation

pytestmark = pytest.mark.usefixtures("installation")


@pytest.fixture(autouse=True)
async def _gone_afterwards(installation: Installation) -> AsyncIterator[None]:
    """Other tests deliver at the same server."""
    yield
    await Variable.aunset(PAUSE_ALL)


async def test_it_counts_while_it_says_yes_in_whichever_way() -> None:
    assert not await pauses_all()
    values: list[tuple[Any, bool]] = [
        (True, True),
        (" True ", True),
        ("yes", True),
        ("on", True),
        (1, True),
        (False, False),
        ("false", False),
        ("", False),
        ("maybe", False),
        ([True], False),
    ]
    for value, pauses in values:
        await Variable.aset(PAUSE_ALL, value, overwrite=True)
        assert await pauses_all() is pauses, value


async def test_a_server_that_does_not_answer_has_said_nothing() -> None:
    await Variable.aset(PAUSE_ALL, value=True)
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        assert not await pauses_all(patience=0.2)


async def test_a_delivery_stops_when_it_begins_paused_and_says_why() -> None:
    for value in (False, True):
        await Variable.aset(PAUSE_ALL, value, overwrite=True)
        stop, said = asyncio.Event(), list[str]()
        async with heeding_pause_all(stop, said.append):
            assert stop.is_set() is value
        assert said == ([WORDS] if value else [])
