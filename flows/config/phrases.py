"""The words of web pages and letters: one file, `words.toml` in the folder of templates, so that a translation is one
file. Tables go by page; a phrase is named by its tables and its key, as in `manage.title`.

A phrase is plain text with the values that it needs in braces: `{name}`, `{count:,}`. One that depends on a number is
a table of `one` and `other`, chosen by the value `count`.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from flows.config.text_files import text_of
from flows.outcomes import Problem

FILE = "words.toml"

Phrase = Mapping[str, str]
"""By `one` and `other`; one that does not depend on a number has `other` alone."""


class Phrases:
    """The phrases of the first folder that has them, key by key: the operator's own folder comes before ours.

    Raises Problem for a file that can't be read, or whose phrase wants a value that ours does not have.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._phrases: dict[str, Phrase] = {}
        for folder in reversed(folders):
            if (file := folder / FILE).exists():
                self._lay_over(file)

    def __call__(self, key: str, /, **values: Any) -> Markup:
        """The phrase as HTML, it and its values escaped. A missing key or value raises KeyError."""
        return escape(self._chosen(key, values)).format(**values)

    def text(self, key: str, /, **values: Any) -> str:
        """The phrase as plain text, for a subject or a mail's text."""
        return self._chosen(key, values).format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self._phrases

    def __iter__(self) -> Iterator[str]:
        return iter(self._phrases)

    def _chosen(self, key: str, values: Mapping[str, Any]) -> str:
        phrase = self._phrases[key]
        return phrase["one"] if "one" in phrase and values["count"] == 1 else phrase["other"]

    def _lay_over(self, file: Path) -> None:
        try:
            tables = tomllib.loads(text_of(file))
        except tomllib.TOMLDecodeError as error:
            raise Problem(f"{file} can't be read ({error}): correct or remove it.") from error
        for key, phrase in _flat(file, tables):
            known = self._phrases.get(key)
            for words in phrase.values():
                wanted = _values(file, key, words)
                if known is not None and not wanted <= (had := _values(file, key, *known.values())):
                    names = ", ".join(sorted(had)) or "none"
                    raise Problem(f"{file}: {key} wants {{{min(wanted - had)}}}; its values are: {names}.")
            self._phrases[key] = phrase


def _flat(file: Path, table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Phrase]]:
    for name, value in table.items():
        key = f"{above}{name}"
        if isinstance(value, str):
            yield key, {"other": value}
        elif not isinstance(value, dict):
            raise Problem(f"{file}: {key} is neither words in quotes nor a table.")
        elif "other" in value and value.keys() <= {"one", "other"}:
            if not all(isinstance(words, str) for words in value.values()):
                raise Problem(f"{file}: {key} should have words in quotes for one and other.")
            yield key, value
        else:
            yield from _flat(file, value, f"{key}.")


def _values(file: Path, key: str, *words: str) -> set[str]:
    try:
        names = [name for text in words for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise Problem(f"{file}: {key} is not well formed ({error}): double a brace that is meant.") from error
    if bad := [name for name in names if not name.isidentifier()]:
        raise Problem(f"{file}: {key} has {{{bad[0]}}}: in braces stands the name of a value.")
    return set(names)
