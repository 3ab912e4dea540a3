"""A stranger's words in Prefect's UI, and the keys of what is shown there."""

from __future__ import annotations

import re

from flows.editions.model import Kind


def key(what: str, newsletter: str, kind: Kind) -> str:
    """What the UI keeps a history under: the weekly editions have their own."""
    return f"{what}-{newsletter}" if kind is Kind.DAILY else f"{what}-{newsletter}-{kind}"


_SIGNS = re.compile(
    r"[\\`*\[\]<|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)"  # emphasis, code, links, HTML, columns, entities
    r"|:(?=//)|(?<=www)\.|(?<=\w)@"  # what is made a link by itself
    r"|^[-+=#>]|(?<=^\d)[.)]|(?<=^\d\d)[.)]"  # lists, headings, quotations
)


def cell(words: str) -> str:
    """A stranger's words where Prefect's UI reads Markdown and HTML, in cells of tables and in descriptions too: every
    sign of them stands for itself."""
    return _SIGNS.sub(r"\\\g<0>", " ".join(words[:300].split()))
