"""Whoever judges the crashes sees what they are to see."""

from __future__ import annotations

from random import Random

import pytest

from subscribers.model import DeliveryState
from tests.crashes.audit import SENT, Audit, Row
from tests.crashes.disk import Disk
from tests.crashes.trace import Made, Removed, Synced, Truncated, Written
from tests.sending.smtp import Taken

ADA = "ada@example.org"
EXPECTED = {ADA: SENT}


def row(state: DeliveryState) -> dict[str, Row]:
    return {ADA: Row(state, 1, "a lease")}


def taken(*identities: str) -> list[Taken]:
    return [
        Taken(sender="", recipient=ADA, message_id=identity, content=b"", at=0, encrypted=False)
        for identity in identities
    ]


def test_a_message_that_was_in_doubt_may_come_twice() -> None:
    audit = Audit(connections=1)
    audit.crashed(row(DeliveryState.SENDING), taken("1"))
    audit.ended(row(DeliveryState.SENT), taken("1", "1"), EXPECTED)
    assert (audit.broken, audit.doubles, audit.most) == ([], 1, 1)


@pytest.mark.parametrize(
    ("state", "identities", "words"),
    [
        (DeliveryState.PENDING, (), "is lost"),
        (DeliveryState.UNCERTAIN, ("1",), "is lost"),
        (DeliveryState.REJECTED, (), "should be sent"),
        (DeliveryState.SENT, (), "the server took 0"),
        (DeliveryState.REJECTED, ("1",), "the server took 1"),
        (DeliveryState.SENT, ("1", "1"), "only 0 of them were in doubt"),
        (DeliveryState.SENT, ("1", "2"), "2 different messages"),
    ],
)
def test_a_promise_that_is_broken_at_the_end_is_seen(
    state: DeliveryState, identities: tuple[str, ...], words: str
) -> None:
    audit = Audit(connections=1)
    audit.ended(row(state), taken(*identities), EXPECTED)
    assert any(words in broken for broken in audit.broken)


@pytest.mark.parametrize(
    ("state", "identities", "words"),
    [
        (DeliveryState.PENDING, ("1",), "the server has taken it"),
        (DeliveryState.DEFERRED, ("1",), "the server has taken it"),
        (DeliveryState.REJECTED, ("1",), "the server has taken it"),
        (DeliveryState.SENT, (), "the server has not taken it"),
        (DeliveryState.SENDING, (), "1 were under way on 0 connections"),
    ],
)
def test_a_promise_that_is_broken_at_a_crash_is_seen(
    state: DeliveryState, identities: tuple[str, ...], words: str
) -> None:
    audit = Audit(connections=0)
    audit.crashed(row(state), taken(*identities))
    assert any(words in broken for broken in audit.broken)


def test_a_message_that_was_refused_is_not_under_way_any_more() -> None:
    audit = Audit(connections=0, refused=[ADA])
    audit.crashed(row(DeliveryState.SENDING), [])
    assert (audit.broken, audit.most) == ([], 0)


def test_a_dead_address_that_is_not_suppressed_is_seen() -> None:
    audit = Audit(connections=1, dead=[ADA])
    audit.crashed(row(DeliveryState.REJECTED), [])
    assert any("would be mailed again" in broken for broken in audit.broken)


def test_a_reader_without_a_row_is_lost() -> None:
    audit = Audit(connections=1)
    audit.ended({}, [], EXPECTED)
    assert audit.lost == 1


FILE = "/home/file"


def test_what_was_not_synced_is_gone_when_the_power_fails() -> None:
    disk = Disk("/home", {FILE: b"old"})
    disk.does(Written(FILE, 0, b"new"))
    assert disk.now() == {FILE: b"new"}
    assert disk.after_power_loss() == {FILE: b"old"}
    disk.does(Synced(FILE, begun=1))
    assert disk.after_power_loss() == {FILE: b"new"}


def test_a_sync_that_began_before_a_write_was_over_does_not_cover_it() -> None:
    disk = Disk("/home", {FILE: b"old"})
    disk.does(Written(FILE, 0, b"new"))
    disk.does(Synced(FILE, begun=0))
    assert disk.after_power_loss() == {FILE: b"old"}


def test_a_new_file_is_there_when_its_folder_was_synced() -> None:
    disk = Disk("/home", {})
    disk.does(Made(FILE))
    disk.does(Written(FILE, 0, b"new"))
    disk.does(Synced(FILE, begun=2))
    assert disk.after_power_loss() == {}
    disk.does(Synced("/home", begun=3))
    assert disk.after_power_loss() == {FILE: b"new"}
    disk.does(Removed(FILE))
    assert disk.after_power_loss() == {FILE: b"new"}
    disk.does(Truncated(FILE, 0))
    assert disk.now() == {}


def test_of_what_was_not_synced_each_sector_is_kept_by_chance() -> None:
    disk = Disk("/home", {FILE: b"\0" * 5120})
    disk.does(Written(FILE, 120, b"\1" * 5000))
    image = disk.after_power_loss(Random(1))[FILE]
    assert {len(set(image[start : start + 512])) for start in range(512, 5120, 512)} == {1}
    assert set(image) == {0, 1}
