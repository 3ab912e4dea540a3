"""A signed webhook out, at a receiver that refuses, stumbles, or is not there."""

from __future__ import annotations

import json

from flows.events.outgoing import HEADER, send, signature
from tests.conftest import free_port
from tests.papers.server import Reply, running

EVENT = {"id": "1", "event": "paperround.edition.delivered", "payload": {"sent": 3}}
KEY = "a key of sixteen letters or more"


async def test_a_receiver_that_stumbles_is_told_again_and_can_tell_who_it_was() -> None:
    with running() as receiver:
        receiver.says("/hook", Reply(status=503), Reply(fault="reset"), Reply())
        assert await send(f"{receiver.url}/hook", KEY, EVENT, (0, 0)) == ""
        assert len(receiver.asked) == 3
        last = receiver.asked[-1]
    assert json.loads(last.body) == EVENT
    seconds = int(last.headers[HEADER].partition(",")[0].removeprefix("t="))
    assert last.headers[HEADER] == signature(KEY, last.body, seconds)
    assert last.headers[HEADER] != signature("another key", last.body, seconds)


async def test_one_that_refuses_for_good_is_asked_once_and_one_that_is_away_a_few_times() -> None:
    with running() as receiver:
        receiver.says("/secret-path", Reply(status=410))
        words = await send(f"{receiver.url}/secret-path", KEY, EVENT, (0, 0))
        assert len(receiver.asked) == 1
    assert "HTTP 410" in words
    assert "secret-path" not in words
    assert "ConnectError" in await send(f"http://127.0.0.1:{free_port()}", KEY, EVENT, (0,))
