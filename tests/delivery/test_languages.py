"""An edition is composed once in each language that its readers have, and each gets it in theirs."""

from __future__ import annotations

import email
import email.policy
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.delivery.run import deliver
from flows.delivery.write_letter import LetterWriter
from flows.storage.database import Database
from flows.storage.editions import edition_language
from subscribers.model import DeliveryState
from tests import factories
from tests.delivery.test_run import Scene, readers
from tests.mail.made import body, read, tree
from tests.sending.smtp import mail_server


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        yield Scene(database, tmp_path, server)


TEXT = "Sie bekommen diese Mail, weil"


def parsed(content: bytes) -> EmailMessage:
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


async def kept(scene: Scene) -> list[tuple[int, str]]:
    async with scene.database.read() as connection:
        rows = await connection.execute(sa.select(edition_language.c.edition_id, edition_language.c.language))
        return [tuple(row) for row in rows]


async def test_each_reader_gets_the_edition_in_their_language(scene: Scene) -> None:
    await scene.subscribe("heidi@example.org", "jan@example.org", language="de")
    await scene.subscribe("qo@example.org", language="tlh")  # of which there is none: the site's own
    await scene.begin(*readers(3))
    for _ in range(2):
        delivered = await scene.deliver()
        assert delivered.counts == {DeliveryState.SENT: 6}
    assert await kept(scene) == [((await scene.frozen()).id, "de")]
    pages = {}
    for taken in scene.server.taken:
        message = parsed(taken.content)
        html, text = (message.get_body((kind,)) for kind in ("html", "plain"))
        assert html is not None
        assert text is not None
        page = tree(html.get_content())
        pages[taken.recipient] = page.get("lang")
        german = page.get("lang") == "de"
        assert (TEXT in " ".join(text.get_content().split())) == german
        assert ("9. Juni" in message["Subject"]) == german
        assert message["List-ID"] == "Paperround <daily.localhost>"
        titles = [one for one in page.iter("h3") if one.find("a") is not None]
        assert {one.get("lang") for one in titles} == ({"en"} if german else {None})
    assert pages == {one: "de" if one[0] in "hj" else "en" for one in scene.server.readers}


async def test_a_list_of_one_language_is_composed_in_one(scene: Scene) -> None:
    await scene.begin(*readers(3), language="en")
    await scene.deliver()
    assert await kept(scene) == []


async def test_who_is_the_first_of_a_language_is_welcomed_in_it(scene: Scene) -> None:
    await scene.begin(*readers(2))
    await scene.deliver()
    await scene.subscribe("heidi@example.org", language="de")
    heidi = await scene.context.subscribers.by_address("heidi@example.org", "daily")
    assert heidi is not None
    letters = LetterWriter(scene.context)
    latest = await letters.latest(heidi)
    assert latest is not None
    message = await letters.welcome(heidi, latest)
    assert read(message)["Subject"] == "Willkommen bei Paperround: die Ausgabe vom 9. Juni"
    assert tree(body(message, "html")).get("lang") == "de"
    assert f"{factories.DAY.day}. Juni {factories.DAY.year}" in body(message, "plain")


async def test_a_template_that_has_become_wrong_keeps_no_readers_mail(scene: Scene, tmp_path: Path) -> None:
    """They get the edition as it was frozen, in the site's own language."""
    await scene.subscribe("heidi@example.org", language="de")
    await scene.begin(*readers(3))
    wrong = tmp_path / "templates" / "email" / "digest" / "classic" / "digest.html"
    wrong.parent.mkdir(parents=True)
    wrong.write_text("{% block %")
    context, said = scene.with_settings(templates_dir=tmp_path / "templates"), list[str]()
    delivered = await deliver(context, await scene.frozen(), said.append)
    assert delivered.counts == {DeliveryState.SENT: 4}
    assert any(one.startswith("Readers of de get the edition in the site's own language:") for one in said)
    heidi = await context.subscribers.by_address("heidi@example.org", "daily")
    assert heidi is not None
    letters = LetterWriter(context)
    latest = await letters.latest(heidi)
    assert latest is not None
    assert tree(body(await letters.welcome(heidi, latest), "html")).get("lang") == "en"
