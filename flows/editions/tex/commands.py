r"""What each command of TeX does. One that is not known is the author's own: its argument is shown, or its name."""

from __future__ import annotations

import re
from collections.abc import Callable

from flows.editions.tex import symbols
from flows.editions.tex.reader import DEPTH, Command, Mode, TexReader
from flows.editions.tex.tree import Accented, Fraction, Lettered, Node, Root, Script, Styled, is_kept

_LAYOUT = re.compile(r"\{[^{}]{0,60}\}")
_ENVIRONMENT = re.compile(r" ?\{([A-Za-z]{1,30}\*?)\}")
_QUANTITY = re.compile(rf" (?:[\w({{]|\\(?:{'|'.join(sorted(symbols.LETTERS | symbols.OPERATORS))})(?![A-Za-z]))")
_PICTURE = re.compile(r"(?:icon|emoji|logo)$")
_OLD_STYLES = frozenset(("bf", "it", "em", "tt"))


def read(source: str, keep: Callable[[str], str]) -> list[Node]:
    """The tree of a text. `keep` stores what must stay as it is and answers its private character."""
    return TexReader(source, keep, _COMMANDS, _unknown).rest(Mode.PROSE)


def _unknown(reader: TexReader, nodes: list[Node], name: str) -> None:
    start = reader.at - len(name) - 1
    before = reader.before(start)
    if _PICTURE.search(name):
        return
    if reader.skip("{}"):
        nodes.append(name)
    elif reader.has_group() and name.isalpha():
        nodes += reader.argument()
    elif name.isdigit() and before in ("", " ", "("):
        # Hugging Face prints \$81 as \81
        nodes.append("$" + name)
    elif not reader.in_math and name.isalnum() and (before.isalnum() or before == ":"):
        # no macro begins within a word or after a drive's letter: a path, or "and\or"
        nodes.append("\\" + name)
    else:
        nodes.append(name)


def _accent(reader: TexReader, nodes: list[Node], name: str) -> None:
    after = reader.source[reader.at : min(reader.at + 2, reader.end)]
    if name.isalpha():
        takes = after[:1] == "{" or (after[:1] == " " and after[1:].isalpha() and not reader.in_math)
    else:
        takes = after[:1].isalpha() or after[:1] in ("{", "\\")
    if takes:
        nodes.append(Accented(symbols.ACCENTS[name], reader.argument(Mode.PROSE), in_word=True))
    elif name in symbols.SYMBOLS:
        _symbol(reader, nodes, name)
    else:
        _unknown(reader, nodes, name)


def _symbol(reader: TexReader, nodes: list[Node], name: str) -> None:
    start = reader.at - len(name) - 1
    nodes.append(symbols.SYMBOLS[name])
    if name == "\\":
        reader.option()
        nodes[-1] = "; " if reader.in_matrix else " "
    elif name.isalpha() and not reader.skip("{}"):
        is_needed = not reader.in_math and name not in symbols.OPERATORS
        if name in symbols.LETTERS:
            is_needed = is_needed or not reader.looks_at(_QUANTITY)
        elif name not in symbols.OPERATORS:
            is_needed = is_needed or reader.before(start) == " "
        if not is_needed:
            reader.skip(" ")


def _function(reader: TexReader, nodes: list[Node], name: str, shown: list[Node] | None = None) -> None:
    """A function keeps its distance from what stands beside it; `shown`, if that is not its command's name."""
    start = reader.at - len(name) - 1 if shown is None else reader.at
    before = reader.before(start)
    if shown is None and (before.isalnum() or before in (")", "}", "]")):
        nodes.append(" ")
    nodes += shown or [symbols.NAMED[name]]
    after = reader.source[reader.at : min(reader.at + 2, reader.end)]
    if after[:1].isalnum() or (after[:1] == "\\" and after[1:].isalpha()):
        nodes.append(" ")


def _operator(reader: TexReader, nodes: list[Node], name: str) -> None:
    before = reader.before(reader.at - len(name) - 1)
    if before.isalnum() or before in (")", "}", "]"):
        nodes.append(" ")
    _function(reader, nodes, name, reader.argument(Mode.UPRIGHT if reader.in_math else None))


