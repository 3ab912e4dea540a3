"""A correction reaches exactly those who got the edition, with a real mail server and both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from flows import pipeline
from flows.approval.put_right import correct
from flows.delivery.run import deliver_due
from flows.editions.decisions import decisions
from flows.outcomes import Problem
from flows.papers.model import PaperId
from flows.storage.database import Database
from flows.storage.editions import Frozen
from subscribers.model import DeliveryState
from subscribers.people.store import Change, Subscribers
from tests.approval.scene import Scene, made, silent
from tests.factories import HASHING_KEY
from tests.sending.smtp import mail_server

EVERYBODY = [f"reader-{n}@example.org" for n in range(5)]
WORDS = decisions(note="The link to <the code> was wrong: https://example.org/right")


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        found = await made(database, tmp_path, server, approval="")
        yield found


async def half_delivered(scene: Scene) -> Frozen:
    """Two of five readers have got it; the others are put off."""
    scene.server.refuses = lambda address: "451 4.2.1 later" if address in EVERYBODY[2:] else ""
    frozen = await pipeline.freeze(*scene.asked)
    assert isinstance(frozen, Frozen)
    await scene.deliver(frozen)
    assert [len(scene.to(one)) for one in EVERYBODY] == [1, 1, 0, 0, 0]
    scene.server.refuses = lambda address: ""
    return frozen


async def test_words_go_to_those_who_got_it_once_and_to_the_others_after_they_did(scene: Scene) -> None:
    frozen = await half_delivered(scene)
    for _ in range(2):
        told: list[str] = []
        await correct(*scene.asked, WORDS, told.append)
        assert told[-1].startswith("3 are still to get the edition itself: start the correction again")
    assert [len(scene.to(one)) for one in EVERYBODY] == [2, 2, 0, 0, 0]
    mail = scene.to(EVERYBODY[0])[1]
    assert b"Subject: Correction: Paperround sample, 9 June\r\n" in mail
    assert b"&lt;the code&gt;" in mail
    assert b'href="https://example.org/right"' in mail
    assert b"List-Unsubscribe: <" in mail
    scene.clock.forward(minutes=5)
    await scene.deliver(frozen)
    await correct(*scene.asked, WORDS, silent)
    assert [len(scene.to(one)) for one in EVERYBODY] == [2, 2, 2, 2, 2]
    assert len({taken.message_id for taken in scene.server.taken}) == 10


async def test_a_corrected_edition_goes_instead_to_those_who_have_not_got_it(scene: Scene) -> None:
    frozen = await half_delivered(scene)
    dropped = next(frozen.edition.entries).paper
    words = decisions(note="One paper was withdrawn.", drop=[dropped.id])
    await correct(*scene.asked, words, silent, whole=True)
    assert [len(scene.to(one)) for one in EVERYBODY] == [2, 2, 1, 1, 1]
    for one in EVERYBODY:
        mail = scene.to(one)[-1]
        assert b"Subject: Correction:\r\n" in mail
        assert b"One paper was withdrawn." in mail
        assert dropped.url.encode() not in mail
    # nobody gets the wrong one any more, new readers neither
    late = Change(email="late@example.org", newsletter="sample", columns={})
    await Subscribers(scene.context.database, HASHING_KEY).keep([late], scene.clock())
    scene.clock.forward(hours=3)
    await scene.deliver(frozen)
    await deliver_due(scene.context, "sample", silent)
    assert [len(scene.to(one)) for one in (*EVERYBODY, "late@example.org")] == [2, 2, 1, 1, 1, 0]
    counts = await scene.context.ledger.counts(frozen.id)
    assert counts == {DeliveryState.SENT: 2, DeliveryState.SKIPPED: 3}


async def test_a_correction_that_was_stopped_goes_on_with_what_is_due(scene: Scene) -> None:
    frozen = await pipeline.freeze(*scene.asked)
    assert isinstance(frozen, Frozen)
    await scene.deliver(frozen)
    stop = asyncio.Event()
    stop.set()
    await correct(*scene.asked, WORDS, silent, stop=stop)
    await deliver_due(scene.context, "sample", silent)
    await correct(*scene.asked, WORDS, silent)
    assert [len(scene.to(one)) for one in EVERYBODY] == [2] * 5


async def test_a_correction_that_was_held_goes_on_by_the_same_words_and_not_by_itself(scene: Scene) -> None:
    frozen = await pipeline.freeze(*scene.asked)
    assert isinstance(frozen, Frozen)
    await scene.deliver(frozen)
    stop = asyncio.Event()
    stop.set()
    await correct(*scene.asked, WORDS, silent, stop=stop)
    edition = frozen.edition
    correction = await scene.context.store.correction(edition.newsletter, edition.kind, edition.day)
    assert correction is not None
    await scene.context.store.hold(correction.id, scene.clock(), "its run was cancelled")
    (held,) = await deliver_due(scene.context, "sample", silent)
    assert "(its run was cancelled): *Resume* the run, or start `correct` again with the same words" in held.sentence
    assert [len(scene.to(one)) for one in EVERYBODY] == [1] * 5
    await correct(*scene.asked, WORDS, silent)
    assert [len(scene.to(one)) for one in EVERYBODY] == [2] * 5


async def test_an_edition_is_corrected_once_and_only_if_it_was_sent(scene: Scene) -> None:
    with pytest.raises(Problem, match="there is nothing to correct"):
        await correct(*scene.asked, WORDS, silent)
    await half_delivered(scene)
    with pytest.raises(Problem, match="Say what was wrong"):
        await correct(*scene.asked, decisions(), silent)
    with pytest.raises(Problem, match="ask for the whole edition"):
        await correct(*scene.asked, replace(WORDS, dropped=(next(iter(await ids(scene))),)), silent)
    await correct(*scene.asked, WORDS, silent)
    with pytest.raises(Problem, match="was corrected already, in other words"):
        await correct(*scene.asked, decisions(note="Something else"), silent)


async def ids(scene: Scene) -> list[PaperId]:
    found = await pipeline.freeze(*scene.asked)
    assert isinstance(found, Frozen)
    return [entry.paper.id for entry in found.edition.entries]
