"""Papers as a day lists them, and a simple way to deal them out."""

from __future__ import annotations

from typing import Any

from flows.editions.arrange import compose
from flows.editions.model import Classified, Edition, Kind, NoEdition
from flows.papers.model import Collected, Paper
from tests import factories
from tests.factories import DAY, TOPICS, newsletter

TITLES = {"huggingface": "Hugging Face", "arxiv": "arXiv"}


def paper(n: int = 1, **given: Any) -> Paper:
    """A paper with a text of its own: of those that have the same one, an edition shows the best."""
    return factories.paper(n, **({"abstract": f"Study {n}."} | given))


def papers(count: int) -> list[Paper]:
    return [paper(n) for n in range(1, count + 1)]


def by_number(found: Paper) -> Classified:
    """Deals papers out over the topics by the last digits of their ids."""
    return Classified(topic=TOPICS[int(found.id[-2:]) % len(TOPICS)].slug, because=("its number",))


def made(listed: list[Paper], **given: Any) -> Edition | NoEdition:
    went = Collected(source="huggingface", day=DAY, papers=tuple(listed))
    usual: dict[str, Any] = {"collections": [went], "topics": TOPICS, "classify": by_number, "titles": TITLES}
    return compose(given.pop("newsletter", newsletter()), Kind.DAILY, DAY, listed, **(usual | given))


def composed(listed: list[Paper], **given: Any) -> Edition:
    found = made(listed, **given)
    assert isinstance(found, Edition)
    return found
