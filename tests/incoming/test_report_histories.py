"""Random histories of deliveries, reports, freeings and sign-ups again keep what is promised."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flows.storage.database import connect, migrate
from subscribers.bounces import BounceKind
from subscribers.model import Suppressed
from subscribers.people.store import Change
from tests.incoming.scene import DAY, FULL, Scene, complaint, report, scene_of

READERS = ("ada@one.example", "ben@two.example", "cleo@two.example")

readers = st.sampled_from(READERS)
back = st.integers(0, 7)
"""How many editions ago the mail was sent that a report is about."""
steps = st.one_of(
    st.tuples(st.just("send"), readers, back),
    st.tuples(st.sampled_from(["soft", "soft", "hard", "refused", "complaint"]), readers, back),
    st.tuples(st.sampled_from(["free", "again", "bring back"]), readers, back),
)


class Told:
    """What should be true of one reader, kept by hand."""

    def __init__(self) -> None:
        self.mails: dict[int, BounceKind | None] = {}
        """Since the last freeing: each edition that was sent, with what came back of it."""
        self.heard: dict[tuple[int, bool], BounceKind] = {}
        """All that ever came back, by edition and whether it was a complaint."""
        self.suppressed: Suppressed | None = None

    def soft_row(self) -> int:
        order = sorted(self.mails)
        while order and self.mails[order[-1]] is not BounceKind.SOFT:
            order.pop()
        row = 0
        for number in reversed(order):
            if self.mails[number] is None:
                break
            row += self.mails[number] is BounceKind.SOFT
        return row

    def hear(self, number: int, kind: BounceKind) -> None:
        is_complaint = kind is BounceKind.COMPLAINT
        before = self.heard.get((number, is_complaint))
        order = [None, BounceKind.REFUSED, BounceKind.SOFT, BounceKind.HARD]
        if before is not None and (is_complaint or order.index(before) >= order.index(kind)):
            return
        self.heard[number, is_complaint] = kind
        if is_complaint:
            self.suppressed = Suppressed.COMPLAINT
        elif number in self.mails:
            self.mails[number] = kind
            if kind is BounceKind.HARD:
                self.suppressed = self.suppressed or Suppressed.HARD_BOUNCE
            elif kind is BounceKind.SOFT and self.soft_row() >= 5:
                self.suppressed = self.suppressed or Suppressed.SOFT_BOUNCES

    def free(self) -> None:
        self.mails.clear()
        self.suppressed = None


async def live(history: list[tuple[str, str, int]], folder: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{folder / 'test.db'}")
    await migrate(database)
    try:
        scene = scene_of(database, folder)
        await scene.subscribe(*READERS)
        told = {one: Told() for one in READERS}
        for what, who, ago in history:
            await step(scene, told, what, who, ago)
            await check(scene, told)
    finally:
        await database.close()


async def step(scene: Scene, told: dict[str, Told], what: str, who: str, ago: int) -> None:
    scene.now += DAY / 24
    if what == "send":
        scene.now += DAY
        due = [one for one in READERS if told[one].suppressed is None]
        number = await scene.send(*due) if due else None
        for one in due:
            assert number is not None
            told[one].mails[number] = None
        return
    if what == "free":
        await scene.context.subscribers.lift(who, scene.now)
        told[who].free()
        return
    if what in ("again", "bring back"):
        change = Change(email=who, newsletter="daily", columns={"state": "confirmed"})
        await scene.context.subscribers.keep([change], scene.now, resubscribe=what == "bring back")
        return
    if len(scene.sent) <= ago:
        return
    number = scene.sent[-1 - ago]
    to = scene.token_of(number, who)
    match what:
        case "soft":
            scene.put(report(to, who, **FULL))
        case "hard":
            scene.put(report(to, who))
        case "refused":
            scene.put(report(to, who, diagnostic="smtp; 550 5.7.1 no", status="5.7.1"))
        case "complaint":
            scene.put(complaint(headers=f"Return-Path: <{to}>\n"))
    was_sent = number in told[who].mails or (number, False) in told[who].heard or await scene.was_sent(number, who)
    await scene.read()
    if what == "complaint" and not was_sent:
        number = 0  # proof in hand, about a mail that nobody knows
    if was_sent or what == "complaint":
        told[who].hear(number, BounceKind(what))


async def check(scene: Scene, told: dict[str, Told]) -> None:
    assert await scene.suppressed() == {one: its.suppressed for one, its in told.items() if its.suppressed}
    rows = await scene.rows()
    assert len(rows) == sum(len(its.heard) for its in told.values())
    kept = {(row.edition_id, row.subscription_id, row.about == "complaint"): row.kind for row in rows}
    for one, its in told.items():
        for (number, is_complaint), kind in its.heard.items():
            assert kept[number, scene.readers[one], is_complaint] == kind


ADA = READERS[0]


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@example(
    [*[("send", ADA, 0), ("soft", ADA, 0)] * 5, ("free", ADA, 0), ("soft", ADA, 2), ("send", ADA, 0), ("hard", ADA, 0)]
)
@example([*[("send", ADA, 0)] * 6, *[("soft", ADA, ago) for ago in (0, 1, 2, 4, 5, 3)], ("again", ADA, 0)])
@example([("send", ADA, 0), ("complaint", ADA, 0), ("bring back", ADA, 0), ("free", ADA, 0), ("complaint", ADA, 0)])
@given(st.lists(steps, max_size=25))
def test_any_history_keeps_what_is_promised(history: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(history, Path(folder)))
