"""What is counted in a possible gist: of each sentence where it stands and how it speaks, of the whole how long it is
and how much of the paper is in it."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows.editions.abstracts.pieces import Piece
from flows.editions.words import is_filler, words

USUAL_LENGTH = 27
"""Words of a summary."""
_BENDS = (10, 14, 18, 22, 26, 30, 35, 40)
"""Words from which on one more may be worth something else."""
_LAST_PLACE = 7
_NAME_LENGTH = 40

_SAYS = r"(?:we|(?:this|the) (?:\w+ )?(?:paper|work|study|report|survey|article)) (?:\w+ly )?"
_PROPOSES = re.compile(
    _SAYS + r"(?:propos|introduc|present|develop|design|devis|describ|unveil|offer|build|construct|creat|releas"
    r"|open-sourc|contribut|formulat|advocat|establish|curat|deriv)\w*\b"
    r"(?! that\b| (?:\w+ ){0,2}(?:ablation|experiment|evidence|insight|result|analys[ei]s|detail|discussion))",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r" \([^()]*\)")
_KIND = (
    r"(?:technique|framework|method|approach|paradigm|strategy|model|algorithm|architecture|system|pipeline|benchmark"
    r"|dataset|solution|recipe|mechanism|agent)"
)
_BARE = re.compile(
    rf"(?!.*\b(?:an?|that|which|to|for|by|with|using|via|where|as|on|of|in|the first)\b)"
    rf"|\w+ (?:\w+ ){{1,2}}[^,]*[,:]? an? (?:[\w-]+ ){{0,3}}{_KIND}\.$"
    r"|(?:We|This \w+) \w+ (?:(?:[A-Z0-9][\w-]*|for|of|with|in|to|and|the|via|by|from) ?)+\.$"
)
"""A name alone, or no more than of what kind it is."""
_TELLS = re.compile(
    rf"\b(?:is|are) (?:proposed|introduced|presented|developed)\b|{_SAYS}(?:study|studies"
    rf"|investigat"
    r"|explor|examin|analy[sz]|evaluat|revisit|conduct|ask|consider|formali[sz]|compar|characteri[sz]|survey|review"
    r"|benchmark|measur|show|demonstrat|find|reveal|prov|observ|discover|identif|argu|uncover|refram|recast|cast|fram"
    r"|address|tackl|adapt|extend|train|repurpos|reformulat|scal|turn|rethink|trace|systemati)",
    re.IGNORECASE,
)
"""A sentence that says what was done, or begins to."""
_PHRASES = {
    "has": re.compile(
        r"\b(?:has|have) (?:\w+ )?(?:been|shown|emerged|become|made|demonstrated|achieved"
        "|advanced|led)"
    ),
    "evaluated": re.compile(r"\b(?:across|on) (?:\w+ ){0,2}(?:benchmarks?|datasets?|tasks?|models)\b"),
    "share": re.compile(r"\d(?: ?%|×|x\b| points?| pp\b)"),
}
_MARKS = {"bracket": "(", "colon": ":", "semicolon": ";"}
_SPEAKS = {
    name: re.compile(pattern)
    for name, pattern in {
        "introduce": "introduc|propos|present",
        "use": "leverag|utiliz|employ|us(?:e|es|ing|ed)$|combin|integrat|incorporat|built|based$|via$|through$",
        "result": "experiment|result|evaluation|benchmark",
        "better": "outperform|surpass|sota$|superior|exceed|improv|gain|better|best|competitive|speedup|faster|reduc",
        "digit": ".*[0-9]",
        "existing": "(?:existing|previous|prior|current|recent|conventional|traditional|most|many|typically|often"
        "|largely|commonly|increasingly|rapidly|emerged)$",
        "trouble": "challeng|struggl|limit|lack|fail|suffer|remain|hinder|difficult|bottleneck|unclear|costly"
        "|yet$|but$"
        "|underexplored|however|expensive|critical|crucial|essential|fundamental|gap",
        "hope": "hope|future|pave$|paving|promising|insight|implication|highlight|underscor|foundation|release"
        "|potential",
        "data": "(?:benchmark|dataset|corpus)$",
        "method": "(?:framework|method|model|approach|system|pipeline|paradigm|algorithm|architecture|mechanism"
        "|strategy)$",
        "new": "(?:novel|new|first|unified|simple|general|scalable|efficient|comprehensive|systematic)$",
        "enable": "enabl|allow|achiev|address|bridg|mitigat|improv",
        "relative": "(?:that|which|where)$",
        "parts": "(?:two|three|four|five|key|component|stage|module|comprising|comprise|consist)$",
        "should": "should$",
        "our": "our$",
        "we": "we$",
    }.items()
}
"""What a word says, by its beginning; a dollar where it is the whole word."""


@functools.lru_cache(maxsize=50_000)
def _cues(word: str) -> tuple[str, ...]:
    return tuple(name for name, cue in _SPEAKS.items() if cue.match(word))


_OWN = re.compile(
    r"\bwe\b|\bthe (?:paper|authors)\b|\b(?:this|the present) (?:\w+ )?"
    r"(?:paper|work|study|survey|report|article|thesis|tutorial|review)\b"
    r"|\bour (?:[\w-]+ ){0,2}(?:method|model|framework|approach|system|pipeline|benchmark|dataset|algorithm|analysis"
    r"|study|results|findings|experiments|work|paper)\b|\b(?:is|are) (?:proposed|introduced|presented|developed)\b",
    re.IGNORECASE,
)
_ASIDE_OWN = re.compile(r"\bwe (?:often|humans|live|currently|need|use to|can now)\b", re.IGNORECASE)
_LETTERS = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class CountedText:
    """A title and an abstract's sentences, counted."""

    title: frozenset[str]
    """The telling words of the title."""
    name: str
    """What the title calls the paper ("Metis: …"); empty if it has none."""
    sentences: Sequence[str]
    spread: Counter[str]
    """In how many sentences each word stands."""
    total: Counter[str]
    first: Mapping[str, int]
    """The first sentence that a word stands in."""
    begins: int
    """The first sentence that speaks of the paper itself: what stands before is background."""
    proposes: int
    """The first sentence that brings something new in, by its name if it has one; else -1."""


