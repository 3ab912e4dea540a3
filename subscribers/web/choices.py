"""What a reader can choose from: newsletters, topics by group, hours and zones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from zoneinfo import available_timezones

from flows.editions.model import Newsletter, Topic
from subscribers.model import Frequency
from subscribers.web.services import Services

SAMPLE = "sample"
"""The newsletter that shows what an edition looks like: no one's to read while there is another."""


@dataclass(frozen=True, slots=True)
class TopicGroup:
    """Topics that stand together."""

    name: str
    topics: Sequence[Topic]

    @property
    def slug(self) -> str:
        """What a button calls it: its first topic is for ever in it, its name may be put better."""
        return self.topics[0].slug


def groups(topics: Iterable[Topic]) -> list[TopicGroup]:
    """Topics by group, in the order of a digest."""
    ordered = sorted(topics, key=lambda one: one.order)
    return [TopicGroup(name, list(of_it)) for name, of_it in groupby(ordered, key=lambda one: one.group)]


async def newsletters(s: Services) -> list[Newsletter]:
    """The newsletters that can be signed up for: those that come out, the sample only where nothing else does."""
    latest = {slug: await s.latest(slug) for slug in s.newsletters}
    alone = latest.get(SAMPLE) is not None and not any(found for slug, found in latest.items() if slug != SAMPLE)
    if alone:
        return [s.newsletters[SAMPLE]]
    return [one for slug, one in s.newsletters.items() if slug != SAMPLE and (one.active or latest[slug])]


def comes_out(s: Services, newsletter: str, frequency: Frequency) -> bool:
    """Whether a newsletter has editions for readers of this frequency."""
    known = s.newsletters.get(newsletter)
    return frequency is not Frequency.WEEKLY or known is None or bool(known.weekly_cron)


def frequencies(s: Services, newsletter: str, kept: Frequency | None = None) -> list[Frequency]:
    """What a reader of a newsletter can choose, with what they have in any case."""
    return [one for one in Frequency if one is kept or comes_out(s, newsletter, one)]


@cache
def zones() -> list[tuple[str, list[str]]]:
    """The zones of the world by region, as they are called in their own rules; UTC first."""
    named = sorted(
        name for name in available_timezones() if name.partition("/")[0] in _REGIONS and not name.startswith("Etc/")
    )
    by_region = groupby(named, key=lambda name: name.partition("/")[0])
    return [("UTC", ["UTC"]), *((region, list(names)) for region, names in by_region)]


_REGIONS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
