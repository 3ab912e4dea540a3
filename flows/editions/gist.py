"""What a paper did, in one or two sentences of its abstract.

The sentences are shortened, put together in pairs, and scored by a linear model (`gist.weights`) that learnt from
recorded summaries which of them say the most; `train_gist` makes it. What leads nowhere by itself
("these priors" without the priors) and what stands before the paper speaks of itself is not chosen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flows.editions import maths
from flows.editions.abstracts import gist_features
from flows.editions.abstracts.gist_features import in_role
from flows.editions.abstracts.gist_model import GistModel, likely, packaged
from flows.editions.abstracts.pieces import Piece, pieces
from flows.editions.abstracts.sentences import sentences
from flows.editions.abstracts.short_forms import long_forms
from flows.editions.excerpt import excerpt
from flows.editions.words import words

LIMIT = 280
"""Characters of a gist."""
LEAST = 9
"""Words of a gist: "We propose X." says nothing."""
READ = 8_000
"""Characters of an abstract that are read: the longest have half of that."""
ALONE = 48
"""So many sentences and shortened ones are weighed."""
PAIRED = 8
"""So many of them, the best, are tried in pairs."""

_NOT_DONE = re.compile(
    r"(?:Existing|Previous|Prior|Recent|Current|Traditional|Conventional|Most|Many|Earlier|Previously"
    r"|In (?:prior|previous|earlier|recent)|Recently|We (?:hope|believe|expect|envision|thank|conclude with|discuss"
    r"|make \w+ (?:\w+ )?contributions)"
    r"|We (?:\w+ )?(?:release|open-source) (?:the|our|all|both|code|models?|data)|Code|Our code|All code)\b"
    r"|.*\bwill be (?:\w+ )?(?:open-?sourced|released|public|available)"
)
"""What tells of others, or of hopes."""
_CHECKED = re.compile(
    r"(?:(?:To|In order to) (?:\w+ly )?(?:validate|evaluate|assess|verify|test|demonstrate|confirm) "
    r"|We (?:\w+ )?(?:evaluate|validate|test) )(?:our|the (?:proposed|effectiveness|efficacy|validity)|its)\b"
    r"|We (?:address|tackle) (?:\w+ ){0,3}challenges? (?:with|through|via|by) (?:\w+ ){0,3}(?:innovation|contribution)s"
)
"""A sentence on how something was tested that another one brings in, or that there is something to come."""

Draft = tuple[Piece, ...]
"""One or two pieces, in the order of the abstract."""
Features = Sequence[tuple[str, float]]


class Weighing:
    """A paper on the scales: what it could be told by, and what each would score. Read lazily, counted once."""

    def __init__(self, title: str, found: Sequence[str], model: GistModel) -> None:
        self._model = model
        self._title, self._sentences = title, found
        self._source = gist_features.source(title, found)
        self._longer = long_forms(" ".join(found), title)
        self._words: dict[Piece, list[str]] = {}
        self._features: dict[Piece, Features] = {}
        self._cues: dict[Piece, frozenset[str]] = {}
        self._scores: dict[Piece, tuple[float, float, float]] = {}
        self._odds: dict[str, float] = {}

    def drafts(self, most: int = PAIRED) -> list[Draft]:
        """What the paper can be told by: every sentence that may stand alone, and pairs of the best `most`."""
        told = [
            piece
            for piece in self._pieces(self._source.begins)
            if not (_NOT_DONE.match(piece.text) or piece.text[-1] == "?" or _CHECKED.match(self._sentences[piece.at]))
        ]
        alone = [piece for piece in told if piece.leaning.nothing][:ALONE]
        firsts = sorted(alone, key=lambda piece: -self._part(piece, 1))[:most]
        seconds = [piece for piece in told if not piece.leaning.lost][: 2 * ALONE]
        seconds = sorted(seconds, key=lambda piece: -self._part(piece, 2))[:most]
        drafts: list[Draft] = [(one, two) for one in firsts for two in seconds if self._may_follow(two, one)]
        drafts += [(piece,) for piece in alone]
        found = [draft for draft in drafts if self._length(draft) >= LEAST]
        if found:
            return self._telling(found)
        anything = told or self._pieces(0)
        whole = [piece for piece in anything if not piece.leaning.lost and not piece.leaning.names]
        nearest: list[Draft] = [(piece,) for piece in whole or anything]
        return nearest[:ALONE]

    def _telling(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Those that bring the work in, first or after what else was done; in an abstract that does not, those that
        come nearest."""
        for cue in ("proposes", "propose", "tell", "name first", "we"):
            found = [draft for draft in drafts if self._tells(draft[0]) or self._has(draft[0], cue)]
            found = [draft for draft in found if self._brings_in(draft, cue)]
            if found:
                return found
        return [draft for draft in drafts if len(draft) == 2 or not self._has(draft[0], "bare")] or list(drafts)

    def _pieces(self, begin: int) -> list[Piece]:
        """What the sentences from one on may be shortened to, and has room."""
        return [
            piece
            for at in range(begin, len(self._sentences))
            for piece in pieces(at, self._sentences[at], self._title, self._longer)
            if len(piece.text) <= LIMIT
        ]

    def score(self, draft: Draft) -> float:
        parts = zip(draft, (0,) if len(draft) == 1 else (1, 2), strict=True)
        return sum(self._part(piece, role) for piece, role in parts) + self._model.score(self.whole(draft))

    def features(self, draft: Draft) -> Features:
        """All that is counted in a draft."""
        parts = zip(draft, (0,) if len(draft) == 1 else (1, 2), strict=True)
        return [*self.whole(draft), *(f for piece, role in parts for f in in_role(self.of_piece(piece), role))]

    def whole(self, draft: Draft) -> Features:
        """What is counted in a draft as a whole."""
        spoken = [word for piece in draft for word in self._spoken(piece)]
        for word in spoken:
            if word not in self._odds:
                self._odds[word] = likely(self._model.score(gist_features.of_word(word, self._source)))
        return gist_features.of_draft(draft, spoken, self._source, self._odds)

    def of_piece(self, piece: Piece) -> Features:
        if piece not in self._features:
            self._features[piece] = gist_features.of_piece(piece, self._spoken(piece), self._source)
        return self._features[piece]

    def _part(self, piece: Piece, role: int) -> float:
        if piece not in self._scores:
            self._scores[piece] = self._model.parts(self.of_piece(piece))
        return self._scores[piece][role]

    def _spoken(self, piece: Piece) -> list[str]:
        if piece not in self._words:
            self._words[piece] = words(piece.text)
        return self._words[piece]

    def _length(self, draft: Draft) -> int:
        return sum(len(self._spoken(piece)) for piece in draft)

    def _brings_in(self, draft: Draft, cue: str) -> bool:
        """Whether one of the sentences says what was done, and more of it than a name."""
        if len(draft) == 2 and self._has(draft[0], "bare"):
            says_more = self._has(draft[1], "name first") or draft[1].at == draft[0].at + 1
            return self._has(draft[0], cue) and says_more and not self._has(draft[1], "better")
        return any(self._has(piece, cue) and not self._has(piece, "bare") for piece in draft)

    def _tells(self, piece: Piece) -> bool:
        """Whether a sentence says what was done or found."""
        return piece.finding or self._has(piece, "tell")

    def _has(self, piece: Piece, cue: str) -> bool:
        if piece not in self._cues:
            self._cues[piece] = frozenset(name for name, _ in self.of_piece(piece))
        return cue in self._cues[piece]

    def _may_follow(self, piece: Piece, first: Piece) -> bool:
        """Whether two pieces have room, and what the second speaks of stands in the first."""
        if piece.at <= first.at or len(first.text) + 1 + len(piece.text) > LIMIT:
            return False
        brings_in = self._has(first, "propose")
        if piece.leaning.pronoun:
            return brings_in and first.whole and piece.at == first.at + 1
        if piece.leaning.names:
            return piece.at == first.at + 1 and any(word in self._spoken(first) for word in piece.leaning.names)
        return brings_in or not piece.leaning.generic


def gist(title: str, abstract: str) -> str:
    """What a paper did and found: one or two whole sentences of its abstract, in its order, as one line of readable
    text of at most `LIMIT` characters. Without what leads over from other sentences, and none that speaks of something
    that stayed behind. Empty only for an abstract of nothing; an abstract without a sentence that fits is cut."""
    return choose(title, abstract, packaged())


def choose(title: str, abstract: str, model: GistModel) -> str:
    """The same by another model."""
    title, readable = maths.text(title[:READ]), maths.text(abstract[:READ])
    found = sentences(readable)
    if found:
        weighing = Weighing(title, found, model)
        drafts = weighing.drafts()
        if drafts:
            best = max(drafts, key=weighing.score)
            return " ".join(piece.text for piece in best)
    return maths.text(excerpt(abstract[:READ], LIMIT))
