"""What templates see of a paper, how they are found, and that styles are written into elements as another program does
it: what rots in premailer is seen here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import css_inline
import lxml.html
import pytest
from jinja2 import TemplateError, UndefinedError
from markupsafe import Markup

from flows.editions import maths
from flows.editions.model import Entry
from flows.mail import look
from flows.mail.look import inline
from flows.papers.model import Paper
from tests import factories
from tests.mail.made import SHIPPED
from tests.mail.test_golden import LOOKS
from tests.papers.server import Reply, running

BODY = """<!DOCTYPE html><html><head><title>t</title></head><body class="s"><h1>Title</h1><h2>Group</h2>
<div class="u"><h3><a href="https://example.org">One</a></h3><p class="g">Text <b>bold</b></p>
<p class="m k">meta</p></div>
<table class="f"><tbody><tr><td class="d">cell</td></tr></tbody></table>
<p style="color:#123456">own</p></body></html>"""


def declarations(html: str) -> list[tuple[str, frozenset[tuple[str, str]]]]:
    """Each element's tag, and what its style declares."""
    found = []
    for element in lxml.html.fromstring(html).iter():
        pairs = (part.partition(":") for part in (element.get("style") or "").split(";") if part.strip())
        style = frozenset(
            (name.strip(), re.sub(r"\s+", " ", value.strip()).replace('"', "'")) for name, _, value in pairs
        )
        found.append((str(element.tag), style))
    return [one for one in found if one[0] not in ("head", "style", "title", "html", "meta")]


@pytest.mark.parametrize("look", LOOKS)
def test_two_programs_inline_a_look_alike(look: str) -> None:
    place = SHIPPED / f"email/digest/{look}/inline.css"
    style = (place if place.exists() else SHIPPED / "email/digest/classic/inline.css").read_text()
    style = re.sub(r"\{[{%].*?[%}]\}", "#0b6e5f", style)
    ours = declarations(inline(BODY.replace("</head>", f"<style>{style}</style></head>")))
    others = declarations(css_inline.inline(BODY, extra_css=style))
    assert ours == others


def test_nothing_is_fetched() -> None:
    """Not even what a template links to by mistake."""
    with running() as server:
        server.says("/x.css", Reply(b"h1 { color: red }"))
        linked = BODY.replace("</head>", f'<link rel="stylesheet" href="{server.url}/x.css"></head>')
        assert "Title" in inline(linked)
        assert server.asked == []


SALAD = "Spectral reasoning through continual multimodal cartographic supervision strategies everywhere."
SENTENCE = f"An island is charted {'and drawn ' * 26}twice."


@pytest.mark.parametrize(
    ("given", "said", "machine"),
    [
        ({"ai_summary": "An island of $\\alpha$ charts. Then another."}, "An island of α charts. Then another.", True),
        ({"ai_summary": SENTENCE}, SENTENCE, True),
        ({"ai_summary": SALAD, "abstract": "Islands are charted."}, "Islands are charted.", False),
        ({"ai_summary": " \u202e\x00", "abstract": "Islands are charted."}, "Islands are charted.", False),
        ({"ai_summary": "", "abstract": ""}, "", False),
    ],
)
def test_a_gist_is_the_summarys_or_else_the_abstracts(given: dict[str, Any], said: str, machine: bool) -> None:
    assert look.gist_of(factories.paper(**given)) == (said, machine)


def test_a_gist_is_short_unless_one_sentence_is_all_there_is() -> None:
    said, _ = look.gist_of(factories.paper(ai_summary="word " * 300))
    assert said.endswith("…")
    assert look.GIST < len(said) <= 400
    two, _ = look.gist_of(factories.paper(ai_summary="One island is charted. " * 60))
    assert len(two) <= look.GIST
    assert look.teaser(factories.paper(ai_summary="One island. Then others.")) == "One island."
    assert len(look.teaser(factories.paper(ai_summary="word " * 300))) == 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" a\r\n b\tc ", "a b c"),
        ("esrever\u202e \ufeffx\x00\x1b[31m\ud800", "esrever \ufeffx[31m"),
        ("\u200e\u2066", ""),
        ("Zeitung für 王小明 👩\u200d👩", "Zeitung für 王小明 👩\u200d👩"),
    ],
)
def test_tidy_text_is_one_line_that_disturbs_nothing(text: str, said: str) -> None:
    assert look.tidy(text) == said


