"""The trained model of gists: how much each feature speaks for a draft, or for a word to be in a summary.

It holds numbers by the names of features, single words among them, and no text. `train_gist` makes it.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

_FILE = "gist.weights"
_SCALE = 1000


@dataclass(frozen=True, slots=True)
class GistModel:
    """How much each feature speaks for a gist, or for a word to be in a summary."""

    weights: Mapping[str, float]
    roles: Mapping[str, tuple[float, float, float]]
    """The same for the features of a sentence: alone, as the first of two, as the second."""

    def parts(self, features: Iterable[tuple[str, float]]) -> tuple[float, float, float]:
        """The scores of a sentence: alone, as the first of two, as the second."""
        alone = first = second = 0.0
        roles = self.roles
        for name, value in features:
            if name in roles:
                each = roles[name]
                alone += each[0] * value
                first += each[1] * value
                second += each[2] * value
        return alone, first, second

    def score(self, features: Iterable[tuple[str, float]]) -> float:
        weights = self.weights
        return sum(weights[name] * value for name, value in features if name in weights)


def packed(weights: Mapping[str, float]) -> bytes:
    """A model as a file: a line of JSON for each feature, in thousandths; what rounds to nothing is left out."""
    rounded = {name: round(weight * _SCALE) for name, weight in sorted(weights.items())}
    return json.dumps({name: weight for name, weight in rounded.items() if weight}, indent=0).encode()


def unpacked(data: bytes) -> GistModel:
    """The inverse of `packed`, but for the rounding."""
    return modelled({name: weight / _SCALE for name, weight in json.loads(data).items()})


def modelled(weights: Mapping[str, float]) -> GistModel:
    """The model of these weights."""
    names = {name.partition("|")[2] if name[:2] in ("1|", "2|") else name for name in weights}
    roles = {}
    for name in names:
        own = weights.get(name, 0.0)
        roles[name] = (own, own / 2 + weights.get("1|" + name, 0.0), own / 2 + weights.get("2|" + name, 0.0))
    return GistModel(weights, roles)


@functools.cache
def packaged() -> GistModel:
    """The model that comes with the project: read once."""
    return unpacked((files(__package__) / _FILE).read_bytes())


def likely(logit: float) -> float:
    """The probability of a logit."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
