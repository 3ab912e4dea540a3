"""How likely is it that the community picks a paper? For papers that nobody could vote on yet. Pure.

"Picked" means: somebody puts it on Hugging Face's Daily Papers, which happens to about one in twenty of those that
arXiv announces in the fields that they come from. The model (`forecast.weights`, numbers, single words and pairs of
words) was learnt from which ones were picked, by `train_forecast`. It sees how a paper is written and
what it is on, and how many wrote it; never who.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from flows.editions import linear
from flows.editions.linear import LinearModel
from flows.editions.words import MAX_LETTERS, is_filler, words

_FILE = "forecast.weights"
_TITLE = 500
"""Characters: no title is longer."""
_MOST_AUTHORS = 100
_MOST_WORDS = 400

# Hugging Face drops the marks of TeX and keeps its words, arXiv keeps both: neither may tell where a text is from.
_ADDRESS = re.compile(r"(?:https?://|www\.|github\.com|huggingface\.co)\S*")
_FORMULA = re.compile(r"\$[^$]{0,200}\$")
_TEX = frozenset(
    words(
        "alpha approx begin beta big bmod bullet cdot chi circ delta ell emph end epsilon equiv eta exp forall frac "
        "gamma geq hat href in infty int kappa lambda langle left leq lim ln log mathbb mathbf mathcal mathrm mathsf "
        "max min mid neq nu omega operatorname partial phi pi pm prime prod propto psi quad rangle rho rightarrow "
        "right sigma sim sqrt star sum sup tau text textbf textit textsc textsf texttt theta tilde times to top url "
        "varepsilon varphi vec xi zeta"
    )
)

_LINK = re.compile(r"https?://|github", re.IGNORECASE)
_CODE = re.compile(r"github", re.IGNORECASE)

TRAITS = (
    "authors", "few authors", "many authors", "colon", "name", "title", "short title", "abstract", "abstract squared",
    "link", "code", "question",
)  # fmt: skip
"""What is looked at beside words."""


@dataclass(frozen=True, slots=True)
class ForecastModel:
    """Logistic regression on words, pairs of words and traits. Its one "topic" is to be picked."""

    words: LinearModel
    traits: Mapping[str, float]

    def logit(self, title: str, abstract: str, authors: int, comment: str = "") -> float:
        """The logarithm of the odds."""
        (said,) = self.words.logits(self.words.values(terms(title, abstract)))
        return said + sum(
            value * self.traits[name]
            for name, value in zip(TRAITS, traits(title, abstract, authors, comment), strict=True)
        )


def forecast(title: str, abstract: str, authors: Sequence[str], comment: str = "") -> float:
    """How likely the community picks this paper, from 0 to 1. The same paper always gets the same answer.

    Of `authors` only the number counts. `comment` is what they say of it on arXiv ("Project page: …"): a link counts
    there as in the abstract. White space and TeX may be as arXiv or as Hugging Face gives them.
    """
    return probability(packaged().logit(title, abstract, len(authors), comment))


def probability(logit: float) -> float:
    """From the logarithm of odds, however great."""
    return 1 / (1 + math.exp(-max(-700.0, min(logit, 700.0))))


def terms(title: str, abstract: str) -> Counter[str]:
    """How often words, and pairs of neighbours joined by `_`, stand in title and abstract: of letters alone, without
    addresses, formulas and what they leave behind."""
    found: Counter[str] = Counter()
    for text in (title[:_TITLE], abstract[:MAX_LETTERS]):
        said = [word for word in words(_FORMULA.sub(" ", _ADDRESS.sub(" ", text))) if _tells(word)]
        found.update(said)
        found.update(f"{a}_{b}" for a, b in itertools.pairwise(said) if not (is_filler(a) and is_filler(b)))
    return found


def _tells(word: str) -> bool:
    return len(word) > 2 and word.isalpha() and word not in _TEX


def traits(title: str, abstract: str, authors: int, comment: str = "") -> tuple[float, ...]:
    """The values of TRAITS, none far above 10."""
    title, abstract, comment = title[:_TITLE], abstract[:MAX_LETTERS], comment[:MAX_LETTERS]
    name, colon, _ = title.partition(":")
    long, much = len(title.split()), min(len(abstract.split()), _MOST_WORDS) / 100
    both = f"{abstract}\n{comment}"
    return (
        math.log1p(min(authors, _MOST_AUTHORS)),
        float(authors <= 2),
        float(authors >= 15),
        float(bool(colon)),
        float(bool(colon) and len(name.split()) <= 2),
        min(long, 50) / 10,
        float(long <= 6),
        much,
        much * much,
        float(bool(_LINK.search(both))),
        float(bool(_CODE.search(both))),
        float("?" in title),
    )


def packed(bias: float, terms: Mapping[str, tuple[float, float]], traits: Mapping[str, float]) -> bytes:
    """A model as a file: a line of JSON for the traits, then the words as `flows.editions.linear` packs them.

    `terms` has for each one its rarity and its weight.
    """
    rarity = {term: idf for term, (idf, _) in terms.items()}
    rows = [[weight] for _, weight in terms.values()]
    weights = json.dumps({name: round(traits[name], 5) for name in TRAITS}).encode()
    return weights + b"\n" + linear.packed(("picked",), (bias,), rarity, rows)


def unpacked(data: bytes) -> ForecastModel:
    """The inverse of `packed`, but for the rounding."""
    head, rest = data.split(b"\n", 1)
    return ForecastModel(linear.unpacked(rest), json.loads(head))


@functools.cache
def packaged() -> ForecastModel:
    """The model that comes with the project: read once."""
    return unpacked((files(__package__) / _FILE).read_bytes())
