"""A newsletter whose editions are approved, its bundled papers collected, readers, and a real mail server."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows import pipeline
from flows.config import catalogue
from flows.config.settings import Settings
from flows.context import Context
from flows.delivery.run import Delivered, deliver
from flows.editions.model import Edition, Kind, Newsletter
from flows.storage.database import Database
from flows.storage.editions import Frozen
from subscribers.people.store import Change, Subscribers
from tests.delivery.test_run import Clock
from tests.factories import DAY, HASHING_KEY
from tests.sending.smtp import MailServer

OPERATOR = "editor@example.org"
KEY = ("sample", Kind.DAILY, DAY)


def silent(sentence: str) -> None:
    """Says nothing."""


@dataclass
class Scene:
    context: Context
    newsletter: Newsletter
    server: MailServer
    clock: Clock

    @property
    def asked(self) -> tuple[Context, Newsletter, Kind, dt.date]:
        return (self.context, self.newsletter, Kind.DAILY, DAY)

    async def draft(self) -> Edition:
        found = await pipeline.draft(*self.asked)
        assert isinstance(found, Edition)
        return found

    async def deliver(self, frozen: Frozen) -> Delivered:
        return await deliver(self.context, frozen, silent, wait=dt.timedelta(0))

    def to(self, address: str) -> list[bytes]:
        """What the mail server has taken for an address."""
        return [taken.content for taken in self.server.taken if taken.recipient == address]


async def made(database: Database, folder: Path, server: MailServer, approval: str = "wait", **given: Any) -> Scene:
    clock = Clock()
    values: dict[str, Any] = {
        "home_dir": folder,
        "mail_url": f"smtp://127.0.0.1:{server.port}",
        "mail_wait": 1.5,
        "pause_above": "never",
        "sender": "Paperround <digest@example.org>",
        "secret_key": "a key of sixteen letters or more",
        "operator_address": OPERATOR,
    }
    topics = catalogue.topics()
    newsletter = replace(catalogue.newsletters(known_topics=topics)["sample"], approval=approval)
    context = Context(
        settings=Settings(_env_file=None, **(values | given)),
        database=database,
        topics=topics,
        newsletters={"sample": newsletter},
        now=clock,
    )
    readers = [Change(email=f"reader-{n}@example.org", newsletter="sample", columns={}) for n in range(5)]
    await Subscribers(database, HASHING_KEY).keep(readers, clock())
    await pipeline.collect(context, newsletter, Kind.DAILY, DAY, silent)
    return Scene(context, newsletter, server, clock)
