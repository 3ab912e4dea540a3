"""Cancel and Suspend in Prefect's UI are an operator's word: a delivery ends between two messages, and its edition is
held until they say otherwise. A crash, or an installation that is stopped, holds nothing.

Prefect tells a run of Cancel by a signal, which also comes when the installation stops, and of Suspend not at all: so a
delivery looks at the state of its own run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import Pause

from flows.alarms.ask_again import asked_again_until
from flows.by_hand.pause_all import LOOK, heeding_pause_all
from flows.context import Say
from flows.parameters import run_id, scheduled_at, this_run

EVERY = 2.0
"""Seconds between two looks, one small request each: within five the last message is out."""
PATIENCE = 60.0
"""Seconds for Prefect to end a run that it cancels, once its delivery has stopped."""
_WORDS = {
    StateType.CANCELLING: "cancelled",
    StateType.CANCELLED: "cancelled",
    StateType.PAUSED: "suspended",
}


@dataclass(slots=True)
class OperatorWord:
    """What an operator said while a delivery went on: `cancelled`, `suspended`, or nothing."""

    said: str = ""

    async def obey(self) -> None:
        """Ends the run as its operator wants it, once all is kept; returns where they said nothing."""
        if self.said == "suspended":
            state = (await _own_state())[1]
            raise Pause(state=state)
        if self.said == "cancelled":
            # the signal ends it here
            await asyncio.sleep(PATIENCE)


def attempt() -> str:
    """The run around us and its how manieth attempt this is, as one word; empty: there is none."""
    run = this_run()
    return f"{run.id}-{run.run_count}" if run else ""


def goes_on_by_itself() -> bool:
    """Whether nobody started or resumed the run around us: a schedule did, or a later attempt that was planned."""
    run = this_run()
    if run is None or (run.run_count or 0) > 1:  # somebody pressed Retry or Resume
        return False
    return scheduled_at() is not None or asked_again_until() is not None


async def _own_state(run: str = "") -> tuple[StateType | None, State[Any] | None]:
    async with get_client() as client:
        state = (await client.read_flow_run(run or run_id())).state  # type: ignore[arg-type]  # it takes texts too
    return (state.type if state else None), state


@asynccontextmanager
async def heeding_the_operator(run: str, stop: asyncio.Event, say: Say) -> AsyncIterator[OperatorWord]:
    """Sets `stop` as soon as the run is cancelled or suspended, or all is paused; what is yielded says which of the
    first two, at its end for sure."""
    word = OperatorWord()

    async def look() -> None:
        try:
            async with asyncio.timeout(LOOK):
                kind, _ = await _own_state(run)
        except Exception:  # a server that does not answer has said nothing
            return
        if kind in _WORDS and not word.said:
            word.said = _WORDS[kind]
            say(f"The run was {word.said}: the delivery stops between two messages.")
            stop.set()

    async def go_on_looking() -> None:
        while not word.said:
            await asyncio.sleep(EVERY)
            await look()

    async with heeding_pause_all(stop, say):
        if not run:
            yield word
            return
        looking = asyncio.create_task(go_on_looking())
        try:
            yield word
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            if stop.is_set():  # by a signal: whose?
                await look()
