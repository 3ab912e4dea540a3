r"""TeX in titles and abstracts made readable: as plain text (`x², √(n+1), ≤`) and as HTML (`x<sup>2</sup>`).

What is not TeX stays: prices, snake_case, `<tags>`, URLs. Nothing raises, no word is lost, and both take time in
proportion to the length, of which at most LIMIT characters are read.
"""

from __future__ import annotations

import html as markup
import re
import unicodedata
from collections.abc import Sequence

from flows.editions.tex import symbols
from flows.editions.tex.commands import read
from flows.editions.tex.mending import mend
from flows.editions.tex.tree import FIRST_KEPT, Accented, Fraction, Lettered, Node, Root, Script, Styled, is_kept

LIMIT = 20_000
"""Characters of a source that are read; the rest is cut off with an ellipsis."""

_TEX = re.compile(r"[\\$^_{}~`&]|--|''")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\uffff"
    r"\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]"
)
"""Controls, private characters, and marks that turn the direction of all that follows."""
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_CITATION = re.compile(
    r" ?~?\\(?:[cC]ite[a-zA-Z]*|footcite|parencite|textcite|nocite|[cC]?ref|eqref|autoref)\*? ?"
    r"(?:\[[^\[\]]{0,200}\]){0,2} ?\{[^{}]{0,1000}\}"
)
_ADDRESS = re.compile(
    r"\\?https?://(?:[^\s{}<>\"\\]|\\[_%&#~])+"
    r"|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"
    r"|(?<![\w/.@-])(?:[A-Za-z0-9][\w-]{0,62}\.){1,4}[a-z]{2,6}/(?:[^\s{}<>\"\\$^]|\\[_%&#~])*"
    r"|(?<![\w\\$])[A-Z]:(?:\\[\w.-]+){2,16}"
)
"""URLs, addresses of mail, web addresses without a scheme, Windows paths."""
_ESCAPED = re.compile(r"\\([_%&#~])|^\\(?=http)")
_TRAILING = re.compile(r"[.,;:!?'’”)\]$]+$")

_OPEN = {"sup": "\ue000", "sub": "\ue001", "i": "\ue002", "b": "\ue003", "code": "\ue004"}
_CLOSE = {"sup": "\ue008", "sub": "\ue009", "i": "\ue00a", "b": "\ue00b", "code": "\ue00c"}
_TAGS = {ord(mark): f"<{tag}>" for tag, mark in _OPEN.items()} | {
    ord(mark): f"</{tag}>" for tag, mark in _CLOSE.items()
}
_NO_TAGS = dict.fromkeys(_TAGS)


def text(source: str) -> str:
    """The source as one line of plain text."""
    return _convert(source, tagged=False)


def html(source: str) -> str:
    """The source as one line of HTML: everything escaped, quotes too, with no tags but sup, sub, i, b and code."""
    return markup.escape(_convert(source, tagged=True)).translate(_TAGS)


def _convert(source: str, *, tagged: bool) -> str:
    """The readable text, in which private characters stand for tags: they survive folding and escaping."""
    source = _fold(_limit(source))
    if not _TEX.search(source) and not _TEX.search(source := mend(source)):
        return source
    kept: dict[str, str] = {}

    def keep(literal: str) -> str:
        return kept.setdefault(literal, chr(FIRST_KEPT + len(kept)))

    def address(found: re.Match[str]) -> str:
        whole = found[0]
        tail = _TRAILING.search(whole)
        end = tail.start() if tail else len(whole)
        if "(" in whole[:end] and ")" in whole[end:]:
            end = whole.index(")", end) + 1
        return keep(_ESCAPED.sub(r"\1", whole[:end])) + whole[end:]

    source = _ADDRESS.sub(address, _CITATION.sub("", source))
    readable = _render(read(mend(source), keep), tagged)
    if not kept:
        return _tidy(readable)
    # a URL must stay what it is; what else was kept may need a touch
    urls = {ord(character): literal for literal, character in kept.items() if literal.startswith("http")}
    others = {ord(character): literal for literal, character in kept.items() if not literal.startswith("http")}
    return _tidy(readable.translate(others)).translate(urls)


def _limit(source: str) -> str:
    if len(source) <= LIMIT:
        return source
    beginning = source[:LIMIT]
    return (beginning.rpartition(" ")[0] or beginning) + " …"


def _fold(source: str) -> str:
    """White space as single spaces, entities resolved once; nothing invisible that could turn or break a line."""
    if "&" in source:
        source = _ENTITY.sub(lambda entity: markup.unescape(entity[0]), source)
    return " ".join(_UNSEEN.sub("", source).split())


# ---- from tree to text -----------------------------------------------------------------------------------------


def _render(nodes: Sequence[Node], tagged: bool) -> str:
    return "".join([node if isinstance(node, str) else _render_node(node, tagged) for node in nodes])


