"""Which texts are alike, and which groups that makes."""

from __future__ import annotations

from collections import Counter

from flows.editions.alike.linkage import groups, spread, vector


def test_groups_join_the_likest_first_and_only_what_is_alike_on_average() -> None:
    texts = [Counter(text.split()) for text in ("a b c", "a b c d", "b c d", "x y", "x y z", "q", "a x")]
    known = spread(texts)
    vectors = [vector(text, known, len(texts)) for text in texts]
    (first, likeness), (second, less) = groups(vectors, least=0.3, common=1.0)
    assert (first, second) == (0b111, 0b1011000)
    assert 1 > likeness > less >= 0.3
    assert groups(vectors, least=0.99, common=1.0) == []


def test_a_term_that_everybody_has_makes_nobody_alike() -> None:
    texts = [Counter({"same": 1, f"own {n}": 1}) for n in range(5)] + [Counter({"other": 1})]
    vectors = [vector(text, spread(texts), len(texts)) for text in texts]
    assert groups(vectors, least=0.0001, common=0.5) == []
    assert [group for group, _ in groups(vectors, least=0.0001, common=1.0)][-1] == 0b11111
