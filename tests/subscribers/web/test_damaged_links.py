"""Links as they arrive: with what a mail program, a text or a hand has added."""

import pytest

from subscribers.tokens import Purpose
from subscribers.web.damaged_links import mended
from tests.subscribers.site import Site, ask, link

TOKEN = "AbCd-_0123456789abcdefghijklMN3D"
HALF = f"{TOKEN[:15]}%s{TOKEN[15:]}"
BEHIND = [
    "/",
    ".",
    ",",
    ")",
    ">",
    '"',
    "'",
    "=3D",
    "=",
    "\r\n",
    " ",
    "\u200b",
    ").",
    "/.",
    "%20",
    "%2E",
    "%253E",
    "”",
    "]",
    ";",
    "­",
]
DAMAGED = [f"{TOKEN}{one}" for one in BEHIND] + [
    *(HALF % one for one in ("=\r\n", "=", "\n", " ", "\u200b", "%0D%0A", "%E2%80%8B")),
    f"=3D{TOKEN}",
    f"<{TOKEN}>",
    f"/{TOKEN}",
]


@pytest.mark.parametrize("kind", ["unsubscribe", "manage", "confirm", "private", "address", "act"])
@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_link_is_read_as_the_link(kind: str, damaged: str) -> None:
    assert mended(f"/{kind}/{damaged}") == f"/{kind}/{TOKEN}"
    assert mended(f"//{kind.upper()}/{damaged}") == f"/{kind}/{TOKEN}"


def test_what_stands_behind_the_token_stays() -> None:
    assert mended(f"/act/{TOKEN}/pause/daily/week.") == f"/act/{TOKEN}/pause/daily/week"


@pytest.mark.parametrize("path", ["/", "/archive/daily/", "/manage-link", f"/manage/{TOKEN}A", f"/manage/{TOKEN[:31]}"])
def test_every_other_path_stays(path: str) -> None:
    assert mended(path) == path


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.MANAGE])
async def test_the_app_answers_a_damaged_link_like_the_link(site: Site, purpose: Purpose) -> None:
    sent = link(purpose, await site.subscribe())
    status, _, page = await ask(site.app, "GET", sent)
    assert status == 200
    assert await ask(site.app, "GET", f"{sent[:-9]}=\r\n{sent[-9:]}>.") == (200, _, page)
