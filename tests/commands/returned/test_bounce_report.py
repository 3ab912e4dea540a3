"""What an operator asks about bounces, and decides."""

from __future__ import annotations

from pathlib import Path

from flows.causes import Cause
from flows.commands.returned.bounce_report import decide, held
from flows.config.settings import load_settings
from flows.context import open_context
from subscribers.bounces import ReportedMail
from subscribers.ledger.whose_delivery import LETTER
from subscribers.people.store import Change
from tests.commands.calls import Run


def test_an_operator_asks_about_bounces(run: Run, home: Path) -> None:
    assert run("bounces", "held").out == "No bounce is held.\n"
    assert run("bounces", "suppress").out == "No bounce is held.\n"
    assert run("bounces", "free", "--domain", "one.example").out == "No bounce of one.example is held.\n"
    assert "hard bounces               0" in run("bounces", "rates").out
    assert run("bounces", "resume").out == "daily is not paused.\n"


async def test_what_is_held_is_told_by_domain_and_decided(home: Path) -> None:
    many = [f"r{n}@held.example" for n in range(12)]
    async with open_context(load_settings()) as context:
        changes = [Change(email=one, newsletter="daily", columns={}) for one in many]
        await context.subscribers.keep(changes, context.now())
        numbers = [one.id async for one in context.subscribers.walk()]
        told = [
            ReportedMail(
                subscription_id=n, edition_id=LETTER, sealed=True, cause=Cause.DEAD, words="<a@b.example>\x1b no"
            )
            for n in numbers
        ]
        await context.came_back.record(told, context.now())
    said: list[str] = []
    await held(said.append)
    assert said[0].startswith("held.example  12 readers  since ")
    assert said[0].endswith("<(address)>  no")
    assert "paperround bounces suppress" in said[1]
    assert await decide("HELD.example", suppress=True) == "12 readers are never mailed again."
    assert await decide("", suppress=False) == "No bounce is held."
