"""Messages are written before they are asked for, not too many, and each is had once whatever the order."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from flows.config.settings import Settings
from flows.context import open_context
from flows.delivery.messages import READY_AT_MOST, TOGETHER, WriteAhead, Written
from flows.mail.model import Message
from flows.sending import dkim
from flows.sending.sign import FEW
from tests.sending.test_dkim import KEYS, accepted
from tests.sending.test_sign import numbered, signer

COUNT = 300


class Desk:
    """Writes messages and keeps a record."""

    def __init__(self, fails: int = -1) -> None:
        self.written: list[int] = []
        self._fails = fails

    def write(self, place: int) -> Written:
        self.written.append(place)
        if place == self._fails:
            raise RuntimeError("no ink")
        return "paused" if place % 7 == 3 else numbered(place)


@asynccontextmanager
async def ahead(desk: Desk, *keys: dkim.Key) -> AsyncIterator[WriteAhead]:
    using = signer(*keys)
    made = WriteAhead(desk.write, COUNT, using)
    try:
        yield made
    finally:
        made.close()
        using.close()


async def test_each_is_had_once_whatever_the_order() -> None:
    desk = Desk()
    order = list(range(COUNT))
    random.Random(1).shuffle(order)
    async with ahead(desk) as made:
        for place in order:
            assert await made.take(place) == ("paused" if place % 7 == 3 else numbered(place))
            await asyncio.sleep(0)
    assert sorted(desk.written) == list(range(COUNT))


async def test_some_lie_ready_and_not_too_many() -> None:
    desk = Desk()
    async with ahead(desk) as made:
        for _ in range(3 * READY_AT_MOST):
            await asyncio.sleep(0)
        assert desk.written == list(range(READY_AT_MOST))
        for place in range(TOGETHER):
            assert len(desk.written) == READY_AT_MOST
            await made.take(place)
            await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(desk.written) == READY_AT_MOST + TOGETHER
    before = len(desk.written)
    await asyncio.sleep(0.01)
    assert len(desk.written) == before


async def test_what_fails_is_raised_where_it_is_taken_and_nowhere_else() -> None:
    async with ahead(Desk(fails=5)) as made:
        await asyncio.sleep(0.01)
        for place in range(5):
            await made.take(place)
        with pytest.raises(RuntimeError, match="no ink"):
            await made.take(5)
        assert await made.take(6) == numbered(6)


async def test_all_of_a_large_batch_are_signed() -> None:
    desk = Desk()
    async with ahead(desk, KEYS["ed25519"]) as made:
        taken = await asyncio.gather(*(made.take(place) for place in range(COUNT)))
    mails = [(place, one) for place, one in enumerate(taken) if isinstance(one, Message)]
    assert len(mails) > 2 * FEW
    for place, one in mails:
        assert one.content.endswith(numbered(place).content)
        assert accepted(one.content, "ed25519") == [True]


async def test_what_signs_ends_with_the_context(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(dkim.new_key("ed25519"))
    settings = Settings(
        _env_file=None, home_dir=tmp_path, dkim_key=str(key), dkim_selector="s", dkim_domain="example.org"
    )
    async with open_context(settings) as context:
        await context.signer.all([numbered(0)] * (FEW + 1))
        pids = [process.pid for process in context.signer.processes]
        for pid in pids:
            os.kill(pid, 0)
    assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
