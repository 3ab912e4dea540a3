"""What a gist may be made of: the sentences of an abstract, shortened where they stay whole and true.

Words are only taken away: what leads over from the sentence before, what says that something was found ("Extensive
experiments show that"), asides in brackets, clauses at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flows.editions.abstracts.leaning import POINTS, Leaning, first_pointing, leaning
from flows.editions.abstracts.sentences import ORDER, WORK, capital, without_adverbs, without_links
from flows.editions.abstracts.short_forms import spelled_out, without_short_forms

ENDINGS = 8
"""So many ways to end a sentence early are tried."""
ROOM = 280
"""Characters that a sentence may have unless it is cut."""
LEAST_LONG = 90
"""Characters that are left of a sentence that is too long."""
LEAST_WORDS = 6
"""Of a sentence once it is cut."""
_US = rf"(?:we|our|this (?:\w+ )?{WORK}|the (?:present )?(?:paper|authors))\b"
_MAIN = re.compile(rf", (?={_US})")
_TO_BOTH = re.compile(r"(?:To|In order to) \w+ (?:both|these|those|this|that|such)\b[^,;:.]{0,60} (?=we )")
"""The same as the other adverbials, without the comma."""
_ADVERBIAL = re.compile(
    r"(?:To|While|Whil?st|Although|Though|Motivated|Inspired|Building|Built|Drawing|Unlike|Despite|Recogni[sz]ing"
    r"|Rather|Instead|Given|Because|Since|Guided|Grounded|Based|Following|Beyond|In (?:contrast|response|light|order"
    r"|view|addition)|As (?:part|an|a)|Noting|Observing|Seeking|Departing|Towards?|Aiming|Driven|Prompted|Different"
    r"|Contrary|Going|Complementing|Recently|Extending|Moving|Considering|Focusing|Addressing|Against)\b"
)
"""Of a clause that can be missed. What stands behind "On", "When" or "Under" may be what makes a sentence true."""
_TALK = r"(?:show|demonstrate|reveal|confirm|verify|validate|prove|establish|find|observe|discover)"
_FINDING = re.compile(
    rf"\b{_TALK}(?:s|d|ed)?(?:,? \w+ly,?)? that (?![,;(]|our\b|the (?:proposed|resulting)\b|(?:it|they|this|these)\b)"
)
_WE_ALSO = re.compile(
    r"We \w[^:;]* and (?:\w+ly |then |further |also )?(?=(?:propose|introduce|present|develop|design|build"
    r"|construct) "
    r"|(?:show|demonstrate|find|prove|reveal) that )"
)
"""What one sentence says beside what it brings in."""
_ANNOUNCED = re.compile(
    r"(?!.{0,160}\b(?:introduce|propose|present)\b)[^:;]{0,120}"
    r"\b(?:finding|result|phenomenon|observation|pattern|fact|trend)\b[^:;,]{0,30}: (?!\(|\w\))"
)
_AND_MORE = re.compile(
    r",? and (?:(?:further|also|thus) )?(?:that|show|reveal|demonstrate|suggest|highlight|provide|indicate"
    r"|confirm|find"
    r"|identify|uncover|discuss|propose|introduce)s?\b"
)
"""Where a sentence goes on with another thing that was found."""
_FINDER = re.compile(
    r"[^;:]{0,200}\b(?:experiment|evaluation|result|analys[ie]s|stud(?:y|ie)|finding|experimentation|benchmark"
    r"|validation"
    r"|ablation|investigation|assessment|comparison|simulation|observation)s?\b[^;:]{0,130} |We (?:\w+ly )?"
)
_TAIL = re.compile(
    r", (?:(?:thereby|thus|hence|while|also|further|ultimately|effectively|significantly|substantially|simultaneously"
    r"|together|often|even) )?(?:achieving|demonstrating|enabling|outperforming|allowing|making|providing|leading"
    r"|resulting|yielding|revealing|showing|highlighting|suggesting|surpassing|improving|reducing|offering|ensuring"
    r"|facilitating|establishing|setting|underscoring|indicating|paving|supporting|covering|spanning|including"
    r"|comprising|ranging|bridging|opening|exceeding|matching|confirming|producing|giving|reaching|maintaining"
    r"|preserving|eliminating|avoiding|delivering|encouraging|capturing|creating|bringing|turning|exposing|raising"
    r"|mitigating|boosting|enhancing|advancing|consistently|without|which|where|whereas|while|with|thereby|thus"
    r"|such as|particularly|especially|even|rather than)\b"
)
_AND_WE = re.compile(
    r",? and (?:we )?(?:further |also |then )?(?:show|demonstrate|find|prove|provide|release|discuss|validate|conduct"
    r"|evaluate|analy[sz]e|observe)\b"
)
_LIST = re.compile(r"(?:[:,]| —| –) \(?(?:1|i|a|I)\)")
_THROUGH = re.compile(r",? (?:through|via|by|with|using|including|namely)\Z")
_DASHES = ("—", "–", "--")
_STOP = re.compile(r"(?:;|:| —| –| --) ")
_TOWARDS = re.compile(
    r"\b(?:address|bridg|fill|tackl|clos|mitigat|overcom|solv|resolv|alleviat|meet|remed|fix|tak|answer|deal)\w*"
    r"(?: with)? (?:this|these|those|such|that|both|all|the (?:two|three|gap))\b"
)
_SO_AS_TO = re.compile(r"(?:,? (?:to|for|that|which|and|by|in order to))?(?: \w+ly)? ?\Z")
"""From here on a sentence speaks of what it follows: "to bridge this gap"."""
_APPOSITION = re.compile(
    r", an? (?=[\w-]+ (?:[\w-]+ ){0,2}(?:that|which|where|for|of|to|with)\b)|, (?=[a-z]+ing )|, with "
)
_BREAK = re.compile(r",? (?:that|which|where|by|via|while|using|through|such as|so that) |, (?=[a-z]{4,}s (?!and\b))")
"""Where a sentence that is too long may be ended at worst."""
_ASIDE = re.compile(r" ?\((?:e\.g\.|i\.e\.|see |cf\.|such as |for example|including )[^()]*\)")
_BRACKETS = re.compile(r" \([^()]{20,}\)")
_ITEM = re.compile(r"(?<!\w)\(?(?:1|i|a|I|2|ii|b|II)\) ")
_VERB = re.compile(
    rf"\b(?:[Ww]e|[Ii]t|[Tt]hey|[Tt]h(?:is|e) (?:\w+ )?{WORK}) (?:\w+ly )?\w+"
    r"|\b(?:is|are|was|were|can|may|must|will|has|have|do|does|cannot|"
    r"(?:achiev|improv|outperform|enabl|introduc|propos|present|provid|us|show|demonstrat|reveal|leverag|combin|reduc"
    r"|learn|remain|support|generat|surpass|find|employ|yield|consist|offer|bridg|cover|allow|exceed|deliver|match"
    r"|reach|requir|compris|span|address|formulat|integrat|extend|train|perform|adapt|produc|transfer|treat|decoupl"
    r"|align|contain|includ|creat|mak|giv|captur|maintain|predict|serv|obtain|exhibit|scal|operat|unif|replac"
    r"|optimiz|evaluat|represent|construct|lead|establish|adopt|utiliz|incorporat|organiz)(?:s|es|ed|e|ies))\b"
)
"""What a clause has: a verb that is likely to be its own."""
_THIRD = re.compile(r"(?:\w+ly )?\w+[a-z]s ")
"""How a relative clause begins, after "a framework that"."""
_CLAIM = re.compile(rf"\b(?:{_TALK}|argue|hypothesi[sz]e|suggest|note|posit|ensure|ask|indicate|so)(?:s|d|ed)?\Z")
_HALF = re.compile(
    r"\b(?:compar(?:es?|ing)|between|combin(?:es?|ing)|pair(?:s|ing)|coupl(?:es|ing)|both|either|not (?:only"
    r"|just|merely)"
    r"|neither|whether)\b(?![^,;]*\b(?:compar|between|combin|pair|coupl|both|either|not only|whether))"
)
_OTHER_HALF = re.compile(r"\b(?:and|with|to|or|but|nor)\b")
_BEFORE = re.compile(
    r",? (?:to|that|which|by|and|via|while|targeted|aimed|tailored|designed|motivated|inspired|\w+ing) |, "
)
"""Where a clause begins that may be left out, if it speaks of what another sentence names."""
_DONE_BY = re.compile(r"(?:ed|en|own) by \Z")
_ITEM_OF_LIST = re.compile(rf"(?:{ORDER}|\(?\w{{1,3}}\))[,:]? [Aa]n? ")
_RELATIVE = re.compile(r" (?:that|which|where|who) ")
_NAMED = re.compile(r"[A-Z][\w-]*(?: \([^()]*\))?, an? (?!.*, (?:\w+ly )?(?:can|\w*[a-z]s) )")
"""A name with what it is called, and no verb: an item of a list."""
_DONE = re.compile(r"[.!?][\"')\]”’]*$")
_UNENDING = """
a able according across an and applied are as at based be because between both by called can close combine
comparable compare compared comprise conclusion conditioned conducted contributing demonstrate designed develop due e.g
each either employ equal equivalent evaluate featuring find finding first for from how hypothesis i.e idea if in
include including insight intended into introduce is its leading less like likely more namely not of on one or our over
phenomenon present prone propose question related relative result reveal sensitive show similar so subject such
tailored termed than that the their these this three through to two under use via we well what when where whether which
while why will with without
"""
_UNENDED = frozenset(_UNENDING.split())
"""A word that no sentence ends with."""
_SCRAP = re.compile(r"[:;] [^:;]{1,40}\Z|, an? [\w-]+\Z")
"""One of several things, the others cut off; what kind of thing it is, without more."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A sentence of an abstract, or what is left of it; equal to itself alone, so that it is a quick key."""

    at: int
    """Which sentence it is."""
    text: str
    whole: bool
    """Whether nothing was cut at its end."""
    finding: bool
    """Whether it was introduced as what was found."""
    leaning: Leaning