def _silent(reader: TexReader, nodes: list[Node], name: str) -> None:
    if name in ("left", "right", "middle"):
        reader.skip(".")
    elif not reader.skip("{}"):
        reader.skip(" ")


def _roman(reader: TexReader, nodes: list[Node], name: str) -> None:
    _silent(reader, nodes, name)
    if reader.in_math and reader.depth > 1:
        nodes += reader.rest(Mode.UPRIGHT)


def _removed(reader: TexReader, nodes: list[Node], name: str) -> None:
    reader.option()
    reader.raw()


def _style(reader: TexReader, nodes: list[Node], name: str) -> None:
    style = symbols.STYLES[name]
    mode = Mode.UPRIGHT if reader.in_math else Mode.CODE if style == "code" else reader.mode
    if name in _OLD_STYLES and reader.here != "{":
        _silent(reader, nodes, name)
        # outside a group it would last to the end of the text
        body = reader.rest(mode) if reader.depth > 1 else []
    else:
        body = reader.argument(mode)
    if body:
        nodes.append(Styled(style, body))


def _upright(reader: TexReader, nodes: list[Node], name: str) -> None:
    nodes += reader.argument(Mode.UPRIGHT if reader.in_math else None)


def _textual(reader: TexReader, nodes: list[Node], name: str) -> None:
    nodes += reader.argument(Mode.PROSE)


def _formula(reader: TexReader, nodes: list[Node], name: str) -> None:
    nodes += reader.argument(Mode.MATH)


def _math_accent(reader: TexReader, nodes: list[Node], name: str) -> None:
    nodes.append(Accented(symbols.MATH_ACCENTS[name], reader.argument()))


def _alphabet(reader: TexReader, nodes: list[Node], name: str) -> None:
    if name in ("cal", "frak") and reader.here != "{":
        _silent(reader, nodes, name)
        body = reader.rest(Mode.UPRIGHT) if reader.depth > 1 else []
    else:
        body = reader.argument(Mode.UPRIGHT if reader.in_math else None)
    nodes.append(Lettered(name, body))


def _fraction(reader: TexReader, nodes: list[Node], name: str) -> None:
    over = reader.argument()
    nodes.append(Fraction(over, reader.argument()))


def _binomial(reader: TexReader, nodes: list[Node], name: str) -> None:
    over = reader.argument()
    nodes += ["(", *over, " choose ", *reader.argument(), ")"]


def _root(reader: TexReader, nodes: list[Node], name: str) -> None:
    index = reader.option()
    if reader.here in ("(", ""):
        nodes.append("√")
    else:
        nodes.append(Root(index, reader.argument()))


def _above(reader: TexReader, nodes: list[Node], name: str) -> None:
    """What stands over or under a sign is a script of it."""
    script = reader.argument()
    nodes += [*reader.argument(), Script("_" if name == "underset" else "^", script)]


def _arrow(reader: TexReader, nodes: list[Node], name: str) -> None:
    reader.option()
    nodes += ["→" if "right" in name else "←", Script("^", reader.argument())]


def _scripted(reader: TexReader, nodes: list[Node], name: str) -> None:
    nodes.append(Script("^" if "super" in name else "_", reader.argument()))


def _url(reader: TexReader, nodes: list[Node], name: str) -> None:
    start, address = reader.at, reader.raw().strip()
    if any(is_kept(character) for character in address):
        reader.at = start
        nodes += reader.argument()
    elif address:
        nodes.append(reader.keep(address))


def _href(reader: TexReader, nodes: list[Node], name: str) -> None:
    address: list[Node] = []
    _url(reader, address, name)
    shown = reader.argument() if reader.has_group() else []
    if not shown or shown == address:
        nodes += address
    else:
        nodes += [*shown, " (", *address, ")"]


def _note(reader: TexReader, nodes: list[Node], name: str) -> None:
    reader.option()
    note = reader.argument(Mode.PROSE)
    nodes += [" (", *note, ")"] if note else [" "]


