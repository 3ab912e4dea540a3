"""The address that providers call: what they say is passed on as it is, within bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from http import HTTPStatus

from subscribers.web.routes.provider_hooks import LIMIT
from tests.subscribers.site import Site, served


async def test_a_call_is_heard_as_it_was_made(site: Site) -> None:
    heard: list[tuple[str, Mapping[str, str], bytes]] = []

    async def hear(provider: str, headers: Mapping[str, str], body: bytes) -> tuple[HTTPStatus, str]:
        heard.append((provider, headers, body))
        return HTTPStatus.ACCEPTED, "Heard."

    _, browser = served(replace(site.services, hear=hear))
    async with browser:
        answer = await browser.post("/hooks/postmark", content=b"\xff{}", headers={"X-Signature": "Abc"})
    assert (answer.status_code, answer.text) == (202, "Heard.\n")
    ((provider, headers, body),) = heard
    assert (provider, headers["x-signature"], body) == ("postmark", "Abc", b"\xff{}")


async def test_a_call_without_end_is_cut_off_and_not_heard(site: Site) -> None:
    given: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        for piece in range(LIMIT // 65_536 + 10):
            given.append(piece)
            yield b"x" * 65_536

    before = await site.everything()
    answer = await site.browser.post("/hooks/postmark", content=endless())
    assert answer.status_code == 413
    assert await site.everything() == before


async def test_who_is_no_provider_of_ours_is_told_so(site: Site) -> None:
    for name in ("nope", "postmark", "%00"):
        answer = await site.browser.post(f"/hooks/{name}", content=b"{}")
        assert answer.status_code in (401, 403, 404), name
    assert (await site.browser.get("/hooks/postmark")).status_code == 405