def pieces(at: int, sentence: str, title: str, longer: Mapping[str, str]) -> list[Piece]:
    """What a sentence may be shortened to, the longest first, each a whole sentence. Of `longer` forms it gets those of
    the short forms that it uses and does not explain."""
    if _ITEM_OF_LIST.match(sentence) and not _VERB.search(_RELATIVE.split(sentence, maxsplit=1)[0]):
        return []
    start = without_adverbs(without_links(_ASIDE.sub("", sentence).strip()))
    if len(start) > ROOM:
        start = _BRACKETS.sub("", start)
    found: dict[str, Piece] = {}
    for opening, is_finding in _openings(start):
        for text, is_whole in _endings(opening):
            tidy = spelled_out(_sentence(without_short_forms(text, title)), longer)
            if tidy and tidy not in found:
                found[tidy] = Piece(at, tidy, is_whole, is_finding, leaning(tidy))
    return list(found.values())


def _openings(sentence: str) -> Iterator[tuple[str, bool]]:
    """The sentence, and what it says without an adverbial or "experiments show that" at its head."""
    yield sentence, False
    main = _TO_BOTH.match(sentence) or (_MAIN.search(sentence) if _ADVERBIAL.match(sentence) else None)
    if main:
        sentence = without_adverbs(capital(sentence[main.end() :]))
        yield sentence, False
    also = _WE_ALSO.match(sentence) if " and " in sentence else None
    if also:
        yield "We " + sentence[also.end() :], False
    colon = _ANNOUNCED.match(sentence) if ": " in sentence else None
    if colon and _VERB.search(sentence, colon.end()):
        yield capital(sentence[colon.end() :]), True
        return
    found = _FINDING.search(sentence) if " that " in sentence else None
    if found and _FINDER.fullmatch(sentence[: found.start()]):
        clause = sentence[found.end() :]
        more = _AND_MORE.search(clause)
        yield capital(clause[: more.start()] if more else clause), True


