from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from markupsafe import Markup

from flows.config.phrases import PROPER, Languages
from flows.context import TEMPLATES
from flows.outcomes import Problem

SOURCE = TEMPLATES.parent
OURS = Languages([TEMPLATES])["en"]


def words(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "words.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return words(
        tmp_path / "ours",
        '[page]\ntitle = "Of {name} & co"\nlist = {one = "{count} paper", other = "{count:,} papers"}\n',
    )


def test_a_phrase_and_its_values_are_escaped_in_html_and_not_in_text(made: Path) -> None:
    say = Languages([made])["en"]
    assert say("page.title", name="<b>") == "Of &lt;b&gt; &amp; co"
    assert say("page.title", name=Markup("<b>x</b>")) == "Of <b>x</b> &amp; co"
    assert say.text("page.title", name="<b>") == "Of <b> & co"


def test_a_number_chooses_its_form(made: Path) -> None:
    say = Languages([made])["en"]
    assert [say("page.list", count=n) for n in (0, 1, 2, 1200)] == ["0 papers", "1 paper", "2 papers", "1,200 papers"]


def test_a_missing_key_or_value_is_an_error(made: Path) -> None:
    say = Languages([made])["en"]
    with pytest.raises(KeyError):
        say("page.nothing")
    with pytest.raises(KeyError):
        say("page.title")
    with pytest.raises(KeyError):
        say("page.list")


