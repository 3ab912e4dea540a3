"""The sentences of an abstract, without what ties one to another: "To bridge it,", "In this paper,", "However,"."""

from __future__ import annotations

import re

from flows.editions.excerpt import ABBREVIATION

SENTENCES = 60
"""That are read of an abstract: the longest have half of that."""
LONGEST = 1_500
"""Characters of a sentence that is read: what is longer is no sentence."""
WORK = r"(?:paper|work|study|survey|report|article|research|thesis|review|tutorial|position|letter|manuscript)\b"
_END = re.compile(r"[.!?][\"')\]”’]*(?= [\"'(\[“‘`]*(?:[A-Z0-9$Α-Ωα-ω]|[a-z]{1,6}[A-Z]|\([ivx]{1,4}\) |\([a-z0-9]\)))")
_RUN_ON = re.compile(r"(?<=[a-z]{3}[.!?])(?=[A-Z][a-z]*,? [a-z])")
"""Where the space between two sentences is missing."""
_POINTER = re.compile(
    r"://|www\.|github|huggingface\.co|\.(?:com|io|org|net|ai|dev)\b|project (?:web)?(?:page|site)\b"
    r"|^(?:accepted|code|keywords?|index terms|demo|website)\b"
)
_OFFERED = re.compile(
    r"\b(?:is|are|be|been|made|publicly|freely|openly) (?:\w+ )?(?:available|released|accessible|open-sourced"
    r"|public)\b"
    r"|\b(?:available|released|found|accessible) (?:at|on|under|here|online|via|upon)\b"
    r"|\bwe (?:\w+ )?(?:release|open-source|make) (?:\w+ ){0,3}(?:code|data|models?|weights|checkpoints?"
    r"|data ?sets?)\b"
)
_MORE = re.compile(r"\b(?:introduc|propos|present|show|find|demonstrat|achiev|outperform|construct|develop)")
"""A sentence that only says where something is."""
ORDER = r"First|Firstly|Second|Secondly|Third|Thirdly|Fourth|Next|Then|Finally|Lastly"
_LINK = re.compile(
    rf"(?:{ORDER}|However|Moreover|Furthermore|Additionally|In addition|Besides|Consequently|Therefore|Thus|Hence"
    r"|Accordingly|As a (?:result|consequence)|Meanwhile|Nevertheless|Nonetheless|Conversely|In contrast|By contrast"
    r"|Instead|On the (?:other hand|contrary)|Specifically|In particular|Concretely|Particularly|Notably|Importantly"
    r"|More (?:specifically|concretely|precisely|generally|importantly|broadly|interestingly|fundamentally)|Crucially"
    r"|Remarkably|Surprisingly|Interestingly|Overall|In (?:summary|conclusion|short|sum|brief|essence|response|fact)"
    r"|To (?:summarize|sum up|conclude)|Ultimately|(?:Taken )?[Tt]ogether|Collectively|Empirically|Theoretically"
    r"|Experimentally|Technically|Methodologically|Practically|Conceptually|Mechanistically|Quantitatively|Critically"
    r"|Qualitatively|Strikingly|Encouragingly|Unsurprisingly|Perhaps surprisingly|Here|Indeed|Also|Likewise|Similarly"
    r"|For (?:example|instance)|To (?:this|that) end|To (?:do|\w+) (?:so|this|that|these|it|them|both)"
    r"|At (?:its|the) core"
    rf"|In (?:this|the present|the current|our) (?:\w+ )?(?:\w+ )?(?:{WORK}|experiments|evaluation|investigation)"
    r"|Beyond (?:this|that|these)|But|And|Yet|So|Still|Again|Rather|Alternatively|Equally|To our (?:best )?knowledge"
    r"|In (?:this|that) (?:way|regard|respect|context|setting|direction|light|spirit)|To the best of our knowledge"
    r"|(?:Inspired|Motivated|Guided) by (?:this|these|that)(?: \w+){0,2}|With that|In doing so|By doing so|In turn"
    r"|(?:With|From|Given|Under|Building on|Based on|Using) (?:this|that|these)(?: \w+){0,2})(?:,| —| –|:)? "
)
_BARE = re.compile(r"(?:But|And|Yet|So|Thus|Hence|Here|In this|In the present|In our)\b")
"""What may lead over without a comma."""
_NUMBER = re.compile(r"(?:\((?:[ivx]{1,4}|[a-z]|\d)\)|\d\)) ?")
_ADVERB = re.compile(
    r"\b([Ww]e) (?:then|further|also|first|additionally|finally|thus|therefore|hence|subsequently|next|furthermore"
    r"|moreover|instead|consequently|accordingly|in turn|lastly) (?=[a-z])"
)
_HENCE = re.compile(r"\b(is|are|was|were|can|should|must|may) (?:thus|therefore|hence|then) (?=[a-z])")
_OWN_CASE = re.compile(r"[a-z]+(?!\w)")


def sentences(readable: str) -> list[str]:
    """The sentences of a text that are more than a pointer to code or a page."""
    readable = _RUN_ON.sub(" ", readable).replace(" ,", ",")
    found, start = [], 0
    for end in _END.finditer(readable):
        if not ABBREVIATION.search(readable[max(0, end.end() - 16) : end.end()].rstrip("\"')]”’")):
            found.append(readable[start : end.end()].strip())
            start = end.end()
    found.append(readable[start:].strip())
    return [each for each in found[: 2 * SENTENCES] if each and len(each) <= LONGEST and not _points(each.lower())][
        :SENTENCES
    ]


def _points(low: str) -> bool:
    return bool(_POINTER.search(low) or (_OFFERED.search(low) and not _MORE.search(low)))


def without_adverbs(sentence: str) -> str:
    """ "We therefore propose" as "we propose"."""
    return _HENCE.sub(r"\1 ", _ADVERB.sub(r"\1 ", sentence))


def without_links(sentence: str) -> str:
    """The sentence without what ties it to the one before."""
    sentence = _NUMBER.sub("", sentence, count=1) if _NUMBER.match(sentence) else sentence
    for _ in range(3):
        link = _LINK.match(sentence)
        if not link or not (link[0].rstrip()[-1] in ",—–:" or _BARE.match(link[0])):
            break
        sentence = capital(sentence[link.end() :])
    return sentence


def capital(text: str) -> str:
    """The text with a capital at its head, unless its first word is written in a way of its own ("vLLM")."""
    return text[:1].upper() + text[1:] if _OWN_CASE.match(text) else text