def _render_node(node: Node, tagged: bool) -> str:
    match node:
        case str():
            shown = node
        case Script(mark, body):
            shown = _script(mark, _render(body, tagged).strip(), tagged)
        case Styled(style, body):
            shown = _tag(style, _render(body, tagged)) if tagged else _render(body, tagged)
        case Accented(accent, body, in_word):
            shown = _accent(accent, _render(body, tagged), in_word)
        case Lettered(alphabet, body):
            shown = _letter(symbols.ALPHABETS[alphabet], _render(body, tagged))
        case Fraction(over, under):
            shown = f"{_operand(_render(over, tagged))}/{_operand(_render(under, tagged))}"
        case Root(index, body):
            shown = _root(index, _operand(_render(body, tagged)), tagged)
    return shown


def _tag(tag: str, body: str) -> str:
    return f"{_OPEN[tag]}{body}{_CLOSE[tag]}" if body.strip() else body


def _script(mark: str, body: str, tagged: bool) -> str:
    if not body:
        return ""
    if body in ("∘", "°", "′", "′′"):
        return body.replace("∘", "°") if mark == "^" else body
    body = body.translate(_PLAIN_SCRIPT)
    if tagged:
        return _tag("sup" if mark == "^" else "sub", body)
    table = symbols.SUPERSCRIPTS if mark == "^" else symbols.SUBSCRIPTS
    is_short = len(body) <= 6 and (mark == "_" or _SIMPLE.fullmatch(body))
    if is_short and all(ord(character) in table for character in body):
        return body.translate(table)
    if len(body) == 1 or (_NAME.fullmatch(body) and mark == "_") or _BRACKETED.fullmatch(body):
        return mark + body
    return f"{mark}({body})"


_PLAIN_SCRIPT = str.maketrans("⊤∗⋆", "T**")
_SIMPLE = re.compile(r"[-+]?\w{1,4}[-+]?\w?|[*′+-]+|\(\w{1,3}\)")
_NAME = re.compile(r"[A-Za-z0-9Α-ω.]+")
_BRACKETED = re.compile(r"\([^()]*\)")
_ATOM = re.compile(r"[∂∇]?[\w.∞′⁰-₟%]*")


def _operand(body: str) -> str:
    """What stands beside a fraction bar or under a root, bracketed unless it is one thing."""
    body = body.strip()
    seen = body.translate(_NO_TAGS)
    return body if len(seen) <= 1 or _ATOM.fullmatch(seen) or _BRACKETED.fullmatch(seen) else f"({body})"


def _root(index: str, body: str, tagged: bool) -> str:
    sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(index)
    return (sign or _script("^", index, tagged) + "√") + body


def _accent(accent: str, body: str, in_word: bool) -> str:
    seen = body.translate(_NO_TAGS)
    if in_word and len(seen) > 1:
        return _accent(accent, seen[0], in_word) + seen[1:]
    if len(seen) != 1 or is_kept(seen) or seen.isspace():
        return body
    base = {"ı": "i", "ȷ": "j"}.get(seen, seen)
    return body.replace(seen, unicodedata.normalize("NFC", base + accent), 1)


def _letter(alphabet: dict[str, str], body: str) -> str:
    if len(body.translate(_NO_TAGS).strip()) > 2:
        return body
    return "".join(alphabet.get(character, character) for character in body)


# ---- the last touches ------------------------------------------------------------------------------------------

_BEFORE_MARK = re.compile(r" +(?=[,;)](?:\W|$)|\.(?:\s|$)|[⟩⌉⌋])")
_AFTER_BRACKET = re.compile(r"(?<=[(⟨⌈⌊]) +")
_BACKSLASH = re.compile(r"\\(?=[a-zA-Z]{2}|[%_&$#{}])")


def _tidy(readable: str) -> str:
    """Spaces that TeX would not print taken out, and what would still look like TeX made to look like itself."""
    readable = re.sub(r" {2,}", " ", readable).strip()
    readable = _BEFORE_MARK.sub("", _AFTER_BRACKET.sub("", readable))
    if "\\" in readable:
        readable = _BACKSLASH.sub("∖", readable)
    if "_{" in readable or "^{" in readable:
        readable = readable.replace("_{", "_ {").replace("^{", "^ {")
    if readable.count("$") > 1:
        readable = _between_prices(readable)
    return readable


def _between_prices(readable: str) -> str:
    """An underscore between two dollar signs would be taken for a formula: its look-alike is not."""
    first, *between, last = readable.split("$")
    looks = str.maketrans({"\\": "∖", "^": "ˆ", "_": "ˍ"})
    return "$".join([first, *(part.translate(looks) if len(part) <= 81 else part for part in between), last])
