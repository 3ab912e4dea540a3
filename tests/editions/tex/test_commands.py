"""What a command becomes: a node of the tree, or its name where nobody knows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.tex.commands import read
from flows.editions.tex.tree import Accented, Fraction, Lettered, Node, Root, Script, Styled

KEPT = "\U000f0000"


def tree(source: str) -> list[Node]:
    return read(source, lambda text: KEPT)


@pytest.mark.parametrize(
    ("source", "nodes"),
    [
        (r"\frac{1}{2}", [Fraction(["1"], ["2"])]),
        (r"\sqrt[3]{8}", [Root("3", ["8"])]),
        (r"\textbf{bold}", [Styled("b", ["bold"])]),
        (r"{\it old} new", [Styled("i", ["old"]), " new"]),
        (r"\mathbb{R}", [Lettered("mathbb", ["R"])]),
        (r"caf\'e", ["caf", Accented("\u0301", ["e"], in_word=True)]),
        (r"x\textsuperscript{2}", ["x", Script("^", ["2"])]),
        (r"\textcolor{red}{sheep}", ["sheep"]),
        (r"as \cite[p.~3]{woolly} says", ["as ", " says"]),
        (r"\pmod{7}", [" (mod ", "7", ")"]),
    ],
)
def test_a_command_becomes_what_its_author_meant(source: str, nodes: list[Node]) -> None:
    assert tree(source) == nodes


def test_a_command_that_nobody_knows_shows_its_argument_or_its_name() -> None:
    assert tree(r"\ours{Woolly} rings") == ["Woolly", " rings"]
    assert tree(r"\ours rings") == ["ours", " rings"]
    assert tree(r"\sheepicon rings") == [" rings"]
    assert "".join(map(str, tree(r"for \81"))) == "for $81"


def test_an_address_is_kept_as_it_is() -> None:
    kept: list[str] = []

    def keep(text: str) -> str:
        kept.append(text)
        return KEPT

    assert read(r"\url{https://example.org/a_b}", keep) == [KEPT]
    assert read(r"\href{https://example.org/c}{here}", keep) == ["here", " (", KEPT, ")"]
    assert kept == ["https://example.org/a_b", "https://example.org/c"]


def test_a_matrix_is_one_line_in_its_brackets() -> None:
    nodes = tree(r"\begin{bmatrix}1 & 2 \\ 3 & 4\end{bmatrix}")

    assert "".join(str(node) for node in nodes).replace(" ", "") == "[1,2;3,4]"


@given(st.text(st.sampled_from("\\{}[]$^_& ab")) | st.text())
def test_any_text_becomes_a_tree(source: str) -> None:
    assert isinstance(tree(source), list)
