"""premailer writes styles into elements as another program does; what rots in it is seen here."""

from __future__ import annotations

import re

import css_inline
import lxml.html
import pytest

from flows.mail.look import inline
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
