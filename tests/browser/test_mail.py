"""A mail on a telephone, as a browser draws it."""

from __future__ import annotations

from typing import Any

import pytest

from flows.mail.assemble import page
from tests.factories import digest, edition, papers
from tests.mail.made import rendered

LEFT = """(selector) => [...document.querySelectorAll(selector)]
    .map(found => { const text = document.createRange(); text.selectNodeContents(found); return text })
    .map(text => Math.round(text.getClientRects()[0].left))"""
"""Where the text of every such element begins."""


@pytest.mark.parametrize(
    ("look", "flush"),
    [("classic", ("h1", ".m", ".l a:first-child", ".c h3 a", ".g")), ("compact", ("h1", ".q .v a", "h2"))],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_links_stand_flush_with_the_authors_and_nothing_sticks_out(
    chromium: Any, look: str, flush: tuple[str, ...], scheme: str
) -> None:
    of = edition(papers(20, code="https://example.org/code", stars=1234))
    shown = await chromium.new_page(viewport={"width": 375, "height": 800}, color_scheme=scheme)
    await shown.set_content(page(rendered(of, look=look), digest(of)))
    edges = {selector: set(await shown.evaluate(LEFT, selector)) for selector in flush}
    assert edges == dict.fromkeys(flush, edges["h1"])
    assert len(edges["h1"]) == 1
    titles = set(await shown.evaluate(LEFT, ".q h3 a"))
    assert len(titles) == (look == "compact")
    assert await shown.evaluate("document.documentElement.scrollWidth") == 375
