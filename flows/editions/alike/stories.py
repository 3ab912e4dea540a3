"""Papers of a topic that are about one thing: found by likeness, named by a phrase that they use; or by one term. Pure.

A story that is wrong or silly is worse than none, so every doubt is decided against it. What one term names is found by
`flows.editions.alike.subjects`. Beside that, in a busy topic, a group of papers that are alike
(`flows.editions.alike.linkage`) makes a story if a phrase names it, one that stands in the title or the keywords of one
of them. At least half of the group must use it, hardly anybody else in the topic may, and half of those who use it must
be about it. The others of the group are left out of the story. Of two stories with the same papers the larger stays.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows.editions.alike.linkage import groups, spread, vector
from flows.editions.alike.subjects import subjects
from flows.editions.matching import bits
from flows.editions.model import Entry, Section, Story, Topic
from flows.editions.words import grams, is_filler, without_pointers, words
from flows.papers.model import Paper, PaperId

BUSY = 8
"""Papers of a topic, from which on there are stories with a phrase in it."""
LEAST = 3
"""Papers of a story."""
ALIKE = 0.03
"""How alike a group must be that all uses the phrase. Below that, papers of recorded days shared most phrases by
chance ("Long-Horizon")."""
VERY_ALIKE = 0.045
"""From here on it is enough that all have the words of the phrase, and half of them the phrase itself."""
COMMON = 0.4
"""What more than this share of a topic's papers say is the topic, not a story in it."""
THEIRS = 0.75
"""Of all the topic's papers that use the phrase, this share must be in the story."""
LOOKED_AT = 200
"""The best-ranked papers of a topic that stories are looked for in: the work grows with the square of them."""

STANDS_OUT = 0.2
"""The share of its topic that a story must be to be told at the top."""