def _endings(sentence: str) -> Iterator[tuple[str, bool]]:
    """The sentence, and its beginnings that are sentences too."""
    towards = _TOWARDS.search(sentence)
    before = _SO_AS_TO.search(sentence, max(0, towards.start() - 40), towards.start()) if towards else None
    if towards and before and _is_sentence(left := sentence[: before.start()]):
        if POINTS.search(sentence, before.start()) and len(sentence) - towards.end() < 30:
            sentence = left + "."
        else:
            yield left, False
    yield sentence, True
    pointing = 0 if leaning(sentence).nothing else first_pointing(sentence)
    if pointing:
        befores = [
            cut.start()
            for cut in _BEFORE.finditer(sentence, 0, pointing)
            if _is_sentence(sentence[: cut.start()]) and not _DONE_BY.search(sentence, 0, cut.end())
        ]
        for cut_at in befores[-2:]:
            if len(sentence[:cut_at].split()) > LEAST_WORDS:
                yield sentence[:cut_at], False
    if len(sentence) > ROOM:
        breaks = [
            cut.start() for cut in _BREAK.finditer(sentence, 0, ROOM) if not _DONE_BY.search(sentence, 0, cut.end())
        ]
        yield from [(sentence[:at], False) for at in breaks if at > LEAST_LONG and _is_sentence(sentence[:at])][-2:]
    tried = 0
    for pattern in (_LIST, _STOP, _TAIL, _AND_WE) if len(sentence) <= ROOM else (_LIST, _STOP, _TAIL, _APPOSITION):
        for cut in pattern.finditer(sentence):
            left = _THROUGH.sub("", sentence[: cut.start()])
            if tried == ENDINGS or (";" in cut[0] and ":" in left):
                break
            if cut[0].strip() in _DASHES and sentence.count(cut[0]) > 1:
                break  # a pair of them holds an aside
            if len(left.split()) >= LEAST_WORDS and _is_sentence(left):
                tried += 1
                yield left, False


