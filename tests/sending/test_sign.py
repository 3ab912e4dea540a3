"""Messages are signed on their way: here while they are few, by processes where they are many."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

import pytest

from flows.mail.model import Message
from flows.sending import dkim
from flows.sending.sign import FEW, Signer
from tests.sending.test_dkim import KEYS, accepted, message, signed

NOW = dt.datetime.now(dt.UTC)


def signer(*keys: dkim.Key) -> Signer:
    return Signer(keys, lambda: NOW)


def numbered(place: int) -> Message:
    return message(b"From: a@example.org\r\nSubject: %d\r\n\r\nbody %d\r\n" % (place, place))


def test_without_a_key_a_message_stays_as_it_is() -> None:
    unsigned = message()
    assert signed(unsigned) == unsigned.content


async def test_who_is_not_waited_for_any_more_gets_nobody_elses_signature() -> None:
    using = signer(KEYS["ed25519"])
    try:
        await using.all([numbered(0)] * (FEW + 1))
        waiting = [asyncio.create_task(using.all([numbered(place)])) for place in range(40)]
        await asyncio.sleep(0)
        for task in waiting[::2]:
            task.cancel()
        for place, task in list(enumerate(waiting))[1::2]:
            (one,) = await task
            assert one.content.endswith(numbered(place).content)
            assert accepted(one.content, "ed25519") == [True]
    finally:
        using.close()


async def test_a_signing_process_that_dies_is_told_of_and_replaced() -> None:
    using = signer(KEYS["ed25519"])
    try:
        await using.all([numbered(0)] * (FEW + 1))
        for process in using.processes:
            process.kill()
        with pytest.raises(ConnectionError, match="signs mail"):
            await using.all([numbered(1)])
        (one,) = await using.all([numbered(2)])
        assert accepted(one.content, "ed25519") == [True]
    finally:
        using.close()


async def test_letters_start_no_processes_however_many() -> None:
    using = signer(KEYS["ed25519"])
    for place in range(FEW + 20):
        assert accepted((await using(numbered(place))).content, "ed25519") == [True]
    assert not using.processes


async def test_without_a_key_nothing_is_begun_however_much_there_is() -> None:
    using = signer()
    messages = [numbered(0)] * (FEW + 1)
    assert not using.signs
    assert await using.all(messages) is messages
    assert not using.processes


async def test_few_of_an_edition_are_signed_here_by_each_key_in_their_order_and_at_their_time() -> None:
    using = signer(KEYS["ed25519"], KEYS["rsa"])
    made = await using.all([numbered(place) for place in range(3)])
    assert not using.processes
    for place, one in enumerate(made):
        assert one.content.endswith(numbered(place).content)
        assert one.content.count(b"t=%d;" % int(NOW.timestamp())) == 2
        assert accepted(one.content, "ed25519", "rsa") == [True, True]


@pytest.mark.parametrize(("relaxed", "holds"), [(False, True), (True, False)])
async def test_a_body_is_made_canonical_unless_it_is_said_to_be(relaxed: bool, holds: bool) -> None:
    uneven = message(b"From: a@example.org\r\n\r\ntwo  blanks \r\n\r\n")
    made = await signer(KEYS["ed25519"])(replace(uneven, relaxed=relaxed))
    assert accepted(made.content, "ed25519") == [holds]
