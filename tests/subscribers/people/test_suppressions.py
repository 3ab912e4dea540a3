"""Who is never mailed: domains that the operator blocks, the lists of other senders, and ours for them."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pytest

from flows.storage.database import Database
from subscribers.model import Suppressed
from subscribers.people.rows import BLOCKED
from subscribers.people.signups import SignUp
from subscribers.people.suppression_file import read_line, written
from tests.incoming.scene import Scene, scene_of

ADA, BEN, CLEO = "ada@one.example", "ben@one.example", "cleo@sub.two.example"


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> Scene:
    made = scene_of(database, tmp_path)
    await made.subscribe(ADA, BEN, CLEO)
    return made


async def sign_up(scene: Scene, email: str) -> bool:
    wish = SignUp(email=email, newsletter="daily", consent_version="1", consent_network="")
    await scene.context.subscribers.sign_up(wish, scene.now)
    return await scene.context.subscribers.by_address(email, "daily") is not None


async def test_a_blocked_domain_is_neither_mailed_nor_taken_and_comes_back(scene: Scene) -> None:
    store = scene.context.subscribers
    await store.suppress(BEN, Suppressed.COMPLAINT, scene.now)
    assert await store.rule("one.example", BLOCKED, scene.now) == 1
    assert await store.rule("two.example", BLOCKED, scene.now) == 1
    assert await scene.suppressed() == {
        ADA: Suppressed.BLOCKED, BEN: Suppressed.COMPLAINT, CLEO: Suppressed.BLOCKED,
    }  # fmt: skip
    assert not await sign_up(scene, "eve@deep.one.example")
    assert await sign_up(scene, "eve@none.example")
    with pytest.raises(AssertionError):
        await scene.subscribe("dov@one.example")
    await store.lift(ADA, scene.now)
    assert (await scene.suppressed())[ADA] == Suppressed.BLOCKED
    assert await store.rule("one.example", "", scene.now) == 1
    assert await scene.suppressed() == {BEN: Suppressed.COMPLAINT, CLEO: Suppressed.BLOCKED}
    assert await store.rules() == [("two.example", BLOCKED)]


async def test_another_senders_hashes_stop_whom_we_mail_and_who_would_sign_up(scene: Scene) -> None:
    store, key = scene.context.subscribers, scene.context.settings.hashing_key
    sha256 = hashlib.sha256(ADA.encode()).hexdigest()
    md5 = hashlib.md5(b"eve@none.example", usedforsecurity=False).hexdigest()
    lines = [{"sha256": sha256.upper()}, {"md5": md5}, {"email": "Dov@None.example", "reason": "complaint"}]
    kept = dict(read_line(line, key) for line in lines)
    assert await store.adopt(kept, scene.now) == 3
    assert await store.adopt(kept, scene.now) == 0
    assert await store.apply() == 1
    assert await scene.suppressed() == {ADA: Suppressed.OPERATOR}
    assert not await sign_up(scene, "eve@none.example")
    assert not await sign_up(scene, "dov@none.example")
    out = [written(one.address, one.key, one.reason, one.at, hashed=True) async for one in store.suppressions()]
    assert {read_line({"key": line[2]}, key)[0] for line in out} == set(kept)
    assert await store.lift(ADA, scene.now)
    assert await scene.suppressed() == {}


async def test_our_list_goes_out_and_comes_in_to_the_same(scene: Scene, database: Database) -> None:
    store, key = scene.context.subscribers, scene.context.settings.hashing_key
    await store.suppress(ADA, Suppressed.COMPLAINT, scene.now)
    await store.suppress("gone@none.example", Suppressed.HARD_BOUNCE, scene.now)
    for hashed in (False, True):
        lines = [written(one.address, one.key, one.reason, one.at, hashed=hashed) async for one in store.suppressions()]
        out = io.StringIO()
        csv.writer(out).writerows([("email", "sha256", "key", "reason", "at"), *lines])
        assert (ADA in out.getvalue()) is not hashed
        read = [read_line(line, key) for line in csv.DictReader(io.StringIO(out.getvalue()))]
        assert sorted(reason for _, reason in read) == [Suppressed.COMPLAINT, Suppressed.HARD_BOUNCE]
        assert await store.adopt({key: reason for key, reason in read if key == lines[1][2]}, scene.now) == 0
    assert lines[0][1] == hashlib.sha256(ADA.encode()).hexdigest()
