"""BibTeX is read as far as it goes, and a damaged entry costs no other."""

from __future__ import annotations

import pytest

from subscribers.web.teaching.bibtex_text import read


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("@a{k, Title = {A {B}, C}, year=2026}", {"title": "A {B}, C", "year": "2026"}),
        ('@a{k, title = "A {"} B" # x # { C}}', {"title": 'A {"} Bx C'}),
        ("@a{k,\n title =\n  {A\n  B}}", {"title": "A B"}),
        ("@a{k, title={never closed\n url={x}\n doi={y}", {"title": "never closed", "url": "x", "doi": "y"}),
        ("@a{k, title=}", {"title": ""}),
        ("@a{k}", {}),
    ],
)
def test_the_fields_of_an_entry(text: str, fields: dict[str, str]) -> None:
    assert read(text, 9).entries == (fields,)


def test_a_damaged_entry_costs_no_other_and_what_is_between_is_kept() -> None:
    found = read("before @a{k, title={open\n @b{l, title={B}} between\n@c{m, title={C}} after", 9)
    assert [one["title"] for one in found.entries] == ["open", "B", "C"]
    assert found.between.split() == ["before", "between", "after"]


def test_no_more_entries_than_are_wanted() -> None:
    assert len(read("@a{k}" * 9, 3).entries) == 3
