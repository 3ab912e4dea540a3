"""Which topic is a paper about? Weighted terms, likeness to our own text on each topic, arXiv categories."""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flows.editions.model import OTHER, Classified, Topic
from flows.papers.model import Paper

TITLE = 3.0
"""A term in the title counts as much as three in the abstract."""
LIKENESS = 0.8
"""How much the likeness to a topic's text counts beside its terms, each scaled by its best topic."""
PRIOR = 0.2
"""What one point of a category's weight adds to that."""
CROSS_LIST = 1 / 3
"""A category that a paper is only cross-listed in says a third of what its primary one says."""
NEARLY = 0.7
"""A second topic is named from this share of the best score on: half of those are right, so one at most."""
ENOUGH = 4.0
"""Less than one strong term, and no category: nothing decides."""
LEAST_TERMS, LEAST_LIKENESS = 9.0, 0.3
"""A fifth of what the best topic usually has: a best below that is weak evidence and stays weak when scaled."""
REASONS = 4
MAX_LETTERS = 10_000
"""The longest abstracts have a third of that: what follows is hostile or noise."""
GRAMS = 3

_TEX_COMMAND = re.compile(r"\\[a-zA-Z]+\*?")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_POINTER = re.compile(
    r"https?://|\b(?:code|data|datasets?|models?|project page|demo)\b.{0,80}\bavailable\b", re.IGNORECASE
)
_POSSESSIVE = re.compile(r"['’]s\b")
_WORD = re.compile(r"[a-z0-9]+")
_FILLER = """
a an and are as at be been but by can do does for from has have how if in into is it its more most no not of on or our
over such than that the their them then there these they this those through to under up upon us via was we were what
when where which while who will with without you your also both each between however only often well within across
propose proposed paper present show shown demonstrate introduce method approach result study work recent existing new
novel use used using based performance improve improved achieve experiment extensive state art further first two one
different various many several provide enable
"""


@functools.lru_cache(maxsize=50_000)
def _base(word: str) -> str:
    """The word without its plural and in American spelling, so that a term need be written once."""
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        if word.endswith("ies") and len(word) > 4:
            word = word[:-3] + "y"
        elif word.endswith(("sses", "xes", "ches", "shes")):
            word = word[:-2]
        else:
            word = word[:-1]
    if len(word) > 6:
        word = word.replace("isation", "ization").replace("lling", "ling").replace("lled", "led")
        if word.endswith(("ised", "ising")):
            word = word.replace("ised", "ized").replace("ising", "izing")
    return word.replace("our", "or") if len(word) > 5 else word


_STOP = frozenset(map(_base, _FILLER.split()))


