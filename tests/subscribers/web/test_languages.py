"""The language that a visitor, and a reader, is answered in."""

from __future__ import annotations

import pytest

from subscribers.tokens import Purpose
from subscribers.web.pages import Speaker
from tests import factories
from tests.factories import DAY
from tests.mail.made import tree
from tests.subscribers.site import READER, Site, act, link

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
SPEAKER = Speaker({language: factories.phrases(language=language) for language in ("en", "de")})


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-ch", "de"),
        ("fr, de;q=0.3, en;q=0.2", "de"),
        ("en;q=0.2, de;q=0.3", "de"),
        ("de;q=0, en;q=0.1", "en"),
        ("de;q=0", "en"),
        ("fr;q=0.9, *;q=0.8, de;q=0.1", "en"),
        ("de;q=2, x\xe9;;,", "en"),
        ("," * 9000 + "de", "en"),
    ],
)
def test_a_browser_gets_what_it_likes_best_of_what_there_is(header: str, language: str) -> None:
    assert SPEAKER.asked_for(header) == language


async def test_a_visitor_reads_in_the_browsers_language_and_caches_know(site: Site) -> None:
    await site.publish()
    for path in ("/", "/archive", "/subscribe", "/search?q=hedges", f"/archive/daily/{DAY}", "/nothing"):
        german = await site.browser.get(path, headers=GERMAN)
        english = await site.browser.get(path)
        assert tree(german.text).get("lang") == "de", path
        assert tree(english.text).get("lang") == "en", path
        assert "Already a reader?" not in german.text
        if "ETag" in german.headers:
            assert german.headers["Vary"] == english.headers["Vary"] == "Accept-Language"
            assert german.headers["ETag"] != english.headers["ETag"]


async def test_what_papers_say_is_marked_as_english(site: Site) -> None:
    await site.publish()
    page = tree((await site.browser.get("/", headers=GERMAN)).text)
    assert {one.get("lang") for one in page.iter("h3")} == {"en"}
    page = tree((await site.browser.get(f"/archive/daily/{DAY}", headers=GERMAN)).text)
    assert page.find(".//main").get("lang") == "en"  # it has no German readers, and so no German edition
    assert {one.get("lang") for one in tree((await site.browser.get("/")).text).iter("h3")} == {None}


async def test_a_sign_up_takes_the_language_of_its_page(site: Site) -> None:
    await site.publish()
    await site.browser.post("/subscribe", data={"address": READER, "newsletter": "daily"}, headers=GERMAN)
    found = await site.context.subscribers.by_address(READER, "daily")
    assert found is not None
    assert found.language == "de"
    page = await site.browser.get(link(Purpose.CONFIRM, found.id))
    assert tree(page.text).get("lang") == "de"  # whatever the browser of that moment asks for


async def test_a_reader_chooses_another_and_can_undo_it(site: Site) -> None:
    reader = await site.reader()
    settings = link(Purpose.MANAGE, reader.id)
    page = tree((await site.browser.get(settings, headers=GERMAN)).text)
    assert page.get("lang") == "en"
    assert [one.get("value") for one in page.xpath("//select[@name='language']/option")] == ["", "de"]
    saved = await site.browser.post(settings, data={"do": "save", "topics": "agents", "language": "de"})
    assert tree(saved.text).get("lang") == "de"
    assert "Mails und Seiten sind von jetzt an auf Deutsch." in saved.text
    changed = await site.now(reader.id)
    undone = await site.browser.post(settings, data={"do": "undo", "revision": str(changed.revision)})
    assert tree(undone.text).get("lang") == "en"
    assert (await site.now(reader.id)).language == ""
    wrong = await site.browser.post(settings, data={"do": "save", "topics": "agents", "language": "tlh"})
    assert "“tlh” is no language that there is here" in wrong.text
    await site.browser.post(act(reader.id, "start"), data={"language": "de"})
    assert (await site.now(reader.id)).language == "de"
