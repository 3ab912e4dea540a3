"""Sentences that speak of what another sentence names: "these priors", "the two gaps", "it"."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from flows.editions.abstracts.sentences import WORK
from flows.editions.words import is_filler, words

_GENERIC = re.compile(
    r"(?:The|Our) (?:(?:proposed|resulting|final|full|new|overall|whole|entire|trained|unified"
    r"|same) )?(?:[\w-]+ )?(?:method"
    r"|model|framework|approach|system|pipeline|benchmark|data ?set|algorithm|architecture|agent|policy|technique"
    r"|corpus|suite|paradigm|module|strategy|tool|library|platform|design|network|evaluation|training|result|proof"
    r"|taxonomy|collection|protocol|environment|task|codebase|toolkit|engine|procedure|process|objective|loss"
    r"|mechanism|formulation|solution|scheme|recipe|construction|work|contribution|experiment)s?\b(?! of\b)"
)
_PRONOUN = re.compile(r"(?:It|They)\b(?! (?:is|are|has|was) (?:\w+ )?(?:that|been|to)\b)")
_COUNTED = re.compile(
    r"\b(?:the|all|all of the|both of the) (?:two|three|four|five|six|seven)(?: \w+)? ([a-z]\w+(?:s|a))\b"
)
"""Things that were counted before: "the two gaps"."""
POINTS = re.compile(
    rf"\b([Tt]his|[Tt]hese|[Tt]hose|[Ss]uch|The same|[Bb]oth)\b(?! (?:\w+ )?{WORK})(?! (?:as|that|an?|of)\b)"
)
_ALONE = re.compile(r"[.,;:)]| (?:is|are|was|were|by|to|and|in|with|can|has|will)\b")
"""What follows a "this" that stands for a whole sentence."""
_LOST_HEAD = re.compile(
    r"(?:Its|Their|Neither|Each|He|She|There|Doing so|One|Another|Others?|Two|Three|Four|Five|Six|Some|Several"
    r"|Many of"
    r"|All|That|Either|What|Why|How|Such|As such|Both(?! [\w-]+(?: [\w-]+)? and )|The (?:other|former|latter"
    r"|first|second"
    r"|third|two|three|four|five|above|remaining|last|rest|key|core|idea|reason|cause|answer|goal|effect"
    r"|failure|central"
    r"|improvement|trend|pattern|phenomenon|difference|gap|issue|problem|challenge|limitation|question|insight|main"
    r"|intuition|bottleneck|tension|gains?))\b"
    r"|[\w -]{1,40}: (?:It|They|This|These)\b|\w+(?: \w+){0,2} (?:its|their|it|them|they|do so)\b"
)
_LOST = re.compile(
    r"\b[Ww]e (?:\w+ )?\w+ that (?:it|they)\b|"
    r"\b(?:analogous|aforementioned|an? third)\b|\b(?:the (?:former|latter|above|aforementioned|gap|issue"
    r"|challenge|limitation)s?|doing so|do so|herein|thereof"
    r"|the (?:problem|issue|task|setting|question))[.,;]|\bboth[.,;]|\b(?:address|tackle|solve|mitigate"
    r"|resolve) (?:it|them)\b"
)
"""Words that speak of what nobody can look up in the same sentence."""


def first_pointing(sentence: str) -> int:
    """Where a sentence first speaks of what another names, if that is not at its beginning; else 0."""
    for found in POINTS.finditer(sentence):
        if found[1].lower() != "both":
            before = set(words(sentence[: found.start()]))
            if before.isdisjoint(_named(sentence, found)):
                return found.start()
    lost = (pattern.search(sentence) for pattern in (_COUNTED, _LOST))
    return min((each.start() for each in lost if each), default=0)


@dataclass(frozen=True, slots=True)
class Leaning:
    """What a sentence needs of the one before it."""

    lost: bool
    """It speaks of something that another sentence names, and which one can't be told."""
    names: tuple[str, ...]
    """Of these words the sentence before it must hold one: "these priors" needs priors."""
    pronoun: bool
    """It begins with a pronoun, for what the sentence before it brings in."""
    generic: bool
    """It begins with "the method", or the like, which a sentence before it must bring in."""

    @property
    def nothing(self) -> bool:
        """Whether it can be read alone."""
        return not (self.lost or self.names or self.pronoun or self.generic)


@functools.lru_cache(maxsize=512)
def leaning(text: str) -> Leaning:
    """What a sentence needs of the one before it."""
    lost, names = bool(_LOST_HEAD.match(text) or _LOST.search(text)), []
    for pointing in POINTS.finditer(text):
        named = _named(text, pointing)
        if pointing[1].lower() == "both":
            continue
        if not named or _ALONE.match(text, pointing.end()):
            lost = True
        elif set(words(text[: pointing.start()])).isdisjoint(named):
            names += named
    for counted in _COUNTED.finditer(text):
        lost = lost or counted[1] not in text[: counted.start()]
    return Leaning(lost, tuple(names), bool(_PRONOUN.match(text)), bool(_GENERIC.match(text)))


def _named(text: str, pointing: re.Match[str]) -> list[str]:
    """The words that "this" or "these" may stand before."""
    return [word for word in words(text[pointing.end() : pointing.end() + 60])[:3] if not is_filler(word)]
