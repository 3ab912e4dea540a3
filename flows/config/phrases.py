"""The words of pages, letters and mails: files in the folders of templates, so that a translation is one file. In
`words.toml` they are English, in `words.de.toml` German. Tables go by page; a phrase is named by its tables and its
key, as in `manage.title`.

A phrase is plain text with the values that it needs in braces: `{name}`, `{count:,}`. One that depends on a number is
a table of `one` and `other`, chosen by the value `count`.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from flows.config.text_files import text_of
from flows.outcomes import Problem

FILE = "words.toml"
ENGLISH = "en"
LANGUAGE = "site.lang"
PROPER = frozenset({LANGUAGE, "site.name"})
"""What a translation has no words for: the site's name, and the language, which its file's name says."""

_NAMED = re.compile(r"words\.([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\.toml")
_THOUSANDS = "site.thousands"

Phrase = Mapping[str, str]
"""By `one` and `other`; one that does not depend on a number has `other` alone."""


class Phrases:
    """The phrases of one language, by their keys."""

    def __init__(self, phrases: Mapping[str, Phrase]) -> None:
        self._phrases = phrases
        self._thousands = phrases[_THOUSANDS]["other"] if _THOUSANDS in phrases else ","

    def __call__(self, key: str, /, **values: Any) -> Markup:
        """The phrase as HTML, it and its values escaped. A missing key or value raises KeyError."""
        return escape(self._chosen(key, values)).format(**self._written(values))

    def text(self, key: str, /, **values: Any) -> str:
        """The phrase as plain text, for a subject or a mail's text."""
        return self._chosen(key, values).format(**self._written(values))

    def raw(self, key: str, /, form: str = "other") -> str:
        """The phrase with its values still in braces; `one` where it has another form for one."""
        phrase = self._phrases[key]
        return phrase.get(form, phrase["other"])

    def __contains__(self, key: str) -> bool:
        return key in self._phrases

    def __iter__(self) -> Iterator[str]:
        return iter(self._phrases)

    def _chosen(self, key: str, values: Mapping[str, Any]) -> str:
        phrase = self._phrases[key]
        return phrase["one"] if "one" in phrase and values["count"] == 1 else phrase["other"]

    def _written(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._thousands == ",":
            return values
        return {
            name: _Number(value, self._thousands) if type(value) is int else value for name, value in values.items()
        }


class _Number(int):
    """A number whose thousands are parted as its language does it."""

    _between: str

    def __new__(cls, value: int, between: str) -> _Number:
        made = super().__new__(cls, value)
        made._between = between
        return made

    def __format__(self, how: str) -> str:
        return int(self).__format__(how).replace(",", self._between)


class Languages(Mapping[str, Phrases]):
    """The languages that there are words in, by their tags ("en", "pt-BR"), the site's own first. What a translation
    lacks is English there.

    Of several folders the first that has a phrase wins: the operator's own comes before ours. A `words.toml` is English
    unless its `site.lang` says otherwise; that of the first folder which has one says what the site's own language is.

    Raises Problem for a file that can't be read, or whose phrase wants a value that ours does not have.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        files = [file for folder in reversed(folders) for file in _files(folder)]
        whole = [file for file in files if file.path.name == FILE]
        self.default = whole[-1].language if whole else ENGLISH
        """The site's own language: of whoever asks for none that there is."""
        wanted: dict[str, set[str]] = {}
        for file in files:
            file.check(wanted)
        english = [file for file in files if file.language == ENGLISH]
        named = {file.language for file in files} | {self.default}
        self.missing: dict[str, Sequence[str]] = {}
        """The phrases that a translation lacks, where it lacks any."""
        self._languages: dict[str, Phrases] = {}
        for language in sorted(named, key=lambda one: (one != self.default, one)):
            own = [file for file in files if file.language == language]
            laid = _laid([*english, *(own if language != ENGLISH else ())])
            if language != self.default and not any("site.name" in file.phrases for file in own):
                laid |= {key: phrase for key, phrase in _laid(whole).items() if key == "site.name"}
            has = {key for file in own for key in file.phrases} | PROPER
            if lacks := [key for file in english for key in file.phrases if key not in has]:
                self.missing[language] = list(dict.fromkeys(lacks))
            self._languages[language] = Phrases({**laid, LANGUAGE: {"other": language}})

    def __getitem__(self, language: str) -> Phrases:
        return self._languages[language]

    def __iter__(self) -> Iterator[str]:
        return iter(self._languages)

    def __len__(self) -> int:
        return len(self._languages)

    def known(self, language: str) -> str:
        """The language, if there is one of that name, else the site's own."""
        return language if language in self._languages else self.default

    def of(self, language: str) -> Phrases:
        """The words of a language, if there are any, else the site's own."""
        return self._languages[self.known(language)]


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    language: str
    phrases: Mapping[str, Phrase]

    def check(self, wanted: dict[str, set[str]]) -> None:
        """That each phrase wants such values as the first one of that key, of the shipped file, has."""
        for key, phrase in self.phrases.items():
            values = _values(self.path, key, *phrase.values())
            had = wanted.setdefault(key, values)
            if more := values - had:
                names = ", ".join(sorted(had)) or "none"
                raise Problem(f"{self.path}: {key} wants {{{min(more)}}}; its values are: {names}.")


def _laid(files: Iterable[_File]) -> dict[str, Phrase]:
    laid: dict[str, Phrase] = {}
    for file in files:
        laid.update(file.phrases)
    return laid


def _files(folder: Path) -> Iterator[_File]:
    """The files of a folder, that of its own language first."""
    if (whole := folder / FILE).exists():
        phrases = _read(whole)
        yield _File(whole, phrases[LANGUAGE]["other"] if LANGUAGE in phrases else ENGLISH, phrases)
    for file in sorted(folder.glob("words.*.toml")):
        found = _NAMED.fullmatch(file.name)
        if found is None:
            raise Problem(f"{file} names no language: call it by its tag, such as words.fr.toml or words.pt-BR.toml.")
        phrases = _read(file)
        if LANGUAGE in phrases and phrases[LANGUAGE]["other"] != found[1]:
            said = phrases[LANGUAGE]["other"]
            raise Problem(f"{file}: {LANGUAGE} is {said!r}: leave it out, for the file's name says {found[1]!r}.")
        yield _File(file, found[1], phrases)


def _read(file: Path) -> Mapping[str, Phrase]:
    try:
        tables = tomllib.loads(text_of(file))
    except tomllib.TOMLDecodeError as error:
        raise Problem(f"{file} can't be read ({error}): correct or remove it.") from error
    return dict(_flat(file, tables))


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
