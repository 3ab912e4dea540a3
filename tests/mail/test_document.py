"""A whole edition as one document, and the fragments that it is cut into."""

from __future__ import annotations

from flows.mail.document import canonical


def test_canonical_html_has_no_idle_white_space() -> None:
    assert canonical("\n  <p>a\n  b</p>\n\n\t<p>c</p>") == "<p>a\nb</p>\n<p>c</p>\n"
