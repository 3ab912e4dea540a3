"""Links as they arrive: with what a mail program, a text or a hand has added."""

import pytest

from subscribers.tokens import Purpose
from subscribers.web.damaged_links import kind_of, mended
from tests import factories
from tests.context import NOON
from tests.subscribers.site import Site, ask, collect, link

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


TAPS = ["start", "pause", "weekly", "daily", "teach", "mute/agents", "more/2606.00001", "less/2606.00001"]
TAPS.append("tune/daily/2026-06-09")
LINKS = [
    *((one, str(one), "") for one in Purpose),
    *((one, str(one), "/never") for one in (Purpose.CONFIRM, Purpose.ADDRESS)),
    *((Purpose.MANAGE, "act", f"/{tap}") for tap in TAPS),
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("purpose", "kind", "behind"), LINKS)
async def test_thirty_damaged_forms_of_each_link_lead_to_its_page(
    site: Site, purpose: Purpose, kind: str, behind: str
) -> None:
    await collect(site, *factories.papers(1))
    await site.publish()
    identity = await site.subscribe()
    await site.context.subscribers.ask_address(identity, "new@example.org", NOON)
    begin, token = f"/{kind}/", link(purpose, 1 if purpose is Purpose.ADDRESS else identity)[-32:]
    as_sent = await ask(site.app, "GET", f"{begin}{token}{behind}")
    assert as_sent[0] == 200
    assert len(DAMAGED) >= 30
    for damaged in DAMAGED:
        if damaged.startswith(TOKEN):
            path = f"{begin}{token}{behind}{damaged.removeprefix(TOKEN)}"
        else:
            path = begin + damaged.replace(TOKEN[:15], token[:15]).replace(TOKEN[15:], token[15:]) + behind
        assert await ask(site.app, "GET", path) == as_sent, path


LOST = [
    "",
    "/",
    "/{half}",
    "/{half}=",
    "/{half}%0D%0A",
    "/{token}A",
    "/{short}/pause",
    "/...",
    "/%00{half}",
    "/{turned}",
    "?token={token}",
    "/" + "A" * 32,
    "/" + "A" * 4000,
    "/é",
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["unsubscribe", "manage", "confirm", "private", "address", "act"])
async def test_what_can_not_be_read_any_more_has_a_way_on(site: Site, kind: str) -> None:
    identity = await site.subscribe()
    token = link(Purpose.MANAGE, identity)[-32:]
    parts = {"token": token, "half": token[:16], "short": token[:31], "turned": token[::-1]}
    on = 'href="/subscribe"' if kind == "confirm" else 'action="/manage-link"'
    before = await site.everything()
    for lost in LOST:
        for path in (f"/{kind}{lost.format(**parts)}", f"//{kind.title()}{lost.format(**parts)}"):
            for method in ("GET", "POST"):
                status, _, page = await ask(site.app, method, path)
                assert (path, status, on in page.decode()) == (path, 404, True)
    assert await site.everything() == before


@pytest.mark.parametrize("path", ["/", "/manage-link", "/archive/manage", "/actor", "/addresses/x", "/managed"])
def test_other_paths_are_no_links_of_readers(path: str) -> None:
    assert kind_of(path) == ""
