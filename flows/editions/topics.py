"""Which topic is a paper about? Weighted terms, likeness to our own text, arXiv categories and a trained model."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from flows.editions.linear import LinearModel, packaged
from flows.editions.model import OTHER, Classified, Topic
from flows.editions.words import MAX_LETTERS, counts, grams, without_pointers, words
from flows.papers.model import Paper

TITLE = 3.0
"""A term in the title counts as much as three in the abstract."""
TERMS, LIKENESS = 5.0, 4.5
"""What terms add for the topic that has most of them, and likeness for the topic whose text is likest: what logistic
regression found with both left free. A category's weight is in the same unit."""
CROSS_LIST = 1 / 3
"""A category that a paper is only cross-listed in says a third of what its primary one says."""
NEARLY = 2.0
"""A second topic is named if it is at most e² times less likely: half of those are right, so one at most."""
ENOUGH = 4.0
"""Less than one strong term, and no category: nothing decides."""
LEAST_TERMS, LEAST_LIKENESS = 9.0, 0.3
"""A fifth of what the best topic usually has: a best below that is weak evidence and stays weak when scaled."""
REASONS = 4
TELLS = 0.3
"""A word of the model is a reason from about the strength on that a strong term usually has in an abstract."""


@dataclass(frozen=True, slots=True)
class _Term:
    """A phrase as its topics spell it, and what it says for each of them (by the topic's position)."""

    spelling: str
    weights: tuple[tuple[int, float], ...]


class Classifier:
    """Gives each paper its topic. The same paper, topics and model give the same answer; nothing else matters.

    Everything is added up in one unit: logarithms of how much more likely a topic becomes. The model is the packaged
    one unless another is given. Its topics that are not among `topics` are passed over; a topic that it does not know
    lives by its terms.
    """

    def __init__(self, topics: Iterable[Topic], model: LinearModel | None = None) -> None:
        self._topics = tuple(topic for topic in topics if topic.slug != OTHER)
        self._model = packaged() if model is None else model
        columns = {slug: column for column, slug in enumerate(self._model.topics)}
        self._columns = tuple(columns.get(topic.slug) for topic in self._topics)
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
        ranked = self._ranked(totals)
        if not ranked or not said.decides:
            return Classified(topic=OTHER, because=("no term or category decides",))
        best = ranked[0]
        second = ""
        if len(ranked) > 1 and totals[best] - totals[ranked[1]] <= NEARLY:
            second = self._topics[ranked[1]].slug
        return Classified(
            topic=self._topics[best].slug,
            second=second,
            score=round(totals[best], 4),
            because=self._because(said, best),
        )

    def scores(self, paper: Paper) -> dict[str, float]:
        """What every topic scores, the best first: for an explanation."""
        totals = self._totals(self._said(paper))
        return {self._topics[n].slug: round(totals[n], 4) for n in self._ranked(totals)}

    def evidence(self, paper: Paper) -> dict[str, float]:
        """What terms, likeness and categories say for every topic: what the model, in training, is to add to."""
        said = self._said(paper)
        return {topic.slug: self._evidence(said, n) for n, topic in enumerate(self._topics)}

    def _ranked(self, totals: Sequence[float]) -> list[int]:
        """The topics by their position, the best first; of two alike the one that a digest shows first."""
        return sorted(range(len(totals)), key=lambda n: (-totals[n], self._topics[n].order, self._topics[n].slug))

    def _said(self, paper: Paper) -> _Said:
        """What title, abstract and categories say. The keywords of Hugging Face were found to mislead."""
        size = len(self._topics)
        said = _Said([0.0] * size, [0.0] * size, [0.0] * size, [0.0] * size)
        title, abstract = words(paper.title[:MAX_LETTERS]), words(without_pointers(paper.abstract))
        self._count_terms(title, abstract, said)
        self._liken(title, abstract, said.likeness)
        self._consult(title, abstract, said)
        for rank, category in enumerate(dict.fromkeys(paper.categories)):
            share = CROSS_LIST if rank else 1.0
            for topic, weight in self._prior(category):
                said.prior[topic] += weight * share
                said.categories_by_topic[topic].append((weight * share, f"category {category}"))
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
                said.terms_by_topic[topic].append((weight * times, f"'{term.spelling}'{where}"))

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
        found = Counter(grams(abstract))
        for gram in grams(title):
            found[gram] += int(TITLE)
        for gram, count in found.items():
            for topic, value in self._postings.get(gram, ()):
                likeness[topic] += value * (1 + math.log(count))

    def _consult(self, title: Sequence[str], abstract: Sequence[str], said: _Said) -> None:
        """What the model says for each topic, more or less than for all topics on average."""
        said.values.update(self._model.values(counts(title, abstract)))
        if said.values:
            logits = self._model.logits(said.values)
            average = sum(logits) / len(logits)
            for topic, column in enumerate(self._columns):
                if column is not None:
                    said.trained[topic] = logits[column] - average

    def _prior(self, category: str) -> Iterable[tuple[int, float]]:
        archive = category.partition(".")[0]
        exact = [(n, t.categories[category]) for n, t in enumerate(self._topics) if category in t.categories]
        return exact or [(n, t.categories[archive]) for n, t in enumerate(self._topics) if archive in t.categories]

    def _totals(self, said: _Said) -> list[float]:
        return [self._evidence(said, n) + trained for n, trained in enumerate(said.trained)]

    def _evidence(self, said: _Said, topic: int) -> float:
        own = TERMS * said.terms[topic] / said.most + LIKENESS * said.likeness[topic] / said.likest
        return self._topics[topic].discount * own + said.prior[topic]

    def _because(self, said: _Said, topic: int) -> tuple[str, ...]:
        """The strongest reasons for a topic. Words that the model brings are named unless a term holds them."""
        unit = TERMS * self._topics[topic].discount / said.most
        reasons = [(unit * strength, text) for strength, text in said.terms_by_topic[topic]]
        reasons += said.categories_by_topic[topic]
        named = {word for _, text in reasons for word in words(text)}
        if (column := self._columns[topic]) is not None:
            for word, value in said.values.items():
                strength = self._model.contribution(word, value, column)
                if strength >= TELLS and word not in named:
                    reasons.append((strength, f"the word '{word}'"))
        ranked = sorted(reasons, key=lambda reason: (-reason[0], reason[1]))
        return tuple(text for _, text in ranked[:REASONS]) or ("its words are like the topic's text",)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a paper says for each topic, by the topic's position."""

    terms: list[float]
    likeness: list[float]
    prior: list[float]
    trained: list[float]
    """What the model says; nothing for a topic that it does not know."""
    terms_by_topic: defaultdict[int, list[_Reason]] = field(default_factory=lambda: defaultdict(list))
    categories_by_topic: defaultdict[int, list[_Reason]] = field(default_factory=lambda: defaultdict(list))
    values: dict[str, float] = field(default_factory=dict)
    """The words that the model knows, and what each is worth to it."""

    @property
    def most(self) -> float:
        return max(max(self.terms, default=0.0), LEAST_TERMS)

    @property
    def likest(self) -> float:
        return max(max(self.likeness, default=0.0), LEAST_LIKENESS)

    @property
    def decides(self) -> bool:
        return max(self.terms, default=0.0) >= ENOUGH or any(self.prior)


_Reason = tuple[float, str]
"""How strong it is, and how it is told."""


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
    found: Counter[str] = Counter()
    for part in (topic.name, topic.description, topic.text):
        found.update(grams(words(part)))
    for term in topic.terms:
        found.update(set(grams(words(term))))
    return found