_NUMBERS = ("Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
_TITLE, _KEYWORDS = 300, 30
"""Characters and number beyond which a source gave nonsense."""
_WORDS = 4
_LETTERS = 60
_WRITTEN = re.compile(r"\w[\w '’+./-]+\w")
_MARKS = ".,;:?!()[]“”\"'"
_ENDS = re.compile(r"[:;,.?!)\]”\"—–|]$")
_BEGINS = re.compile(r"[(\[“\"—–|]")
_INNER = frozenset({"of", "and", "the"})
_DANGLING = frozenset(words("aware based driven end few free guided high large level long low multi real short zero"))
PLAIN = frozenset(
    words(
        "agentic ai approach aware based benchmark data dataset deep domain driven efficient end few fine "
        "foundation framework free general generation grained guided high horizon human interaction language large "
        "level llm lm long low mllm model multi multimodal network neural open policy pre problem process quality "
        "real representation robust scalable self setting short single small specific supervised system task text "
        "time training turn understanding unified user visual vlm world zero"
    )
)
"""What says nothing of its own, names of topics apart: a phrase of these alone names nothing."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A paper by its words."""

    title: Sequence[str]
    abstract: Sequence[str]
    keywords: Sequence[Sequence[str]]

    @classmethod
    def of(cls, paper: Paper) -> _Text:
        keywords = [words(keyword) for keyword in paper.keywords[:_KEYWORDS]]
        return cls(words(paper.title[:_TITLE]), words(without_pointers(paper.abstract)), keywords)

    def terms(self) -> Counter[str]:
        """Runs of one and two words that mean something; those of the title count twice."""
        every = (*grams(self.title), *grams(self.title), *grams(self.abstract))
        return Counter(gram for gram in every if gram.count(" ") < 2)

    def runs(self) -> Counter[str]:
        """How often each run of two to four words stands in title and abstract."""
        return Counter((*_runs(self.title), *_runs(self.abstract)))

    def named(self) -> set[str]:
        """Those that stand in the title or the keywords."""
        return {run for said in (self.title, *self.keywords) for run in _runs(said)}

    def vocabulary(self) -> set[str]:
        return {*self.title, *self.abstract}.union(*self.keywords)


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A phrase as it is written most often, and the papers that have to do with it, a bit for each."""

    written: str
    length: int
    """In words."""
    having: int
    """Those that have all of its words."""
    saying: int
    """Those of them that have it as it is."""
    about: int
    """Those of them whose subject it is: it stands in their title or keywords, or twice in their abstract."""


def stories(
    ordered: Mapping[str, Sequence[Entry]], topics: Iterable[Topic], lately: Mapping[str, Sequence[Paper]]
) -> dict[str, tuple[Story, ...]]:
    """The stories of each topic that has any, in the order of its entries, which are best first. No paper is in two.

    `topics` are all of them: a phrase that only repeats their names is none. `lately` are the papers that each topic
    had in the weeks before, the newest first.
    """
    listed = {topic.slug: topic for topic in topics}
    plain = PLAIN.union(word for topic in listed.values() for word in words(topic.name))
    phrased = _phrased(ordered, plain)
    found = {}
    for slug, entries in ordered.items():
        papers = [entry.paper for entry in entries]
        told = _joined(phrased.get(slug, ()), subjects(papers, lately.get(slug, ()), listed[slug], plain))
        if told:
            place = {paper.id: at for at, paper in enumerate(papers)}
            found[slug] = tuple(sorted(told, key=lambda story: place[story.papers[0]]))
    return found


def told(sections: Iterable[Section]) -> tuple[str, tuple[PaperId, ...]]:
    """What an edition says at the top of its largest story, where that stands out in its topic, and the story's papers:
    "Five of today's 13 papers on agents are about memory". Empty where none does."""
    found = [
        (-len(story.papers), len(section.entries), section.topic, section.name, story)
        for section in sections
        for story in section.stories
        if len(story.papers) >= STANDS_OUT * len(section.entries)
    ]
    if not found:
        return "", ()
    _, papers, _, name, story = min(found, key=lambda one: one[:3])
    at = len(story.papers) - LEAST
    number = _NUMBERS[at] if at < len(_NUMBERS) else str(len(story.papers))
    words_ = " ".join(map(_in_a_sentence, story.phrase.split()))
    sentence = f"{number} of today’s {papers} papers on {_in_a_sentence(name)} are about {words_}"
    return sentence, story.papers


def _in_a_sentence(word: str) -> str:
    """A word that begins with a capital as it stands within a sentence: "GUI" and "3D" stay as they are."""
    return word[0].lower() + word[1:] if word[1:2].islower() and word[1:] == word[1:].lower() else word


def _joined(phrased: Iterable[Story], named: Iterable[Story]) -> list[Story]:
    """The stories with a phrase and those with a term; where they share papers, a term is the name if it has them all
    and others."""
    told = list(phrased)
    for story in named:
        mine = set(story.papers)
        shared = [one for one in told if not mine.isdisjoint(one.papers)]
        if all(mine > set(one.papers) for one in shared):
            told = [*(one for one in told if one not in shared), story]
    return told


def _phrased(ordered: Mapping[str, Sequence[Entry]], plain: frozenset[str]) -> dict[str, list[Story]]:
    """The stories of each busy topic that a phrase names."""
    busy = {topic: entries[:LOOKED_AT] for topic, entries in ordered.items() if len(entries) >= BUSY}
    if not busy:
        return {}
    texts = {entry.paper.id: _Text.of(entry.paper) for entries in ordered.values() for entry in entries}
    terms = {identity: text.terms() for identity, text in texts.items()}
    known = spread(list(terms.values()))
    found = {}
    for topic, entries in busy.items():
        # in an order that no vote changes: sums of fractions depend on it
        papers = sorted((entry.paper for entry in entries), key=lambda paper: paper.id)
        told = [texts[paper.id] for paper in papers]
        alike = groups([vector(terms[paper.id], known, len(texts)) for paper in papers], ALIKE, COMMON)
        place = {entry.paper.id: at for at, entry in enumerate(entries)}
        found[topic] = [
            Story(phrase=phrase, papers=tuple(sorted((papers[at].id for at in bits(who)), key=place.__getitem__)))
            for phrase, who in _named(alike, _phrases(papers, told, plain), len(papers))
        ]
    return found


def together(entries: Sequence[Entry], stories: Sequence[Story]) -> tuple[Entry, ...]:
    """The entries in their order, but that those of a story follow its best one."""
    by_id = {entry.paper.id: entry for entry in entries}
    led: dict[PaperId, tuple[PaperId, ...]] = {paper: () for story in stories for paper in story.papers}
    led |= {story.papers[0]: story.papers for story in stories}
    return tuple(by_id[paper] for entry in entries for paper in led.get(entry.paper.id, (entry.paper.id,)))


def _named(alike: Iterable[tuple[int, float]], phrases: Sequence[_Phrase], papers: int) -> Iterator[tuple[str, int]]:
    """The stories among the groups, the largest first. Of several phrases for the same papers the longest names them
    best, and of equally long ones that which more of them are about."""
    found = []
    for group, likeness in alike:
        for phrase in phrases:
            for users in (phrase.saying, phrase.having) if likeness >= VERY_ALIKE else (phrase.saying,):
                who = group & users
                size, all_users = who.bit_count(), users.bit_count()
                about = (who & phrase.about).bit_count()
                if (
                    size >= max(LEAST, group.bit_count() / 2, THEIRS * all_users)
                    and all_users <= max(LEAST, COMMON * papers)
                    and min(about, (who & phrase.saying).bit_count()) >= size / 2
                ):
                    found.append((-size, -phrase.length, -about, phrase.written, who))
    taken = 0
    for *_, written, who in sorted(found):
        if not who & taken:
            taken |= who
            yield written, who


def _phrases(papers: Sequence[Paper], told: Sequence[_Text], plain: frozenset[str]) -> list[_Phrase]:
    """The phrases that may name a story among these papers, each with those who use it."""
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for paper in papers:
        for phrase, form in _candidates(paper, plain):
            written[phrase][form] += 1
    having, saying, about = Counter[str](), Counter[str](), Counter[str]()
    for at, text in enumerate(told):
        runs, named = text.runs(), text.named()
        for word in text.vocabulary():
            having[word] |= 1 << at
        for phrase in written.keys() & (runs.keys() | named):
            saying[phrase] |= 1 << at
            if phrase in named or runs[phrase] > 1:
                about[phrase] |= 1 << at
    found = []
    for phrase in sorted(written):
        split = phrase.split()
        users = having[split[0]]
        for word in split[1:]:
            users &= having[word]
        if users.bit_count() >= LEAST and saying[phrase].bit_count() > 1:
            found.append(_Phrase(_form(written[phrase]), len(split), users, saying[phrase], about[phrase]))
    return found


def _candidates(paper: Paper, plain: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What might name a story of this paper: by its words, and as it is written."""
    tokens = paper.title[:_TITLE].split()
    parts = (" ".join(tokens[at:end]) for at in range(len(tokens)) for end in range(at + 2, at + _WORDS + 1))
    for form in (*dict.fromkeys(parts), *paper.keywords[:_KEYWORDS]):
        if found := _candidate(form, plain):
            yield found


def _candidate(form: str, plain: frozenset[str]) -> tuple[str, str] | None:
    """None for what is no name: it is cut out of a sentence, begins or ends with a word that asks for another, or says
    nothing of its own."""
    tokens, said = form.split(), words(form)
    if len(tokens) < 2 or not 2 <= len(said) <= _WORDS or plain.issuperset(said):
        return None
    if any(map(_ENDS.search, tokens[:-1])) or any(map(_BEGINS.match, tokens[1:])):
        return None
    if is_filler(said[0]) or is_filler(said[-1]) or said[-1] in _DANGLING:
        return None
    if any(is_filler(word) for token in tokens[1:-1] if token not in _INNER for word in words(token)[:1]):
        return None
    written = " ".join(tokens).strip(_MARKS)
    return (" ".join(said), written) if len(written) <= _LETTERS and _WRITTEN.fullmatch(written) else None


def _form(written: Counter[str]) -> str:
    form = min(written, key=lambda one: (-written[one], one))
    return form[0].upper() + form[1:]


def _runs(said: Sequence[str]) -> Iterator[str]:
    for length in range(2, _WORDS + 1):
        for at in range(len(said) - length + 1):
            yield " ".join(said[at : at + length])
