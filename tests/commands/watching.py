"""A mail that is watched, of a newsletter with a look of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flows.commands.preview import WatchedMail
from flows.commands.without_prefect import Onlooker
from flows.editions.model import Kind
from flows.storage.database import Database
from tests.context import context_of

NEWSLETTER = 'title = "Robots"\ndescription = "What moves."\nsources = ["huggingface"]\n'


def style(own: Path, colour: str) -> None:
    (own / "templates/email/digest/own/style.css").write_text(
        '{% include "shipped/email/digest/classic/style.css" %}\nh1 { color: ' + colour + "; }\n"
    )


def watched_of(database: Database, own: Path, **given: Any) -> WatchedMail:
    folders: dict[str, Any] = {"templates_dir": own / "templates", "newsletters_dir": own / "newsletters"}
    made: dict[str, Any] = {"newsletter": "robots", "kind": Kind.DAILY, "day": None, "to": Onlooker()}
    return WatchedMail(context_of(database, own, **folders), say=lambda _: None, **(made | given))
