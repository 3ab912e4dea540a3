r"""Reads the characters of TeX: runs of text, quotes, dashes, braces, dollars, scripts.

Every input can be read. Time is linear: braces are paired beforehand, and deeper than DEPTH they are only dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum

from flows.editions.tex.guesses import is_formula, is_set, pair
from flows.editions.tex.symbols import MATRICES, SYMBOLS
from flows.editions.tex.tree import Node, Script, Styled, is_kept

DEPTH = 24
"""Levels of nesting that are understood; nobody writes more."""


class Mode(Enum):
    PROSE = "prose"
    MATH = "math"
    """Letters are quantities."""
    UPRIGHT = "upright"
    """A formula whose letters are names."""
    CODE = "code"


Command = Callable[["TexReader", list[Node], str], None]
"""What a command does: it appends to the nodes, and moves the reader behind the arguments that it takes."""

_MATH_RUN = re.compile(r"[^\\${}^_~'&A-Za-z]+")
_RUNS = {
    Mode.PROSE: re.compile(r"(?:[^\\${}^_~`'\"&-]+|-(?!-)|'(?!'))+"),
    Mode.CODE: re.compile(r"[^\\${}]+"),
    Mode.MATH: _MATH_RUN,
    Mode.UPRIGHT: _MATH_RUN,
}
"""What is taken as it is."""
_WORD = re.compile(r"[A-Za-z]+")
_COMMAND = re.compile(r"\\(?:([A-Za-z]+)(\*?)|(.))", re.DOTALL)
_OPTION = re.compile(r" ?\[([^\[\]$\\]{0,100})\]")
_QUOTED = re.compile(r"`([^`'$\\{}]{1,80})'(?!\w)")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_NAME = 3  # characters of the shortest name after a dollar sign


class TexReader:
    """Reads one text from left to right; `at` is where it stands, `end` the end of the part that it reads.

    `keep` stores what must stay as it is and answers its private character.
    """

    def __init__(
        self,
        source: str,
        keep: Callable[[str], str],
        commands: Mapping[str, Command],
        other: Command,
    ) -> None:
        self.source = source
        self.keep = keep
        self.at = 0
        self.end = len(source)
        self.mode = Mode.PROSE
        self.depth = 0
        self.environments: list[tuple[str, Mode]] = []
        self._commands = commands
        self._other = other
        self._pairs = pair(source) if "{" in source else {}
        self._quoted = False

    # ---- what commands use -------------------------------------------------------------------------------------

    @property
    def in_math(self) -> bool:
        return self.mode is Mode.MATH or self.mode is Mode.UPRIGHT

    @property
    def in_matrix(self) -> bool:
        return bool(self.environments) and self.environments[-1][0] in MATRICES

    @property
    def here(self) -> str:
        """The character that comes next; empty at the end."""
        return self.source[self.at : min(self.at + 1, self.end)]

    def before(self, at: int) -> str:
        return self.source[at - 1 : at] if at else ""

    def part(self, start: int, end: int, mode: Mode) -> list[Node]:
        """What stands in [start, end), read in a mode; where the reader stands is left alone."""
        stood = self.at, self.end, self.mode
        self.at, self.end, self.mode = start, end, mode
        self.depth += 1
        nodes: list[Node] = []
        while self.at < self.end:
            self._next(nodes)
        self.depth -= 1
        self.at, self.end, self.mode = stood
        return nodes

    def rest(self, mode: Mode) -> list[Node]:
        """What is left of this part. Nothing where it is too deep."""
        if self.depth >= DEPTH:
            return []
        nodes = self.part(self.at, self.end, mode)
        self.at = self.end
        return nodes

    def argument(self, mode: Mode | None = None) -> list[Node]:
        """The argument that follows: a group, a command or one character. Nothing where there is none."""
        while self.here == " ":
            self.at += 1
        here = self.here
        stood, self.mode = self.mode, mode or self.mode
        nodes: list[Node] = []
        if here == "{":
            closing = self._closing(self.at)
            if closing >= 0:
                nodes = self.part(self.at + 1, closing, self.mode)
                self.at = closing
            self.at += 1
        elif here == "\\" and self.depth < DEPTH:
            self.depth += 1
            self.command(nodes)
            self.depth -= 1
        elif here and here not in "\\}$":
            self.at += 1
            nodes.append(self._letters(here) if here.isascii() and here.isalpha() else here)
        self.mode = stood
        return nodes

    def has_group(self) -> bool:
        at = self.at + (self.here == " ")
        return self.source.startswith("{", at) and self._closing(at) >= 0

    def raw(self) -> str:
        """The source of the group that follows, and on behind it; empty if none does."""
        at = self.at + (self.here == " ")
        closing = self._closing(at) if self.source.startswith("{", at) else -1
        if closing < 0:
            return ""
        self.at = closing + 1
        return self.source[at + 1 : closing]

    def option(self) -> str:
        """The optional argument [in brackets] that follows."""
        found = self.take(_OPTION)
        return found[1] if found else ""

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What matches here, and on behind it."""
        found = pattern.match(self.source, self.at, self.end)
        if found:
            self.at = found.end()
        return found

    def looks_at(self, pattern: re.Pattern[str]) -> bool:
        return bool(pattern.match(self.source, self.at, self.end))

    def skip(self, text: str) -> bool:
        """On behind this text, if it is what comes next."""
        found = self.source.startswith(text, self.at, self.end)
        self.at += len(text) * found
        return found

    # ---- one step ----------------------------------------------------------------------------------------------

    def _next(self, nodes: list[Node]) -> None:
        if run := self.take(_RUNS[self.mode]):
            nodes.append(run[0])
        elif special := _SPECIAL.get(self.source[self.at]):
            special(self, nodes)
        elif word := self.take(_WORD):
            nodes.append(self._letters(word[0]))
        else:
            nodes.append(self._mark(self.source[self.at]))

    def _letters(self, word: str) -> Node:
        # one or two letters of a formula are quantities, more are a name
        return Styled("i", [word]) if self.mode is Mode.MATH and len(word) <= 2 else word

    def command(self, nodes: list[Node]) -> None:
        found = self.take(_COMMAND)
        if not found:  # a backslash at the end
            self.at += 1
            return
        name = found[1] or found[3]
        perform = self._commands.get(name)
        if found[2] and (perform is None or name in SYMBOLS):
            self.at -= 1  # no starred form, but a quantity and an asterisk
        (perform or self._other)(self, nodes, name)

    # ---- quotes, dashes, ties ----------------------------------------------------------------------------------

    def _mark(self, character: str) -> str:
        if character == "`" and (quoted := self.take(_QUOTED)):
            return f"‘{quoted[1]}’"
        if self.skip("``"):
            self._quoted = True
            return "“"
        if self.skip("''"):
            return self._two_apostrophes(self.at - 2)
        if character == "-":
            return self._dash()
        self.at += 1
        if character == '"' and self._quoted:
            self._quoted = False
            return "”"
        return character

    def _two_apostrophes(self, start: int) -> str:
        if not self._quoted and self.here == "(":
            return "″"  # of a derivative
        self._quoted = not self._quoted and self.before(start) in ("", " ", "(") and self.here.isalnum()
        return "“" if self._quoted else "”"

    def _dash(self) -> str:
        start = self.at
        while self.skip("-"):
            pass
        count, before, after = self.at - start, self.before(start), self.here
        is_option = before in ("", " ", "(") and after.isalpha()
        if count > 3 or is_option or before in ("<", "!") or after == ">":
            return "-" * count
        return "—" if count == 3 else "–"

    def _tilde(self, nodes: list[Node]) -> None:
        before, self.at = self.before(self.at), self.at + 1
        follows = self.source[self.at : min(self.at + 2, self.end)]
        # a tie binds what stands before it: after a space, or before a number, it says "about"
        is_about = before in ("", " ", "(", "[", "<", ">", "=") and (
            follows[:1].isalnum() or follows[:1] in ("$", "\\", "/", ".") or follows.lstrip()[:1].isdigit()
        )
        nodes.append("~" if not self.in_math and (is_about or follows[:1] == "/") else " ")

    def _prime(self, nodes: list[Node]) -> None:
        if self.in_math:
            nodes.append("″" if self.skip("''") else "′" * self.skip("'"))
        else:
            nodes.append(self._mark("'"))

    def _ampersand(self, nodes: list[Node]) -> None:
        self.at += 1
        if self.in_matrix:
            nodes.append(", ")
        elif not self.in_math:
            nodes.append("&")

    # ---- groups and formulas -----------------------------------------------------------------------------------

    def _closing(self, at: int) -> int:
        """Where the brace that opens at `at` is closed within this part; -1 if it is not, or is too deep."""
        closing = self._pairs.get(at, -1)
        return closing if closing < self.end and self.depth < DEPTH else -1

    def _brace(self, nodes: list[Node]) -> None:
        start, before = self.at, self.before(self.at)
        closing = self._closing(start)
        self.at += 1
        if self.source[start] == "}" or closing < 0:
            if self.here == "{" and self.source[start] == "}":
                nodes.append(" ")
            return
        inside = self.part(start + 1, closing, self.mode)
        self.at = closing + 1
        if is_kept(before):
            # Hugging Face prints \href{URL}{text} as URL{text}
            repeats = len(inside) == 1 and isinstance(inside[0], str) and is_kept(inside[0][:1])
            nodes += [] if repeats or not inside else [" (", *inside, ")"]
        elif not self.in_math and is_set(self.source[start + 1 : closing]):
            nodes += ["{", *inside, "}"]
        else:
            nodes += inside

    def _dollar(self, nodes: list[Node]) -> None:
        start = self.at
        mark = "$$" if self.skip("$$") else "$"
        self.at = start + len(mark)
        closing = self._closing_dollar(mark)
        if closing >= 0 and not self.in_math and self.depth < DEPTH:
            inside, follows = self.source[self.at : closing], self.source[closing + len(mark) : closing + len(mark) + 1]
            if is_formula(inside, follows) and not self._is_unit(start):
                nodes += self.part(self.at, closing, Mode.MATH)
                self.at = closing + len(mark)
                return
        if self._is_currency(self.before(start)):
            nodes.append("$")

    def _is_unit(self, start: int) -> bool:
        """Whether the dollar sign at `start` names a currency: ($), US$ 5."""
        before, after = self.before(start), self.source[self.at : self.at + 2]
        is_sum = before.isupper() and after[:1] == " " and after[1:].isdigit()
        return is_sum or (before == "(" and after[:1] == ")")

    def _closing_dollar(self, mark: str) -> int:
        limit = min(self.end, self.at + 600)
        closing = self.source.find(mark, self.at, limit)
        while closing > 0 and self.source[closing - 1] == "\\":
            closing = self.source.find(mark, closing + 1, limit)
        return closing

    def _is_currency(self, before: str) -> bool:
        """Whether a dollar sign without a partner is one; else it is left over from a formula."""
        after = self.here
        if after.isdigit() or before.isalpha() or (before, after) == ("(", ")"):
            return True
        word = _WORD.match(self.source, self.at, self.end)
        is_name = word is not None and len(word[0]) >= _NAME and word[0][0].isupper()
        return is_name or self.source.startswith(" per ", self.at)

    # ---- scripts -----------------------------------------------------------------------------------------------

    def _script(self, nodes: list[Node]) -> None:
        mark = self.source[self.at]
        self.at += 1
        if not self.in_math and not (self._is_index(nodes) if mark == "_" else self._is_power()):
            nodes.append(mark)
        elif self.depth >= DEPTH or not self.here:
            nodes.append(mark if self.here.isalnum() else "")
        elif not self.in_math and (number := self.take(_NUMBER)):
            nodes.append(Script(mark, [number[0]]))
        else:
            nodes.append(Script(mark, self.argument()))

    def _is_index(self, nodes: list[Node]) -> bool:
        """Whether this `_` outside a formula makes an index (d_k, CO_2, V_{0.5}) and is no part of a name (top_k)."""
        after = self.here
        if after in ("{", "\\"):
            return True
        base = self.source[max(0, self.at - 4) : self.at - 1]
        if nodes and isinstance(nodes[-1], str) and nodes[-1][-1:] != base[-1:]:
            base = nodes[-1]  # a command stands there, and has become this
        is_letter = base[-1:].isalpha() and not (base[-2:-1].isalnum() or base[-2:-1] == "_")
        is_compound = base[-2:].isupper() and not base[:-2].isalnum() and after.isdigit()
        is_operator = base[-1:] in tuple("∑∏∫") or self.before(self.at - 1) in (")", "}")
        return (is_letter or is_compound or is_operator) and self._is_single()

    def _is_power(self) -> bool:
        after = self.here
        if after in ("+", "-"):
            return self.source[self.at + 1 : self.at + 2].isdigit()
        return after in ("{", "\\", "*", "′") or self._is_single()

    def _is_single(self) -> bool:
        """Whether a number comes next, or one letter that begins no word."""
        after = self.source[self.at + 1 : self.at + 2]
        goes_on = after.isalnum() or after in ("_", "@")
        return self.here.isdigit() or (self.here.isalpha() and not goes_on)


_SPECIAL: dict[str, Callable[[TexReader, list[Node]], None]] = {
    "\\": TexReader.command,
    "$": TexReader._dollar,
    "{": TexReader._brace,
    "}": TexReader._brace,
    "^": TexReader._script,
    "_": TexReader._script,
    "~": TexReader._tilde,
    "'": TexReader._prime,
    "&": TexReader._ampersand,
}
