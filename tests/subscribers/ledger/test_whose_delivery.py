"""Which delivery a report is about, and how far it is believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.storage.database import Database
from subscribers.bounces import BounceKind
from subscribers.model import SubscriptionState, Suppressed
from tests.incoming.scene import Scene, complaint, report, scene_of

ADA, BEN = "ada@reader.example", "ben@reader.example"


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> Scene:
    made = scene_of(database, tmp_path)
    await made.subscribe(ADA, BEN)
    return made


async def test_our_message_id_counts_with_the_address_and_is_soft_without(scene: Scene) -> None:
    await scene.send()
    scene.put(report(address=ADA, headers=f"Message-ID: <{scene.message_id(ADA)}>\n"))
    scene.put(report(address="other@x.example", headers=f"Message-ID: <{scene.message_id(BEN)}>\n"))
    done = await scene.read()
    assert done.kinds == {BounceKind.HARD: 1, BounceKind.SOFT: 1}
    assert await scene.suppressed() == {ADA: Suppressed.HARD_BOUNCE}


async def test_the_readers_own_link_in_the_returned_mail_is_proof(scene: Scene) -> None:
    await scene.send()
    link = f"List-Unsubscribe: <https://papers.example.org/unsubscribe/{scene.unsubscribe_token(ADA)}>\n"
    scene.put(report(address="somebody@x.example", headers=link))
    assert (await scene.read()).kinds == {BounceKind.HARD: 1}
    assert await scene.suppressed() == {ADA: Suppressed.HARD_BOUNCE}


async def test_a_complaint_is_heard_by_the_link_in_the_mail_when_the_recipient_is_taken_away(scene: Scene) -> None:
    await scene.send()
    link = f"List-Unsubscribe: <https://x.example/unsubscribe/{scene.unsubscribe_token(BEN)}>\n"
    scene.put(complaint(address="redacted@provider.example", headers=link))
    assert (await scene.read()).kinds == {BounceKind.COMPLAINT: 1}
    assert await scene.suppressed() == {BEN: Suppressed.COMPLAINT}


async def test_a_complaint_without_proof_is_soft_and_an_opt_out_with_it_unsubscribes(scene: Scene) -> None:
    await scene.send()
    scene.put(complaint(address=ADA))
    link = f"List-Unsubscribe: <https://x.example/unsubscribe/{scene.unsubscribe_token(BEN)}>\n"
    scene.put(complaint(headers=link, kind="opt-out"))
    scene.put(complaint(address=ADA, kind="opt-out"), "forged")
    done = await scene.read()
    assert (done.kinds, done.unsubscribed) == ({BounceKind.SOFT: 1}, 1)
    assert await scene.suppressed() == {}
    assert (await scene.reader(BEN)).state is SubscriptionState.UNSUBSCRIBED
    assert (await scene.reader(ADA)).state is SubscriptionState.CONFIRMED
    assert scene.left() == ["forged:2,"]