def source(title: str, sentences: Sequence[str]) -> CountedText:
    spoken = [words(sentence) for sentence in sentences]
    first: dict[str, int] = {}
    for at, sentence in enumerate(spoken):
        for word in sentence:
            first.setdefault(word, at)
    head, colon, _ = title.replace(" Technical Report", ":").partition(":")
    name = head.strip() if colon and len(head) <= _NAME_LENGTH else ""
    own = (
        at
        for at, sentence in enumerate(sentences)
        if (_OWN.search(sentence) and not (at == 0 and _ASIDE_OWN.search(sentence))) or (name and name in sentence)
    )
    proposing = [at for at, sentence in enumerate(sentences) if _PROPOSES.search(sentence)]
    return CountedText(
        title=frozenset(word for word in words(title) if not is_filler(word)),
        name=name,
        sentences=sentences,
        spread=Counter(word for sentence in spoken for word in set(sentence)),
        total=Counter(word for sentence in spoken for word in sentence),
        first=first,
        begins=next(own, 0),
        proposes=next((at for at in proposing if name in sentences[at]), next(iter(proposing), -1)),
    )


def of_word(word: str, source: CountedText) -> list[tuple[str, float]]:
    """What speaks for a word to be in a summary."""
    total, spread, sentences = source.total[word], source.spread[word], len(source.sentences)
    first = source.first.get(word, sentences)
    found = [
        ("w|", 1.0),
        ("w|often", math.log1p(total)),
        ("w|spread", spread / sentences),
        ("w|late", first / sentences),
        ("w=" + word, 1.0),
    ]
    if word in source.title:
        found += [("w|title", 1.0), ("w|title often", total / 10)]
    if is_filler(word):
        found.append(("w|filler", 1.0))
    if spread >= 2:
        found.append(("w|twice", 1.0))
    if spread >= 3:
        found.append(("w|thrice", 1.0))
    if first == 0:
        found.append(("w|at once", 1.0))
    if word.isdigit():
        found.append(("w|digits", 1.0))
    return found


