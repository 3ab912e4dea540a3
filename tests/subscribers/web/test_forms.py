"""What a form may hold."""

from __future__ import annotations

import pytest

from subscribers.tokens import Purpose
from tests.subscribers.site import Site, link


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"do=save&keywords=" + b"x" * 1_000_000, 413),
        (b"do=save&keywords=%00", 400),
        (b"do=save&x%00=1", 400),
        (b"do=save&keywords=%ff", 400),
        (b"do=save&" + b"&".join(b"a=1" for _ in range(600)), 400),
        (b"\xff\x00", 400),
        (b"no form", 400),
        (b"do=__proto__", 400),
        (b"__proto__=1", 400),
        (b"", 400),
        (b"do=undo&revision=x", 400),
    ],
)
async def test_a_body_that_is_no_form_of_ours_changes_nothing(site: Site, content: bytes, status: int) -> None:
    reader = await site.reader()
    before = await site.everything()
    for purpose in (Purpose.MANAGE, Purpose.PRIVATE):
        answer = await site.browser.post(
            link(purpose, reader.id),
            content=content,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert (answer.status_code, "<h1>" in answer.text) == (status, True)
    assert await site.everything() == before
