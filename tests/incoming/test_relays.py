"""An edition goes out over a real mail server that takes everything, comes back by mail where it could not be
delivered, and ends as it should in the ledger."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from flows.delivery.run import deliver
from flows.incoming.handle import read_returns
from flows.mail.cards import pack
from flows.storage.database import Database
from subscribers.bounces import BounceKind
from subscribers.model import Suppressed
from subscribers.people.store import Change
from tests import factories
from tests.conftest import free_port
from tests.context import context_of
from tests.incoming import relays
from tests.mail import made
from tests.sending.smtp import MailServer, mail_server

WELL, DEAD, FULL, POLICY, SPAM, NOWHERE = (
    "reader@peer.example",
    "reject-1@peer.example",
    "full-1@peer.example",
    "policy-1@peer.example",
    "spam-1@peer.example",
    "somebody@nowhere.example",
)
Started = Callable[[int, int], AbstractContextManager[relays.Relay | None]]


async def deliver_over(
    started: Started, addresses: tuple[str, ...], database: Database, folder: Path, *, verp: bool
) -> None:
    async with mail_server() as peer:
        peer_port = peer.port
        with started(free_port(), peer_port) as relay:
            if relay is None:
                pytest.skip("not on this machine, or not for this user")
            await bounce(relay, peer, addresses, database, folder, verp=verp)
        # the relay is gone: the ends of its connections are heard before the peer goes too
        await asyncio.sleep(0.1)


async def bounce(
    relay: relays.Relay, peer: MailServer, addresses: tuple[str, ...], database: Database, folder: Path, *, verp: bool
) -> None:
    now = dt.datetime.now(dt.UTC)
    context = context_of(
        database,
        folder,
        now=now,
        mail_url=f"smtp://127.0.0.1:{relay.port}",
        secret_key="a key of sixteen letters or more",
        return_path="bounces@example.org",
        returns_url=f"maildir://{relay.returns}",
        verp=verp,
    )
    await context.subscribers.keep([Change(email=one, newsletter="daily", columns={}) for one in addresses], now)
    frozen = await context.store.freeze(factories.edition(), pack(made.rendered()), now)
    delivered = await deliver(context, frozen, lambda _: None, at_once=True)
    assert delivered.counts == {"sent": len(addresses)}  # a relay takes every message
    bounced = [one for one in addresses if one != WELL]
    contents = await asyncio.to_thread(relay.arrived, len(bounced))
    assert all((b"+" in content.partition(b"\n\n")[0].partition(b"To: ")[2][:60]) is verp for content in contents)
    done = await read_returns(context)
    assert not done.left, done.why_left
    everybody = {one.email: one.suppressed async for one in context.subscribers.walk()}
    dead = {one for one in (DEAD, NOWHERE) if one in addresses}
    assert {one for one, why in everybody.items() if why} == dead
    assert {everybody[one] for one in dead} == {Suppressed.HARD_BOUNCE}
    assert done.kinds[BounceKind.HARD] == len(dead)
    assert done.kinds[BounceKind.SOFT] == len({FULL}.intersection(addresses))
    assert done.kinds[BounceKind.REFUSED] == len({POLICY, SPAM}.intersection(addresses))
    assert [taken.recipient for taken in peer.taken] == [WELL]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("verp", [True, False])
async def test_what_a_real_exim_returns_ends_as_it_should(database: Database, tmp_path: Path, verp: bool) -> None:
    addresses = (WELL, DEAD, FULL, POLICY, SPAM, NOWHERE)
    await deliver_over(relays.exim, addresses, database, tmp_path, verp=verp)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("verp", [True, False])
async def test_what_a_real_postfix_returns_ends_as_it_should(database: Database, tmp_path: Path, verp: bool) -> None:
    await deliver_over(relays.postfix, (WELL, DEAD, FULL, POLICY, SPAM), database, tmp_path, verp=verp)