def of_piece(piece: Piece, spoken: Sequence[str], source: CountedText) -> list[tuple[str, float]]:
    """What speaks for a sentence of these words."""
    text, sentence = piece.text, source.sentences[piece.at]
    found = [(name, 1.0) for name in sorted({cue for word in spoken for cue in _cues(word)})]
    found += [(name, 1.0) for name, phrase in _PHRASES.items() if phrase.search(text)]
    if _PROPOSES.search(text):
        found += [("propose", 1.0), ("tell", 1.0)]
    elif _TELLS.search(text):
        found.append(("tell", 1.0))
    found += [(name, 1.0) for name, mark in _MARKS.items() if mark in text]
    heads, starts = _LETTERS.findall(text[:60].lower())[:2], _LETTERS.findall(sentence[:60].lower())[:2]
    found += [(f"head {at} {word}", 1.0) for at, word in enumerate(heads)]
    found += [
        ("head " + " ".join(heads), 1.0),
        ("start " + " ".join(starts), 1.0),
        ("start " + "".join(starts[:1]), 1.0),
    ]
    place = piece.at / len(source.sentences)
    found += [(f"at {min(piece.at, _LAST_PLACE)}", 1.0), (f"fifth {int(5 * place)}", 1.0), ("place", place)]
    marks = {
        "last": piece.at == len(source.sentences) - 1,
        "begins": piece.at == source.begins,
        "proposes": piece.at == source.proposes and ("propose", 1.0) in found,
        "bare": bool(_BARE.match(_BRACKETED.sub("", text) if "(" in text else text)),
        "cut": not piece.whole,
        "finding": piece.finding,
        "generic": piece.leaning.generic,
        "pronoun": piece.leaning.pronoun,
        "leans": bool(piece.leaning.names),
        "beheaded": text[:16] != sentence[:16],
        "name": bool(source.name) and source.name in text,
        "name first": bool(source.name) and text.startswith(source.name),
    }
    return found + [(name, 1.0) for name, is_so in marks.items() if is_so]


def of_draft(
    draft: Sequence[Piece], spoken: Sequence[str], source: CountedText, odds: Mapping[str, float]
) -> list[tuple[str, float]]:
    """What speaks for a whole gist, given its words and how likely each word is in a summary."""
    length, distinct = len(spoken), set(spoken)
    likely = sum(odds[word] for word in distinct)
    pairs = sum(min(odds[one], odds[other]) for one, other in itertools.pairwise(spoken))
    told = distinct & source.title
    found = [
        ("d|likely", likely / 10),
        ("d|overlap", 20 * likely / (length + USUAL_LENGTH)),
        ("d|pairs", 20 * pairs / (length + USUAL_LENGTH)),
        ("d|words", length / 30),
        ("d|title told", len(told) / (len(source.title) or 1)),
        ("d|of title", 5 * len(told) / length),
        ("d|telling", sum(not is_filler(word) for word in spoken) / length),
        ("d|central", sum(source.spread[word] - 1 for word in distinct if not is_filler(word)) / length),
        ("d|digits", sum(word.isdigit() for word in spoken) / 10),
    ]
    found += [(f"d|over {bend}", (length - bend) / 10) for bend in _BENDS if length > bend]
    if len(draft) == 2:
        gap = draft[1].at - draft[0].at
        found += [("d|two", 1.0), ("d|gap", gap / len(source.sentences))]
        if gap == 1:
            found.append(("d|together", 1.0))
    return found


def in_role(features: Iterable[tuple[str, float]], role: int) -> Iterator[tuple[str, float]]:
    """A sentence's features in a gist: alone (0), as the first (1) or the second (2) of two."""
    for name, value in features:
        if role == 0:
            yield name, value
        else:
            yield name, value / 2
            yield f"{role}|{name}", value
