"""The connections of a machine, shared by its programs: each has a `Slots` of its own over the same folder."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from flows.sending.slots import LOOK, ConnectionSlot, Slots


def taken(slots: Slots, number: int) -> list[ConnectionSlot]:
    found = [slots.take() for _ in range(number)]
    assert None not in found
    return [slot for slot in found if slot is not None]


def test_all_programs_together_have_no_more_than_there_are(tmp_path: Path) -> None:
    one, other = Slots(tmp_path / "new" / "folder", 3), Slots(tmp_path / "new" / "folder", 3)
    first, *_ = taken(one, 2)
    taken(other, 1)
    assert [one.take(), other.take()] == [None, None]
    first.release()
    first.release()
    assert other.take() is not None
    assert one.take() is None


@pytest.mark.parametrize(
    ("number", "held", "waits", "gives"),
    [
        (4, 1, "letters", True),
        (4, 1, "none", False),
        (4, 2, "none", True),
        (4, 2, "fewer", False),
        (4, 3, "fewer", True),
        (1, 1, "none", False),
        (2, 2, "none", True),
    ],
)
def test_one_is_given_up_to_letters_to_who_has_none_and_to_who_has_fewer(
    tmp_path: Path, number: int, held: int, waits: str, gives: bool
) -> None:
    mine, full = Slots(tmp_path, number), Slots(tmp_path, number)
    asking = Slots(tmp_path, number, letters=waits == "letters")
    taken(mine, held)
    if waits == "fewer":
        taken(asking, 1)
    taken(full, number - held - (waits == "fewer"))
    assert asking.take() is None
    assert mine.waited_for()
    assert mine.wanted() is gives
    asking.wait_no_more()
    assert not mine.waited_for()


def test_a_wish_is_heeded_once_and_looked_for_only_now_and_then(tmp_path: Path) -> None:
    mine, letters = Slots(tmp_path, 2), Slots(tmp_path, 2, letters=True)
    taken(mine, 2)
    assert not mine.wanted()
    assert letters.take() is None
    assert not mine.wanted()  # it has just looked
    time.sleep(LOOK)
    assert mine.yields()
    assert not mine.yields()
    assert letters.waited_for() is letters.wanted() is False


def test_who_would_have_to_give_it_up_at_once_takes_none(tmp_path: Path) -> None:
    mine, other, letters = Slots(tmp_path, 2), Slots(tmp_path, 2), Slots(tmp_path, 2, letters=True)
    (kept,) = taken(mine, 1)
    (freed,) = taken(other, 1)
    assert letters.take() is None
    freed.release()
    assert mine.take() is None
    assert other.take() is None
    assert letters.take() is not None
    kept.release()
    assert other.take() is not None


def test_letters_give_up_nothing_to_a_delivery(tmp_path: Path) -> None:
    letters, other = Slots(tmp_path, 2, letters=True), Slots(tmp_path, 2)
    taken(letters, 2)
    assert other.take() is None
    assert not letters.wanted()


def test_where_no_folder_can_be_this_process_has_the_machine_for_itself(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    slots = Slots(tmp_path / "file" / "folder", 2)
    first, _ = taken(slots, 2)
    assert slots.take() is None
    assert not slots.wanted()
    assert not slots.waited_for()
    first.release()
    assert slots.take() is not None
