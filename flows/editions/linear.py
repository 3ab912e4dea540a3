"""A trained linear model of the words of papers: for each topic that it knows, how much they speak for it.

It holds numbers and single words only, no text. `flows.commands.learning.train_topics` makes it from labelled papers.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

_FILE = "topics.weights"
_IDF_STEPS = 20.0
"""A word's rarity is kept as a byte in twentieths: ln(N/n) of a word in 3 of 100,000 papers is 10.4."""
_LEAST_LENGTH = 25.0
"""Half the length of a usual abstract: a few words say less than many, instead of all by themselves."""


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Multinomial logistic regression on TF-IDF of single words, in steps of `scale`."""

    topics: tuple[str, ...]
    bias: tuple[float, ...]
    scale: float
    positions: Mapping[str, int]
    """Where each word stands in what follows."""
    rarity: bytes
    weights: memoryview
    """Signed bytes: for each word one weight for each topic."""

    def values(self, counts: Mapping[str, float]) -> dict[str, float]:
        """What each word that the model knows is worth in a paper: TF-IDF, of length 1 together unless they are few."""
        found = {
            word: (1 + math.log(count)) * self.rarity[self.positions[word]] / _IDF_STEPS
            for word, count in counts.items()
            if word in self.positions
        }
        length = max(_LEAST_LENGTH, math.hypot(*found.values()))
        return {word: value / length for word, value in found.items()}

    def logits(self, values: Mapping[str, float]) -> list[float]:
        """For each topic the logarithm of its probability, but for a constant."""
        sums = [0.0] * len(self.topics)
        for word, value in values.items():
            sums = [total + value * weight for total, weight in zip(sums, self._row(word), strict=True)]
        return [total * self.scale + bias for total, bias in zip(sums, self.bias, strict=True)]

    def contribution(self, word: str, value: float, topic: int) -> float:
        """How much more a word says for one topic than for all topics on average."""
        row = self._row(word)
        return self.scale * value * (row[topic] - sum(row) / len(row))

    def _row(self, word: str) -> memoryview:
        start = self.positions[word] * len(self.topics)
        return self.weights[start : start + len(self.topics)]


def packed(
    topics: Sequence[str], bias: Sequence[float], words: Mapping[str, float], rows: Sequence[Sequence[float]]
) -> bytes:
    """A model as a file: one line of JSON, one of words, then the words' rarities and weights as bytes."""
    scale = max((abs(weight) for row in rows for weight in row), default=0.0) / 127 or 1.0
    header = {"topics": list(topics), "bias": [round(each, 4) for each in bias], "scale": scale}
    rarity = bytes(min(255, round(idf * _IDF_STEPS)) for idf in words.values())
    weights = bytes(round(weight / scale) & 0xFF for row in rows for weight in row)
    return b"\n".join([json.dumps(header).encode(), " ".join(words).encode(), rarity + weights])


def unpacked(data: bytes) -> LinearModel:
    """The inverse of `packed`, but for the rounding."""
    head, listed, numbers = data.split(b"\n", 2)
    header = json.loads(head)
    words = listed.decode().split()
    return LinearModel(
        topics=tuple(header["topics"]),
        bias=tuple(header["bias"]),
        scale=header["scale"],
        positions={word: n for n, word in enumerate(words)},
        rarity=numbers[: len(words)],
        weights=memoryview(numbers)[len(words) :].cast("b"),
    )


NO_MODEL = LinearModel((), (), 1.0, {}, b"", memoryview(b"").cast("b"))
"""Knows no topic: terms, likeness and categories decide alone."""


@functools.cache
def packaged() -> LinearModel:
    """The model that comes with the project: read once."""
    return unpacked((files(__package__) / _FILE).read_bytes())
