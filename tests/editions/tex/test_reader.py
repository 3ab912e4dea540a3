"""The characters of TeX: runs, quotes, dashes, dollars, scripts, and what a command takes."""

from __future__ import annotations

import pytest

from flows.editions.tex.reader import DEPTH, Mode, TexReader
from flows.editions.tex.tree import Node, Script, Styled


def reader(source: str) -> TexReader:
    def named(reader: TexReader, nodes: list[Node], name: str) -> None:
        nodes.append(f"<{name}>")

    return TexReader(source, lambda text: "\U000f0000", {}, named)


def nodes(source: str) -> list[Node]:
    return reader(source).rest(Mode.PROSE)


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("``two'' and `one'", "“two” and ‘one’"),
        ("1--2---3 and --flag", "1–2—3 and --flag"),
        ("Fig.~2 and ~5 sheep", "Fig. 2 and ~5 sheep"),
        ("R&D", "R&D"),
        ("top_k and snake_case", "top_k and snake_case"),
        ("US$ 5 and $81", "US$ 5 and $81"),
    ],
)
def test_prose_is_read_as_it_was_meant(source: str, read: str) -> None:
    assert "".join(str(node) for node in nodes(source)) == read


def test_letters_of_a_formula_are_quantities_and_words_are_names() -> None:
    assert nodes("$x$") == [Styled("i", ["x"])]
    assert nodes("$Recall$") == ["Recall"]
    assert nodes("d_k and CO_2") == ["d", Script("_", ["k"]), " and CO", Script("_", ["2"])]


def test_a_command_takes_its_option_its_group_and_one_character() -> None:
    one = reader(" [note]{two {words}}xyz")

    assert one.option() == "note"
    assert one.option() == ""
    assert one.has_group()
    assert one.raw() == "two {words}"
    assert not one.has_group()
    assert one.argument() == ["x"]
    assert one.skip("y")
    assert not one.skip("y")
    assert one.here == "z"
    assert one.rest(Mode.PROSE) == ["z"]
    assert one.here == ""


def test_braces_deeper_than_anybody_writes_are_dropped() -> None:
    deep = 500 * DEPTH

    assert nodes("{" * deep + "x" + "}" * deep) == ["x"]


def test_a_command_is_named_and_a_backslash_at_the_end_is_none() -> None:
    assert nodes(r"\ours and \%") == ["<ours>", " and ", "<%>"]
    assert nodes("the end\\") == ["the end"]
