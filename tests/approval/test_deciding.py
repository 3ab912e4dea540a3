"""What follows from an operator's word, or from none, with a real mail server and both databases."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from flows import pipeline
from flows.approval.asking import ask
from flows.approval.deciding import answer, due
from flows.editions.decisions import Decisions, EditionDecision, decisions
from flows.editions.model import Edition, Kind, NoEdition
from flows.outcomes import Problem
from flows.storage.database import Database
from flows.storage.editions import Frozen
from tests.approval.scene import KEY, OPERATOR, Scene, made, silent
from tests.factories import DAY
from tests.sending.smtp import mail_server

NONE = Decisions()


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        yield await made(database, tmp_path, server)


def as_veto(scene: Scene) -> Scene:
    scene.newsletter = replace(scene.newsletter, approval="veto")
    return scene


async def test_nothing_leaves_before_it_is_allowed_whoever_asks(scene: Scene) -> None:
    found = await pipeline.freeze(*scene.asked)
    assert isinstance(found, NoEdition)
    assert "waits for its approval; `paperround approve --newsletter sample --date 2026-06-09 --send`" in found.reason
    await ask(*scene.asked, silent, run="one")
    found = await pipeline.freeze(*scene.asked)
    assert isinstance(found, NoEdition)
    assert "until 2026-06-09 14:00 UTC" in found.reason
    assert not [taken for taken in scene.server.taken if taken.recipient != OPERATOR]


async def test_readers_get_it_as_it_was_decided(scene: Scene) -> None:
    before = await scene.draft()
    dropped, lead = [entry.paper for entry in before.entries][3:5]
    words = decisions("Read this", "An editor's note.", [dropped.id], lead.id)
    assert await answer(*scene.asked, EditionDecision.SEND, words) == "The daily edition of 2026-06-09 is allowed."
    frozen = await pipeline.freeze(*scene.asked)
    assert isinstance(frozen, Frozen)
    await scene.deliver(frozen)
    for n in range(5):
        (mail,) = scene.to(f"reader-{n}@example.org")
        assert b"Subject: Read this\r\n" in mail
        assert b"An editor's note." in mail
        assert dropped.url.encode() not in mail
        assert lead.url.encode() in mail
    again = await answer(*scene.asked, EditionDecision.HOLD, NONE)
    assert again.startswith("Too late: ")
    assert await pipeline.freeze(*scene.asked) == frozen


async def test_a_hold_stays_and_keeps_the_words_until_it_is_allowed(scene: Scene) -> None:
    await ask(*scene.asked, silent, run="one")
    await answer(*scene.asked, EditionDecision.HOLD, decisions(note="Not lost."))
    scene.clock.forward(hours=30)
    assert await due(scene.context, scene.newsletter, silent) == []
    await answer(*scene.asked, EditionDecision.HOLD, NONE)
    found = await pipeline.freeze(*scene.asked)
    assert isinstance(found, NoEdition)
    assert "held by its operator" in found.reason
    known = await scene.context.approvals.find(*KEY)
    assert known is not None
    assert known.decisions.note == "Not lost."


async def test_a_skipped_day_says_so_and_can_be_brought_back(scene: Scene) -> None:
    await answer(*scene.asked, EditionDecision.SKIP, NONE, reason="a public holiday")
    for _ in range(2):  # also when its run is started again
        kept = await scene.context.store.find(*KEY)
        assert isinstance(kept, NoEdition)
        assert kept.public == "The editors decided to send none: a public holiday."
        assert isinstance(await pipeline.freeze(*scene.asked), NoEdition)
        await pipeline.draft(*scene.asked)
    await answer(*scene.asked, EditionDecision.SEND, NONE)
    assert isinstance(await pipeline.freeze(*scene.asked), Frozen)


async def test_a_paper_that_is_not_in_the_edition_is_refused_and_nothing_is_decided(scene: Scene) -> None:
    with pytest.raises(Problem, match=r"2606\.99999 is no paper of the daily edition of 2026-06-09"):
        await answer(*scene.asked, EditionDecision.SEND, decisions(drop=["2606.99999"]))
    assert await scene.context.approvals.find(*KEY) is None


async def test_on_a_day_that_was_edited_twice_what_is_dropped_already_may_be_named_again(scene: Scene) -> None:
    (first, *_) = [entry.paper.id for entry in (await scene.draft()).entries]
    for _ in range(2):
        await answer(*scene.asked, EditionDecision.SEND, decisions(drop=[first]))
    frozen = await pipeline.freeze(*scene.asked)
    assert isinstance(frozen, Frozen)
    assert first not in [entry.paper.id for entry in frozen.edition.entries]


@pytest.mark.parametrize(("otherwise", "becomes"), [("hold", NoEdition), ("send", Frozen), ("skip", NoEdition)])
async def test_at_the_deadline_happens_what_the_newsletter_says(
    scene: Scene, otherwise: str, becomes: type[Frozen | NoEdition]
) -> None:
    scene.newsletter = replace(scene.newsletter, approval_otherwise=otherwise)
    await ask(*scene.asked, silent, run="one")
    scene.clock.forward(hours=1.9)
    assert await due(scene.context, scene.newsletter, silent) == []
    scene.clock.forward(hours=0.2)
    told: list[str] = []
    ((known, found),) = await due(scene.context, scene.newsletter, told.append)
    assert (known.run, type(found)) == ("one", becomes)
    assert told[0].startswith(
        "The deadline of the daily edition of 2026-06-09 was 2026-06-09 14:00 UTC, and nobody dec"
    )
    assert isinstance(await scene.context.store.find(*KEY), NoEdition) is (otherwise == "skip")


async def test_with_a_veto_it_goes_at_the_deadline_unless_it_is_held_or_its_run_cancelled(scene: Scene) -> None:
    async def cancelled(run: str) -> bool:
        return run == "cancelled"

    as_veto(scene)
    await ask(*scene.asked, silent, run="cancelled")
    scene.clock.forward(hours=3)
    ((_, found),) = await due(scene.context, scene.newsletter, silent, cancelled)
    assert isinstance(found, NoEdition)
    assert "its run was cancelled" in found.reason
    await ask(*scene.asked, silent, run="another")
    await answer(*scene.asked, EditionDecision.HOLD, NONE)
    scene.clock.forward(hours=3)
    assert await due(scene.context, scene.newsletter, silent, cancelled) == []
    await ask(*scene.asked, silent, run="a third")
    scene.clock.forward(hours=3)
    ((_, found),) = await due(scene.context, scene.newsletter, silent, cancelled)
    assert isinstance(found, Frozen)


async def test_the_next_editions_do_not_show_what_was_dropped(scene: Scene) -> None:
    (first, *_) = [entry.paper.id for entry in (await scene.draft()).entries]
    await answer(*scene.asked, EditionDecision.SEND, decisions(drop=[first]))
    await pipeline.freeze(*scene.asked)
    tomorrow = DAY + dt.timedelta(days=1)
    await pipeline.collect(scene.context, scene.newsletter, Kind.DAILY, tomorrow, silent)
    found = await pipeline.compose(scene.context, scene.newsletter, Kind.DAILY, tomorrow)
    assert not isinstance(found, Edition) or first not in [entry.paper.id for entry in found.entries]
