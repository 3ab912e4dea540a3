"""A key of a cache is the very object, not one that is equal to it."""

from __future__ import annotations

from flows.editions.same import Same


def test_only_the_very_same_object_is_found_again() -> None:
    one, equal = [1, 2], [1, 2]
    kept = {Same(one): "one"}
    assert kept[Same(one)] == "one"
    assert Same(equal) not in kept
    assert Same(one) != Same(equal)
    assert Same(one) != one
