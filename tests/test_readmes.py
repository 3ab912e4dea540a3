"""The words for people who come: nothing that they need is left out, and no link leads nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
import typer.main

from flows.commands.cli import app
from flows.config.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("flows", "subscribers", "templates", "tests")
PAGES = sorted(chain(ROOT.glob("*.md"), *((ROOT / folder).rglob("*.md") for folder in FOLDERS)))
USERS_PAGE = 150
"""Lines that who only wants to use it is asked to read."""
PICTURE = 200_000

_CODE = re.compile(r"```.*?```", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_VARIABLE = re.compile(r"PAPERROUND_[A-Z_]*[A-Z]")
_CALL = re.compile(r"`paperround((?: [a-z]+(?:-[a-z]+)*)+)")
_OPTION = re.compile(r"--[a-z-]+")


def words_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """What a heading is linked by: its words in lower case, joined by hyphens."""
    headings = _HEADING.findall(_CODE.sub("", words_of(page)))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def calls() -> Iterator[tuple[str, set[str]]]:
    """Each call of the command that people may know of, and its options."""

    def walk(command: object, words: str) -> Iterator[tuple[str, set[str]]]:
        children = getattr(command, "commands", {})
        for name, child in children.items():
            if not child.hidden:
                yield from walk(child, f"{words} {name}")
        if not children:
            long = (name for one in getattr(command, "params", ()) for name in one.opts if name.startswith("--"))
            yield words, set(long)

    yield from walk(typer.main.get_command(app), "paperround")


CALLS = dict(calls())
ALL = "\n".join(map(words_of, PAGES))


@pytest.mark.parametrize("call", CALLS)
def test_every_command_is_named_with_all_its_options(call: str) -> None:
    """In rows of a table, of which the first cell begins with the call."""
    rows = [line for line in ALL.splitlines() if re.match(rf"\| `{call}[` ]", line)]
    assert rows, f"No README has a row for `{call}`: add one to flows/README.md."
    missing = CALLS[call] - set(_OPTION.findall(" ".join(rows)))
    assert not missing, f"The row of `{call}` does not name {', '.join(sorted(missing))}."


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_named(field: str) -> None:
    assert f"`PAPERROUND_{field.upper()}`" in ALL, f"No README names PAPERROUND_{field.upper()}: see flows/README.md."


def test_every_flow_is_named() -> None:
    files = "".join(words_of(file) for file in sorted((ROOT / "flows").rglob("*.py")))
    named = set(re.findall(r"`([\w-]+)(?:`| / )", words_of(ROOT / "flows" / "README.md")))
    assert set(re.findall(r'^@flow\(name="([\w-]+)"', files, re.MULTILINE)) <= named


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_what_is_not_there(page: Path) -> None:
    """Settings, commands, and options of a command where it stands in the same code."""
    known = {f"PAPERROUND_{field.upper()}" for field in Settings.model_fields}
    assert set(_VARIABLE.findall(words_of(page))) <= known
    groups = {call.rsplit(" ", 1)[0] for call in CALLS}
    for words in _CALL.findall(words_of(page)):
        call = f"paperround{words}"
        assert call in groups or any(f"{call} ".startswith(f"{one} ") for one in CALLS), f"There is no `{call}`."


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(_CODE.sub("", words_of(page))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name_of(page)} links to {link}, which is not there."
        assert not anchor or anchor in anchors(there), f"{name_of(page)} links to {link}: no heading of that name."


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    """A path in code that begins with a folder of ours; NAME and its like stand for what somebody adds."""
    for named in re.findall(r"`((?:flows|subscribers|templates|tests)/[\w./-]*)`", words_of(page)):
        example = re.search(r"\b(NAME|SLUG|SCHEME|NNNN_NAME)\b", named)
        there = ROOT / (named[: example.start()].rpartition("/")[0] if example else named)
        assert there.exists(), f"{name_of(page)} names {named}, which is not there."


def test_every_page_is_reached_from_the_first_one() -> None:
    seen, open_ = set[Path](), [ROOT / "README.md"]
    while open_:
        page = open_.pop()
        seen.add(page)
        links = (link.partition("#")[0] for link in _LINK.findall(_CODE.sub("", words_of(page))) if "://" not in link)
        found = {(page.parent / link).resolve() for link in links if link.endswith(".md")}
        open_ += found - seen
    assert [name_of(page) for page in PAGES if page not in seen] == []


def test_the_users_page_is_short() -> None:
    lines = len(words_of(ROOT / "README.md").splitlines())
    assert lines <= USERS_PAGE, f"README.md has {lines} lines: what is not for every user stands in a folder's README."


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pictures_are_small_enough(scheme: str) -> None:
    picture = f"tests/picture-{scheme}.png"
    assert picture in (ROOT / "README.md").read_text()
    assert (ROOT / picture).stat().st_size < PICTURE
