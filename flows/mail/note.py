"""An editor's note as it stands in a mail: paragraphs, line ends, links, and nothing else. Pure.

Whoever pastes a stranger's words into it gets those words: all of it is escaped, and only http and https are linked.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from flows.mail.look import tidy, wrap

_ADDRESS = r"https?://[^\s\"'<>()\[\]\\^`{|}]{1,500}"
_LINK = re.compile(rf"\[([^\[\]]{{1,200}})\]\(({_ADDRESS})\)|({_ADDRESS})")
_ENDS = ".,;:!?*_"
"""What stands behind an address in a sentence, and not in the address."""


def html(note: str) -> Markup:
    """The note as markup for one element; empty for none."""
    return Markup("<br>\n<br>\n").join(
        Markup("<br>\n").join(_linked(line) for line in paragraph) for paragraph in _paragraphs(note)
    )


def plain(note: str) -> str:
    """The note as plain text in lines of 72 characters, links as "words (address)"."""
    return "\n\n".join("\n".join(wrap(_LINK.sub(_told, line)) for line in paragraph) for paragraph in _paragraphs(note))


def _paragraphs(note: str) -> list[list[str]]:
    blocks = re.split(r"\n\s*\n", note.replace("\r\n", "\n").replace("\r", "\n"))
    found = [[line for part in block.split("\n") if (line := tidy(part))] for block in blocks]
    return [lines for lines in found if lines]


def _linked(line: str) -> Markup:
    made, last = Markup(), 0
    for found in _LINK.finditer(line):
        words, address = found[1], found[2]
        if words is None:
            words = address = found[3].rstrip(_ENDS)
        made += escape(line[last : found.start()])
        made += Markup('<a href="{}">{}</a>').format(address, words)
        last = found.end() if found[1] is not None else found.start() + len(address)
    return made + escape(line[last:])


def _told(found: re.Match[str]) -> str:
    return f"{found[1]} ({found[2]})" if found[1] is not None else found[0]
