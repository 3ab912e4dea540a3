"""A whole edition as one document, and the fragments that it is cut into."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from flows.editions.model import Edition, Kind
from flows.mail import assemble
from flows.mail.document import DARK, LIGHT, accent_of, canonical, cut, mark, numbers, outline, ranking
from flows.mail.document import layout_of as layout
from flows.outcomes import Problem
from flows.papers.model import PaperId
from tests import factories
from tests.factories import edition, paper, papers
from tests.mail.made import rendered


def with_first(of: Edition, **given: Any) -> Edition:
    """The edition with values of its first paper's own."""
    first, *others = of.sections
    entry = dataclasses.replace(first.entries[0], **given)
    return dataclasses.replace(of, sections=(dataclasses.replace(first, entries=(entry, *first.entries[1:])), *others))


def test_groups_and_topics_are_in_the_editions_order_and_second_choices_last() -> None:
    video, agents = (factories.topic(slug) for slug in ("video", "agents"))
    of = with_first(edition(papers(2), topics=(video, agents)), second="audio")
    found = [(group.key, group.name, [topic.slug for topic in group.topics]) for group in outline(of, factories.TOPICS)]
    assert found == [("0", "Vision & media", ["video", "audio"]), ("1", "Agents & code", ["agents"])]
    assert outline(of, factories.TOPICS)[0].topics[1].entries == ()
    known = outline(with_first(of, second="agents"), factories.TOPICS)
    assert [len(group.topics) for group in known] == [1, 1]


def test_papers_are_ranked_by_score_and_alike_ones_always_the_same_way() -> None:
    of = edition([paper(2, upvotes=None), paper(1), paper(3)])
    level = dataclasses.replace(
        of,
        sections=tuple(
            dataclasses.replace(section, entries=tuple(dataclasses.replace(one, score=1.0) for one in section.entries))
            for section in of.sections
        ),
    )
    assert [paper[-1] for paper in ranking(of)] == ["2", "1", "3"]
    assert [paper[-1] for paper in ranking(level)] == ["1", "2", "3"]
    assert ranking(of)[PaperId("2606.00002")].votes == 0
    assert [one.fresh for one in ranking(with_first(of, rose=9)).values()] == [False, True, True]


@pytest.mark.parametrize("of", [edition(papers(40)), edition(papers(3)), edition(papers(40), kind=Kind.WEEKLY)])
def test_numbers_go_up_through_a_mail_that_holds_all_papers(of: Edition) -> None:
    text = assemble.plain(rendered(of), factories.digest(of))
    given = numbers(of, layout(of))
    found = list(dict.fromkeys(map(int, re.findall(r"^\[(\d+)\] [^h]", text, re.MULTILINE))))
    assert sorted(given.values()) == list(range(1, of.size + 1))
    assert found == list(range(1, len(found) + 1))
    for its, number in given.items():
        assert re.search(rf"^\[{number}\] https://arxiv.org/abs/{its}$", text, re.MULTILINE)


def test_a_mark_is_the_editions_own() -> None:
    assert mark(edition()) == mark(edition())
    assert mark(edition()) != mark(edition(note="x"))
    assert mark(edition(note="\ud800")).isalnum()


@pytest.mark.parametrize(
    ("document", "fragments"),
    [
        ("<!--m1 head -->a\n<!--m1 card 26-->b", [(("head", ""), "a\n"), (("card", "26"), "b")]),
        ("before\n  <!--m1 head -->  \na", [(("head", ""), "before\na")]),
        ("<!--m1 head -->a<!--m2 card x--><!-- -->", [(("head", ""), "a<!--m2 card x--><!-- -->")]),
        ("nothing", []),
    ],
)
def test_a_document_is_cut_at_its_own_marks(document: str, fragments: list[object]) -> None:
    assert list(cut(document, "m1")) == fragments


@pytest.mark.parametrize(
    ("kind", "weekly", "offered"),
    [
        (Kind.DAILY, "0 7 * * 6", {"Weekly instead"}),
        (Kind.DAILY, "", set()),
        (Kind.WEEKLY, "0 7 * * 6", {"Daily instead"}),
    ],
)
def test_the_other_rhythm_is_offered_where_there_is_one(kind: Kind, weekly: str, offered: set[str]) -> None:
    of = edition(kind=kind)
    message = assemble.assemble(rendered(of, weekly_cron=weekly), factories.digest(of), factories.reader())
    assert {words for words in ("Daily instead", "Weekly instead") if words in message.content.decode()} == offered


@pytest.mark.parametrize("ground", [LIGHT, DARK])
def test_an_accent_is_readable_or_refused_with_its_newsletters_name(ground: str) -> None:
    assert accent_of(factories.newsletter(accent=ground), ground, 4.5) != ground
    with pytest.raises(Problem, match=r"The newsletter daily has an accent that cannot be used: .*teal"):
        accent_of(factories.newsletter(accent="teal"), ground, 4.5)


def test_canonical_html_has_no_idle_white_space() -> None:
    assert canonical("\n  <p>a  \t a\n  b</p>\n\n\t<p>c</p>") == "<p>a a\nb</p>\n<p>c</p>\n"