def _is_sentence(left: str) -> bool:
    """Whether the beginning of a sentence is one: it has a verb, and another where it goes on with "that"."""
    head, that, clause = left.rpartition(" that ")
    if left.rpartition(" ")[2] in _UNENDED or not _balanced(left) or _is_scrap(left):
        return False
    if not _VERB.search(left) or (that and not _goes_on(head, clause)):
        return False
    half = _HALF.search(left)
    return half is None or bool(_OTHER_HALF.search(left, half.end()))


def _goes_on(head: str, clause: str) -> bool:
    """Whether what follows a "that" has a verb: "that parses" has one after "a framework", but not after "we find"."""
    return bool(_VERB.search(clause) or (_THIRD.match(clause) and not _CLAIM.search(head)))


def _is_scrap(left: str) -> bool:
    return bool(_SCRAP.search(left, max(0, len(left) - 43)))


def _balanced(text: str) -> bool:
    return text.count("(") == text.count(")") and text.count("“") == text.count("”") and text.count('"') % 2 == 0


def _sentence(text: str) -> str:
    """The text with a full stop; empty if it is none."""
    text = text.rstrip(" ,;:–—-")
    if len(text.split()) < LEAST_WORDS or len(_ITEM.findall(text)) == 1 or not _balanced(text):
        return ""
    if _NAMED.match(text):
        return ""
    return text if _DONE.search(text) else text + "."