def _quantity(reader: TexReader, nodes: list[Node], name: str) -> None:
    r"""siunitx: \SI{5}{\metre}."""
    reader.option()
    nodes += reader.argument()
    if reader.has_group():
        nodes.append(reader.raw().replace("\\", " ").strip().join((" ", "")))


def _second(reader: TexReader, nodes: list[Node], name: str) -> None:
    r"""Only the second argument is meant for readers: \textcolor{red}{text}."""
    reader.option()
    reader.raw()
    nodes += reader.argument()


def _item(reader: TexReader, nodes: list[Node], name: str) -> None:
    nodes.append(f" {reader.option() or '•'} ")


def _modulo(reader: TexReader, nodes: list[Node], name: str) -> None:
    nodes += [" (mod ", *reader.argument(), ")"]


def _bracket(reader: TexReader, nodes: list[Node], name: str) -> None:
    r"""\( … \) and \[ … \] hold a formula."""
    closing = -1
    if name in ("(", "[") and not reader.in_math and reader.depth < DEPTH:
        closing = reader.source.find("\\)" if name == "(" else "\\]", reader.at, min(reader.end, reader.at + 1000))
    if closing >= 0:
        nodes += reader.part(reader.at, closing, Mode.MATH)
        reader.at = closing + 2


def _begin(reader: TexReader, nodes: list[Node], name: str) -> None:
    found = reader.take(_ENVIRONMENT)
    if not found:
        return
    environment = found[1]
    nodes.append(symbols.MATRICES.get(environment, " ")[:1])
    if len(reader.environments) < DEPTH:
        reader.environments.append((environment, reader.mode))
    if environment in symbols.MATRICES or environment in symbols.FORMULAS:
        reader.mode = Mode.MATH
    if environment in ("array", "tabular", "alignat"):
        reader.take(_LAYOUT)


def _end(reader: TexReader, nodes: list[Node], name: str) -> None:
    if not reader.take(_ENVIRONMENT):
        return
    if reader.environments:
        environment, reader.mode = reader.environments.pop()
        nodes.append(symbols.MATRICES.get(environment, " ")[-1:])


_COMMANDS: dict[str, Command] = {
    **dict.fromkeys(symbols.SYMBOLS, _symbol),
    **dict.fromkeys(symbols.ACCENTS, _accent),
    **dict.fromkeys(symbols.NAMED, _function),
    **dict.fromkeys(symbols.SILENT, _silent),
    **dict.fromkeys(symbols.REMOVED, _removed),
    **dict.fromkeys(symbols.STYLES, _style),
    **dict.fromkeys(symbols.UPRIGHT, _upright),
    **dict.fromkeys(symbols.TEXTUAL, _textual),
    **dict.fromkeys(symbols.MATH_ACCENTS, _math_accent),
    **dict.fromkeys(symbols.ALPHABETS, _alphabet),
    **dict.fromkeys(("frac", "tfrac", "dfrac", "cfrac", "nicefrac", "sfrac"), _fraction),
    **dict.fromkeys(("binom", "tbinom", "dbinom"), _binomial),
    **dict.fromkeys(("overset", "underset", "stackrel"), _above),
    **dict.fromkeys(("xrightarrow", "xleftarrow"), _arrow),
    **dict.fromkeys(("textsuperscript", "textsubscript"), _scripted),
    **dict.fromkeys(("url", "nolinkurl", "path"), _url),
    **dict.fromkeys(("footnote", "thanks", "footnotetext"), _note),
    **dict.fromkeys(("SI", "qty", "qtyproduct", "qtyrange", "SIrange"), _quantity),
    **dict.fromkeys(("textcolor", "colorbox", "texorpdfstring", "foreignlanguage"), _second),
    **dict.fromkeys("()[]", _bracket),
    "operatorname": _operator,
    "ensuremath": _formula,
    "rm": _roman,
    "sqrt": _root,
    "href": _href,
    "item": _item,
    "pmod": _modulo,
    "begin": _begin,
    "end": _end,
}
