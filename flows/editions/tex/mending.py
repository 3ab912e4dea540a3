r"""Gives back what a source lost of its TeX: `leq`, `QK^top` and `{bf 1}_n` get their backslashes again.

Hugging Face strips `$` and some backslashes. What could also be an English word is only mended where its
neighbours are those of a formula: "4 times 4" is one, "6 times higher" is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NEVER_ENGLISH = (
    "leq geq neq infty propto cdot cdots ldots otimes oplus nabla varepsilon varphi langle rangle lfloor rfloor"
)
_NEVER_ENGLISH += " lceil rceil lVert rVert rightarrow leftarrow leftrightarrow longrightarrow Rightarrow Leftarrow"
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega "
    "Gamma Delta Theta Lambda Sigma Phi Psi Omega"
)
_RAISED = "top star circ prime dagger ast infty perp"
_STYLE = "math(?:cal|bb|bf|rm|sf|it|scr)|boldsymbol|operatorname|text(?:bf|it|rm|tt|sf|sc)?"

_AFTER = r"(?![A-Za-z])"
_OPERAND = r"(?:\d[\d.,]*|(?<![\w\\'’-])[B-HJ-Zb-z]|[)\]}]|_\w|_\{\w+\})"


def _any(names: str) -> str:
    return names.replace(" ", "|")


@dataclass(frozen=True, slots=True)
class _Rule:
    """What to put for a pattern. It cannot occur in a text that holds none of `words`, which is faster to see."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str


def _rule(words: str, pattern: str, replacement: str) -> _Rule:
    return _Rule(tuple(words.split()), re.compile(pattern), replacement)


_PRODUCT = _rule("times cdot pm sim", rf"({_OPERAND}) (times|cdot|pm|sim) (?=\d|[B-HJ-Zb-z](?![\w'’])|\\)", r"\1 \\\2 ")

_RULES = (
    _rule("^", rf"\^(\{{?)({_any(_RAISED)})(?:{_AFTER}|(?=times\d))", r"^\1\\\2"),
    # next to a number or a closed bracket no command can be a word: 2.4times, 1.04sim2.2, leq6.9B
    _rule("times sim pm approx leq geq", rf"([\d}}]|circ)(times|sim|pm|approx|leq|geq){_AFTER}", r"\1\\\2"),
    _rule("leq geq neq approx sim pm", r"(?<![\\\w-])(leq|geq|neq|approx|sim|pm)(?=\d)", r"\\\1"),
    _rule("cdot", r"(?<=[^\W\d_A-Za-z])cdot(?= \w)", r" \\cdot"),
    _rule(_NEVER_ENGLISH, rf"(?<![\\A-Za-z])({_any(_NEVER_ENGLISH)}){_AFTER}", r"\\\1"),
    _rule("approx", rf"(?<![\\\w-])approx{_AFTER}(?!\.)", r"\\approx"),
    _rule("{", rf"(?<![_^])\{{(times|sim|approx|pm|mp|circ|cdot|leq|geq|to|rightarrow|{_any(_GREEK)})\}}", r"{\\\1}"),
    # twice: the right operand of one is the left operand of the next
    _PRODUCT,
    _PRODUCT,
    _rule("mid", r"(?<![\w\\])(\w) mid (?=\w(?!\w))", r"\1 \\mid "),
    _rule("{", rf"(?<![\\A-Za-z])({_STYLE})(?=\{{)", r"\\\1"),
    _rule("math bold", r"(?<![\\\w])(mathcal|mathbb|mathbf|mathrm|boldsymbol)(?= [A-Z]\b|[^\x00-\x7f])", r"\\\1"),
    _rule("{", r"\{(bf|it|rm|cal|em|tt|sf) ", r"{\\\1 "),
    _rule("sqrt", r"(?<![\\\w])sqrt(?=[\[{(])", r"\\sqrt"),
    _rule("sum_ prod_ int_", r"(?<![\\\w])(sum|prod|int)(?=_(?:\{|[A-Za-z](?!\w)))", r"\\\1"),
    _rule(
        _GREEK,
        rf"(?<![\\\w-])({_any(_GREEK)})(?=[_^](?:\{{|[\w*]\b(?!_))|\*|\ ?[=<>≤≥≈∼]\ ?[\d\\]| \\approx)",
        r"\\\1",
    ),
    _rule("Omega Theta Delta", r"(?<![\\\w-])(Omega|Theta|Delta)(?=\(| [A-Za-z]_)", r"\\\1"),
    _rule("ell_ ell^", r"(?<![\\\w])ell(?=[_^])", r"\\ell"),
    _rule("bullet", r"(?:(?<=^)|(?<=[:;.] ))bullet (?=[A-Z])", "• "),
    # some write Markdown instead
    _rule("**", r"(?<![\w*])\*\*(?=\S)([^*{}\\$]{1,200}?)(?<=\S)\*\*(?![\w*])", r"\\textbf{\1}"),
)


def mend(source: str) -> str:
    """The text with the backslashes that it must have had. A text without damage is left as it is."""
    for rule in _RULES:
        for word in rule.words:
            if word in source:
                source = rule.pattern.sub(rule.replacement, source)
                break
    return source