def words(text: str) -> list[str]:
    """The words of a text without case, hyphens, plurals, accents and TeX commands."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = _POSSESSIVE.sub("", _TEX_COMMAND.sub(" ", text)).lower()
    return [_base(word) for word in _WORD.findall(text)]


def _without_pointers(abstract: str) -> str:
    """The abstract without the sentences that only say where code, data or a demonstration is."""
    return " ".join(
        sentence for sentence in _SENTENCE_END.split(abstract[:MAX_LETTERS]) if not _POINTER.search(sentence)
    )


def _grams(tokens: Sequence[str]) -> Iterable[str]:
    """Every run of one to three words that neither begins nor ends with a word of no meaning."""
    for at, first in enumerate(tokens):
        if first in _STOP:
            continue
        yield first
        run = first
        for word in tokens[at + 1 : at + GRAMS]:
            run = f"{run} {word}"
            if word not in _STOP:
                yield run


@dataclass(frozen=True, slots=True)
class _Term:
    """A phrase as its topics spell it, and what it says for each of them (by the topic's position)."""

    spelling: str
    weights: tuple[tuple[int, float], ...]


class Classifier:
    """Gives each paper its topic. The same paper and topics give the same answer; nothing else matters."""

    def __init__(self, topics: Iterable[Topic]) -> None:
        self._topics = tuple(topic for topic in topics if topic.slug != OTHER)
        self._terms = _united(self._topics)
        self._longest = self._lengths()
        self._postings = _postings(self._topics)

    def _lengths(self) -> dict[str, tuple[int, ...]]:
        """For each first word, how long the phrases are that begin with it: the longest first."""
        found: defaultdict[str, set[int]] = defaultdict(set)
        for phrase in self._terms:
            split = phrase.split()
            found[split[0]].add(len(split))
        return {word: tuple(sorted(lengths, reverse=True)) for word, lengths in found.items()}

    def classify(self, paper: Paper) -> Classified:
        """The topic, a second one that nearly won, and the reasons, the strongest first."""
        said = self._said(paper)
        totals = self._totals(said)
        ranked = sorted(range(len(totals)), key=lambda n: -totals[n])
        if not ranked or not said.decides:
            return Classified(topic=OTHER, because=("no term or category decides",))
        best = ranked[0]
        second = ""
        if len(ranked) > 1 and totals[ranked[1]] >= NEARLY * totals[best]:
            second = self._topics[ranked[1]].slug
        return Classified(
            topic=self._topics[best].slug,
            second=second,
            score=round(totals[best], 4),
            because=said.reasons(best),
        )

    def scores(self, paper: Paper) -> dict[str, float]:
        """What every topic scores, the best first: for an explanation."""
        totals = self._totals(self._said(paper))
        ranked = sorted(range(len(totals)), key=lambda n: -totals[n])
        return {self._topics[n].slug: round(totals[n], 4) for n in ranked}

    def _said(self, paper: Paper) -> _Said:
        """What title, abstract and categories say. The keywords of Hugging Face were found to mislead."""
        size = len(self._topics)
        said = _Said([0.0] * size, [0.0] * size, [0.0] * size, defaultdict(list))
        title, abstract = words(paper.title[:MAX_LETTERS]), words(_without_pointers(paper.abstract))
        self._count_terms(title, abstract, said)
        self._liken(title, abstract, said.likeness)
        for rank, category in enumerate(dict.fromkeys(paper.categories)):
            share = CROSS_LIST if rank else 1.0
            for topic, weight in self._prior(category):
                said.prior[topic] += weight * share
                said.reasons_by_topic[topic].append((TITLE * weight * share, f"category {category}"))
        return said

    def _count_terms(self, title: Sequence[str], abstract: Sequence[str], said: _Said) -> None:
        in_title, in_abstract = self._phrases(title), self._phrases(abstract)
        for phrase in {**in_title, **in_abstract}:
            term = self._terms[phrase]
            often = in_abstract[phrase]
            times = TITLE * (phrase in in_title) + (1 + math.log2(often) / 4 if often else 0.0)
            where = " in the title" if phrase in in_title else ""
            for topic, weight in term.weights:
                said.terms[topic] += weight * times
                said.reasons_by_topic[topic].append((weight * times, f"'{term.spelling}'{where}"))

    def _phrases(self, tokens: Sequence[str]) -> Counter[str]:
        """The terms in a text, each word in one term at most, so that a long one is not also its parts."""
        found: Counter[str] = Counter()
        at = 0
        while at < len(tokens):
            for length in self._longest.get(tokens[at], ()):
                phrase = " ".join(tokens[at : at + length])
                if phrase in self._terms:
                    found[phrase] += 1
                    at += length
                    break
            else:
                at += 1
        return found

    def _liken(self, title: Sequence[str], abstract: Sequence[str], likeness: list[float]) -> None:
        counts = Counter(_grams(abstract))
        for gram in _grams(title):
            counts[gram] += int(TITLE)
        for gram, count in counts.items():
            for topic, value in self._postings.get(gram, ()):
                likeness[topic] += value * (1 + math.log(count))

    def _prior(self, category: str) -> Iterable[tuple[int, float]]:
        archive = category.partition(".")[0]
        exact = [(n, t.categories[category]) for n, t in enumerate(self._topics) if category in t.categories]
        return exact or [(n, t.categories[archive]) for n, t in enumerate(self._topics) if archive in t.categories]

    def _totals(self, said: _Said) -> list[float]:
        most, likest = max(said.terms, default=0.0), max(said.likeness, default=0.0)
        most, likest = max(most, LEAST_TERMS), max(likest, LEAST_LIKENESS)
        return [
            topic.discount * (terms / most + LIKENESS * likeness / likest + PRIOR * prior)
            for topic, terms, likeness, prior in zip(self._topics, said.terms, said.likeness, said.prior, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Said:
    """What a paper says for each topic, by the topic's position."""

    terms: list[float]
    likeness: list[float]
    prior: list[float]
    reasons_by_topic: dict[int, list[tuple[float, str]]]

    @property
    def decides(self) -> bool:
        return max(self.terms, default=0.0) >= ENOUGH or any(self.prior)

    def reasons(self, topic: int) -> tuple[str, ...]:
        ranked = sorted(self.reasons_by_topic[topic], key=lambda reason: (-reason[0], reason[1]))
        return tuple(text for _, text in ranked[:REASONS]) or ("its words are like the topic's text",)


def _united(topics: Sequence[Topic]) -> dict[str, _Term]:
    """Every phrase of all topics. One that several topics claim says less for each of them."""
    spelled: dict[str, str] = {}
    claims: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for position, topic in enumerate(topics):
        for spelling, weight in topic.terms.items():
            if phrase := " ".join(words(spelling)):
                spelled.setdefault(phrase, spelling)
                claims[phrase][position] = max(weight, claims[phrase].get(position, 0.0))
    return {
        phrase: _Term(spelled[phrase], tuple((n, weight / math.sqrt(len(claim))) for n, weight in claim.items()))
        for phrase, claim in claims.items()
    }


def _postings(topics: Sequence[Topic]) -> dict[str, tuple[tuple[int, float], ...]]:
    """For each run of words the topics whose text holds it, weighted by TF-IDF and the length of that text."""
    texts = [_gram_counts(topic) for topic in topics]
    spread = Counter(gram for text in texts for gram in text)
    found: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for position, text in enumerate(texts):
        weights = {gram: (1 + math.log(count)) * math.log(len(texts) / spread[gram]) for gram, count in text.items()}
        length = math.hypot(*weights.values()) or 1.0
        for gram, weight in weights.items():
            if weight:
                found[gram].append((position, weight / length))
    return {gram: tuple(entries) for gram, entries in found.items()}


def _gram_counts(topic: Topic) -> Counter[str]:
    """What our own text on a topic holds; its terms are part of it."""
    counts: Counter[str] = Counter()
    for part in (topic.name, topic.description, topic.text):
        counts.update(_grams(words(part)))
    for term in topic.terms:
        counts.update(set(_grams(words(term))))
    return counts