def test_the_operators_words_are_laid_over_ours_key_by_key(made: Path, tmp_path: Path) -> None:
    own = words(tmp_path / "own", '[page]\ntitle = "Von {name}"\n[mine]\nadded = "Neu"\n')
    say = Languages([own, made])["en"]
    assert say("page.title", name="x") == "Von x"
    assert say("page.list", count=1) == "1 paper"
    assert say("mine.added") == "Neu"
    assert "mine.added" in say


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[page", "can't be read"),
        ("[page]\ntitle = 7\n", "page.title is neither words"),
        ('[page]\ntitle = "{nmae}"\n', "page.title wants {nmae}; its values are: name"),
        ('[page]\ntitle = "{name"\n', "page.title is not well formed"),
        ('[page]\ntitle = "{name.__class__}"\n', "in braces stands the name of a value"),
        ('[page]\nlist = {one = 1, other = "x"}\n', "should have words in quotes"),
    ],
)
def test_a_file_that_can_not_be_used_is_a_problem_that_names_the_phrase(
    made: Path, tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(Problem, match=re.escape(reason)):
        Languages([words(tmp_path / "own", text), made])


# --- languages


def translation(folder: Path, language: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"words.{language}.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_translation_is_a_file_and_what_it_lacks_is_english_and_named(made: Path, tmp_path: Path) -> None:
    own = translation(tmp_path / "own", "fr", '[page]\ntitle = "De {name}"\n[site]\nthousands = " "\n')
    found = Languages([own, made])
    assert (list(found), found.default, found.missing) == (["en", "fr"], "en", {"fr": ["page.list"]})
    assert found["fr"]("page.title", name="x") == "De x"
    assert found["fr"]("page.list", count=1200) == "1 200 papers"
    assert found["fr"].text("site.lang") == "fr"
    assert found.of("pl") is found["en"]


def test_a_site_of_its_own_language_has_its_words_over_ours(made: Path, tmp_path: Path) -> None:
    translation(made, "de", '[page]\ntitle = "Von {name}"\nlist = "Liste"\n')
    own = words(tmp_path / "own", '[site]\nlang = "de"\nname = "Blatt"\n[page]\nlist = "Eigene"\n')
    found = Languages([own, made])
    assert list(found) == ["de", "en"]
    assert [found["de"].text(key, name="x", count=1) for key in ("page.title", "page.list")] == ["Von x", "Eigene"]
    assert [found[language].text("site.name") for language in found] == ["Blatt", "Blatt"]
    assert found["en"].text("page.list", count=1) == "1 paper"


@pytest.mark.parametrize(
    ("language", "text", "reason"),
    [
        ("german", "", "names no language"),
        ("fr", '[site]\nlang = "de"\n', "site.lang is 'de'"),
        ("fr", '[page]\ntitle = "{nom}"\n', "page.title wants {nom}; its values are: name"),
    ],
)
def test_a_translation_that_can_not_be_used_is_a_problem(
    made: Path, tmp_path: Path, language: str, text: str, reason: str
) -> None:
    with pytest.raises(Problem, match=re.escape(reason)):
        Languages([translation(tmp_path / "own", language, text), made])


def places(phrase: Mapping[str, str]) -> list[set[str | None]]:
    """The values of each of a phrase's forms, as they are written."""
    return [{name for _, name, _, _ in Formatter().parse(text) if name} for text in phrase.values()]


@pytest.mark.parametrize("language", sorted(set(Languages([TEMPLATES])) - {"en"}))
def test_our_translations_have_every_phrase_and_no_other_with_the_same_values(language: str) -> None:
    flat = [
        dict(flattened(tomllib.loads((TEMPLATES / name).read_text(encoding="utf-8"))))
        for name in ("words.toml", f"words.{language}.toml")
    ]
    english, theirs = flat
    assert theirs.keys() == english.keys() - PROPER
    other = {
        key for key, phrase in theirs.items() if set().union(*places(phrase)) != set().union(*places(english[key]))
    }
    assert other == set()
    assert {key for key, phrase in theirs.items() if phrase.keys() != english[key].keys()} == set()


def flattened(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
    for name, value in table.items():
        if isinstance(value, str):
            yield f"{above}{name}", {"other": value}
        elif "other" in value and value.keys() <= {"one", "other"}:
            yield f"{above}{name}", value
        else:
            yield from flattened(value, f"{above}{name}.")


# --- our own words

_CALL = re.compile(r"""(?:say|phrases|phrases\.text|say\.text)\(\s*f?"([a-z_]+(?:\.[a-z_0-9]+)+)"\s*[,)]""")
_QUOTED = re.compile(r'"([a-z_]+(?:\.[A-Za-z_0-9{}]+)*\.?)')


def sources() -> dict[Path, str]:
    files = [*(SOURCE / "flows").rglob("*.py"), *(SOURCE / "subscribers").rglob("*.py"), *TEMPLATES.rglob("*.*")]
    return {file: file.read_text(encoding="utf-8") for file in files if file.suffix in (".py", ".html", ".txt", ".xml")}


def test_every_phrase_that_is_asked_for_exists() -> None:
    missing = {(file.name, key) for file, text in sources().items() for key in _CALL.findall(text) if key not in OURS}
    assert not missing


_JOINED = re.compile(r"""["']([a-z_.]+\.)["'] ~ \w+(?: ~ "([a-z_.]+)")?""")
_BEHIND = re.compile(r"""words ~ "(\.[a-z_.]+)\"""")
_VALUE = re.compile(r"\{[^{}]*\}")


def test_every_phrase_is_used() -> None:
    found = sources().values()
    quoted = {key for text in found for key in _QUOTED.findall(text) if not key.endswith(".")}
    # the templates of letters are given the table
    quoted |= {f"letter.{{}}{key}" for text in found for key in _BEHIND.findall(text)}
    # what is put together in the program stands for one name
    made = {key for key in quoted if _VALUE.search(key) and "." in key.partition("{")[0]}
    patterns = [re.escape(_VALUE.sub("{}", key)).replace(r"\{\}", "[^.]+") for key in made]
    joined = {pair for text in found for pair in _JOINED.findall(text)}
    patterns += [f"{re.escape(start)}[^._]+{re.escape(end)}" for start, end in joined]
    known = re.compile("|".join(patterns))
    assert [key for key in OURS if key not in quoted and not known.fullmatch(key)] == []


_OUTSIDE = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<style\b.*?</style>|<!DOCTYPE[^>]*>", re.DOTALL)
_SAID = re.compile(r"""\b(?:aria-label|title|alt|placeholder)="([^"]*)\"""")

_MARKUP = re.compile(r"""<[^>]*>|\s[a-z-]+="[^"]*\"""")


@pytest.mark.parametrize("file", sorted((TEMPLATES / "web").glob("*.html")), ids=lambda file: file.name)
def test_the_web_pages_have_no_words_of_their_own(file: Path) -> None:
    bare = _OUTSIDE.sub("", file.read_text(encoding="utf-8"))
    said = [text for text in _SAID.findall(bare) if re.search(r"[A-Za-z]{2}", text)]
    shown = [text for text in _MARKUP.sub("\n", bare).split("\n") if re.search(r"[A-Za-z]{2}", text)]
    assert (said, shown) == ([], [])
