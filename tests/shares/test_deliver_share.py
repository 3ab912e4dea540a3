"""A share of a delivery, as a run under a real Prefect server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flows.context import Context
from flows.shares.deliver_share import Share, deliver_share, heeding_the_hold
from flows.shares.same_settings import fingerprint_of
from flows.storage.editions import Frozen
from tests import factories
from tests.delivery.test_run import cards
from tests.prefect_server import Installation


async def opened(context: Context) -> Frozen:
    """An edition whose delivery somebody has begun."""
    frozen = await context.store.freeze(factories.edition(), cards(), context.now())
    edition = frozen.edition
    await context.ledger.open(frozen.id, "daily", edition.kind, edition.day, context.now(), at_once=True)
    return frozen


async def ended(edition: int, settings: str = "") -> tuple[str, str]:
    state: Any = await deliver_share(Share(edition=edition, settings=settings), return_state=True)
    return state.type.value, state.message


async def test_it_sends_what_is_free_and_of_an_edition_that_is_held_nothing(installation: Installation) -> None:
    await installation.subscribes("ada", "ben")
    async with installation.context() as context:
        frozen = await opened(context)
        await context.store.hold(frozen.id, context.now(), "its run was cancelled")
        same = fingerprint_of(context.settings)
        assert await ended(frozen.id, same) == ("COMPLETED", f"Sent 0 of edition {frozen.id}.")
        await context.store.release(frozen.id)
        assert await ended(frozen.id, same) == ("COMPLETED", f"Sent 2 of edition {frozen.id}.")
    assert installation.outbox == ["ada@example.org", "ben@example.org"]


async def test_a_machine_that_is_set_otherwise_sends_nothing(installation: Installation) -> None:
    await installation.subscribes("ada")
    async with installation.context() as context:
        frozen = await opened(context)
        asks = fingerprint_of(context.settings)
    installation.sets(sender="Somebody else <else@example.org>")
    kind, words = await ended(frozen.id, asks)
    assert kind == "FAILED"
    assert "This machine is set otherwise than the one that began the delivery" in words
    assert installation.outbox == []


async def test_an_edition_that_is_not_there_is_told(installation: Installation) -> None:
    kind, words = await ended(99)
    assert (kind, "There is no edition 99" in words) == ("FAILED", True)


@pytest.mark.parametrize("held", [True, False])
async def test_a_hold_is_heard_while_it_works(installation: Installation, held: bool) -> None:
    said, stop = list[str](), asyncio.Event()
    async with installation.context() as context:
        frozen = await opened(context)
        async with heeding_the_hold(context, frozen, stop, said.append):
            if held:
                await context.store.hold(frozen.id, context.now(), "its run was cancelled")
                await asyncio.wait_for(stop.wait(), 60)
    assert (stop.is_set(), "its run was cancelled" in "".join(said)) == (held, held)