@pytest.mark.parametrize(
    ("text", "rtl"),
    [
        ("تعلم the rest", True),
        ("12 — שלום", True),
        ("The rest תל", False),
        ("12 …", False),
        (Markup("<b>&quot;תל</b>"), True),
        ("<b>תל</b>", False),
    ],
)
def test_a_texts_first_letter_gives_its_direction(text: str, rtl: bool) -> None:
    assert look.is_rtl(text) is rtl


@pytest.mark.parametrize(
    ("count", "said"), [(7, "7"), (999, "999"), (1000, "1.0k"), (9949, "9.9k"), (9950, "10k"), (123_456, "123k")]
)
def test_stars_are_rounded_to_thousands(count: int, said: str) -> None:
    assert look.stars(count) == f"★\u00a0{said}"


@pytest.mark.parametrize(
    ("names", "shown", "said"),
    [
        ([], 3, ""),
        (["A", "B", "C", "D"], 3, "A, B, C, D"),
        (["A", "B", "C", "D", "E"], 3, "A, B, C and 2 others"),
        (["A", "B", "C"], 1, "A and 2 others"),
    ],
)
def test_a_byline_counts_two_or_more_whom_it_does_not_name(names: list[str], shown: int, said: str) -> None:
    assert look.byline(names, factories.phrases(), shown) == said


def test_text_is_wrapped_at_blanks_that_may_break() -> None:
    assert look.wrap("aa bb\u00a0cc dd", indent=1, width=7, hang=2) == " aa\n   bb cc\n   dd"
    assert look.wrap("x" * 80 + " a-b", width=72) == "x" * 80 + "\na-b"
    assert look.underlined("Below") == "BELOW\n-----"
    assert look.unbroken("a b") == "a\u00a0b"


HOSTILE: dict[str, Any] = {
    "title": "\u202e \x00",
    "authors": ("", "\x00", "Line\r\nBreak", "w" * 900),
    "organisation": "Line Break",
    "code": 'https://example.org/"onmouseover="x',
    "upvotes": None,
    "stars": 0,
}


def seen_of(paper: Paper) -> look.View:
    return look.view(Entry(paper=paper, topic="code", rose=-3), 4, "Code", maths.text, factories.phrases())


def test_what_a_template_sees_of_a_hostile_paper_is_plain_and_short() -> None:
    seen = seen_of(factories.paper(**HOSTILE))
    assert (seen.title, seen.name, seen.number) == ("2606.00001", "2606.00001", 4)
    assert seen.authors == f"Line Break, {'w' * 79}…"
    assert seen.organisation == ""
    assert seen.votes is None
    assert seen.rose == ""
    assert [link.label for link in seen.links] == ["PDF"]
    assert len(seen_of(factories.paper(title="word " * 900)).title) <= 300


def test_templates_are_the_operators_first_and_ours_stay_within_reach(tmp_path: Path) -> None:
    (tmp_path / "operator").mkdir()
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "a.html").write_text("ours {{ x }}")
    (tmp_path / "ours" / "a.txt").write_text("{{ x }}")
    (tmp_path / "operator" / "a.html").write_text('{% include "shipped/a.html" %}, and the operator\'s')
    env = look.environment((tmp_path / "operator", tmp_path / "ours"))
    assert env.get_template("a.html").render(x="<b>") == "ours &lt;b&gt;, and the operator's"
    assert env.get_template("a.txt").render(x="<b>") == "<b>"
    with pytest.raises(UndefinedError, match="'x' is undefined"):
        env.get_template("a.txt").render()


@pytest.mark.parametrize(
    ("template", "line"),
    [("\n{% if %}", 2), ("\n\n{{ lacking }}", 3), ("{{ ''.lacking.more }}", 1)],
)
def test_a_templates_mistake_has_a_place(tmp_path: Path, template: str, line: int) -> None:
    (tmp_path / "a.html").write_text(template)
    with pytest.raises(TemplateError) as caught:
        look.environment((tmp_path,)).get_template("a.html").render()
    found = look.place(caught.value)
    assert found is not None
    assert (found.file, found.line) == (tmp_path / "a.html", line)


def test_what_went_wrong_elsewhere_has_no_place_in_a_template() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 // 0
    assert look.place(caught.value) is None
