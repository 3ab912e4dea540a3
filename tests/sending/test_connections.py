"""The connections of one sender to a real mail server: opened, kept, spent, shared with other programs, given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flows.mail.model import Message
from flows.outcomes import Outcome, Stage, Verdict
from flows.sending.connections import Connections, NoConnection, OpenConnection
from flows.sending.limits import Limit
from flows.sending.pace import FEW, Pace
from flows.sending.slots import ConnectionSlot, Slots
from flows.sending.transports import transport
from flows.sending.waiting_list import WaitingList
from tests.conftest import free_port
from tests.sending.smtp import MailServer, mail_server
from tests.sending.test_sender import Batch, To


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


class Desk:
    """Connections to one server, and what the operator is told."""

    def __init__(self, url: str, slots: Slots | None = None, patience: float = 0) -> None:
        self.said: list[str] = []
        self.pace = Pace(Limit(100))
        self.work: WaitingList[To] = WaitingList(Batch(), self.pace, 1)
        self.all = Connections(transport(url), self.pace, slots, self.said.append, patience)

    async def ready(self, before: OpenConnection | None = None) -> OpenConnection:
        async with asyncio.timeout(5):
            found = await self.all.ready(before, self.work, asyncio.Event())
        assert found is not None
        return found


async def taken(slots: Slots) -> ConnectionSlot:
    for _ in range(200):
        if (slot := slots.take()) is not None:
            return slot
        await asyncio.sleep(0.01)
    pytest.fail("no slot was freed")


async def test_one_that_is_good_is_used_again_and_one_that_is_not_is_replaced(server: MailServer) -> None:
    desk = Desk(server.url)
    first = await desk.ready()
    assert await desk.ready(first) is first
    desk.all.keep(first)
    assert desk.all.in_hand == 0
    assert await desk.ready() is first
    first.wire.abandon()
    second = await desk.ready(first)
    desk.all.keep(second)
    second.wire.abandon()
    assert await desk.ready() not in (first, second)
    assert (desk.all.in_hand, server.connections) == (1, 3)
    desk.all.keep(first)  # it is gone: it comes back to nobody
    assert desk.all.in_hand == 1


async def test_a_limit_is_learned_when_two_connections_end_after_as_many_messages(server: MailServer) -> None:
    desk = Desk(server.url)
    spent = Outcome(Verdict.UNSENT, Stage.MAIL, 421, "enough")
    connection = await desk.ready()
    for sent, learned in ((5, False), (7, False), (7, True)):
        connection.sent = sent
        desk.all.learn(connection, spent)
        assert desk.all.last_of(connection) is learned
    connection.sent = 3
    for _ in range(2):
        desk.all.learn(connection, Outcome(Verdict.UNSENT, Stage.MAIL, None, "connection lost"))
    connection.sent = 6
    assert desk.all.last_of(connection)
    assert await desk.ready(connection) is connection
    connection.sent = 7
    assert await desk.ready(connection) is not connection


async def test_a_server_that_is_away_is_named_at_once_where_nobody_has_patience() -> None:
    desk = Desk(f"smtp://127.0.0.1:{free_port()}")
    with pytest.raises(NoConnection, match=r"127\.0\.0\.1") as caught:
        await desk.ready()
    assert not caught.value.login
    assert desk.said == []


async def test_a_server_with_too_much_to_do_slows_the_pace_and_is_asked_again() -> None:
    async with mail_server(MailServer(closed=True)) as server:
        desk = Desk(server.url, patience=5)
        for _ in range(FEW):
            desk.pace.all.heard(asyncio.get_running_loop().time(), complaint=False)
        waiting = asyncio.create_task(desk.ready())
        await server.has_met(1)
        server.closed = False
        await waiting
        assert server.connections == 2
        assert desk.pace.all.rate < 100


async def test_a_refused_login_is_tried_once_by_all_who_wait_together_and_again_by_the_next() -> None:
    async with mail_server(MailServer(login=("user", "right"))) as server:
        desk = Desk(server.url.replace("//", "//user:wrong@"), patience=5)
        with pytest.raises(NoConnection) as caught:
            await desk.ready()
        assert caught.value.login
        assert server.connections == 1


async def test_who_needs_none_any_more_waits_no_longer(server: MailServer, tmp_path: Path) -> None:
    """Neither for a slot, nor for a server that is away."""
    full = Slots(tmp_path, 1)
    held = full.take()
    for desk in (Desk(server.url, Slots(tmp_path, 1)), Desk(f"smtp://127.0.0.1:{free_port()}", patience=60)):
        needless = asyncio.Event()
        waiting = asyncio.create_task(desk.all.ready(None, desk.work, needless))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        needless.set()
        assert await asyncio.wait_for(waiting, 2) is None
    assert held is not None
    assert server.connections == 0
    assert not full.waited_for()


async def test_a_machines_connections_are_counted_and_freed_with_their_ends(server: MailServer, tmp_path: Path) -> None:
    desk, others = Desk(server.url, Slots(tmp_path, 1)), Slots(tmp_path, 1)
    desk.all.keep(await desk.ready())
    assert others.take() is None  # it waits now, and what is idle is given up
    tidying = asyncio.create_task(desk.all.tidy())
    await server.has_open(0)
    tidying.cancel()
    (await taken(others)).release()
    away = Desk(f"smtp://127.0.0.1:{free_port()}", Slots(tmp_path, 1))
    with pytest.raises(NoConnection):
        await away.ready()
    desk.all.keep(await desk.ready())
    await desk.all.close()
    await server.has_open(0)
    await taken(others)


async def test_an_offer_that_nobody_waits_for_any_more_is_ended_and_no_other(server: MailServer) -> None:
    desk = Desk(server.url)
    offering, other = await desk.ready(), await desk.ready()
    offering.offering = True
    message = Message(sender="a@example.org", recipient="hang-1@example.org", content=b"Subject: x\r\n\r\nx\r\n")
    asked = asyncio.create_task(offering.wire.offer(message))
    await server.has_tried(1)
    desk.all.abandon_offers()
    outcome = await asyncio.wait_for(asked, 2)
    assert outcome is not None
    assert outcome.verdict is not Verdict.SENT
    assert (offering.given_up, offering.wire.usable) == (True, False)
    assert (other.given_up, other.wire.usable) == (False, True)


async def test_another_takes_the_place_of_one_that_is_spent(server: MailServer) -> None:
    desk = Desk(server.url)
    first = await desk.ready()
    second = await desk.all.another(first, desk.work)
    assert second is not None
    await server.has_open(1)
    assert desk.all.in_hand == 1
    await server.stop()
    assert await desk.all.another(second, desk.work) is None
    assert desk.all.in_hand == 0
