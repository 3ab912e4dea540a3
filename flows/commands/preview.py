"""What a preview that is watched shows: a mail, made anew when a file that it depends on is saved, or what is wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from flows import pipeline
from flows.commands.without_prefect import Onlooker, edition_of
from flows.config import catalogue
from flows.context import Context, Say
from flows.delivery.messages import reader_of
from flows.editions.arrange import compose
from flows.editions.choose import choose
from flows.editions.model import Edition, Kind, Newsletter, NoEdition
from flows.mail.assemble import assemble
from flows.mail.look import place
from flows.outcomes import Problem
from flows.papers.gather import SOURCES, gather
from flows.papers.model import Window
from flows.processes import demo_mailbox

EVERY = 0.3
"""Seconds between two looks at the files."""
PATIENCE = 1.0
"""Seconds after which a browser that waits for a change is told that there was none: to stop takes no longer."""
AROUND = 4
"""Lines of a template that are shown before and after the one that is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What there is to see: a mail, or why there is none."""

    version: str
    """Another one for everything that differs."""
    title: str
    message: demo_mailbox.Mail | None = None
    raw: bytes = b""
    papers: int = 0
    pictures: bool = False
    problem: str = ""
    source: Sequence[tuple[int, str]] = ()
    """The lines around the one that is wrong, with their numbers, where a template is."""
    line: int = 0

    @property
    def html_size(self) -> int:
        return len(self.message.html.encode()) if self.message else 0

    @property
    def text_size(self) -> int:
        return len(self.message.text.encode()) if self.message else 0


class WatchedMail:
    """An edition, and what its mail looks like at the moment. Without a `day` its papers are the sample's."""

    def __init__(
        self, context: Context, newsletter: str, kind: Kind, day: dt.date | None, to: Onlooker, say: Say
    ) -> None:
        self.context = context
        self._slug = newsletter
        self._kind = kind
        self._day = day
        self._to = to
        self._say = say
        self._composed: tuple[Newsletter, Edition] | None = None
        self._changed = asyncio.Event()
        self.shown = Shown(version="", title=newsletter)

    async def look(self) -> Shown:
        """Makes the mail anew if a file has changed."""
        state = await asyncio.to_thread(self._state)
        if state != self.shown.version:
            self.shown = await self._make(state)
            self._changed.set()
            self._changed = asyncio.Event()
        return self.shown

    async def follow(self) -> None:
        """Looks again and again."""
        while True:
            await asyncio.sleep(EVERY)
            await self.look()

    async def after(self, version: str) -> str:
        """The version that follows this one, as soon as there is one; the same if it takes long."""
        changed = self._changed
        if self.shown.version == version:
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), PATIENCE)
        return self.shown.version

    async def _make(self, version: str) -> Shown:
        try:
            newsletter = self._newsletter()
            edition = await self._edition(newsletter)
            digest = choose(edition, self._to.interests)
            if not digest.parts:
                raise Problem(f"No mail for {self._to.address}: {digest.reason}.")
            cards = await pipeline.cards_of(self.context, edition, newsletter)
            raw = assemble(cards, digest, reader_of(self.context, edition, self._to.identity, self._to.address)).content
        except Exception as error:
            # whatever it is, the next change may mend it: whoever edits is told, and watching goes on
            words = " ".join(str(error).split())
            found = place(error.__cause__ or error)
            return Shown(
                version=version,
                title=self._slug,
                problem=words if isinstance(error, Problem) else f"{type(error).__name__}: {words}.",
                source=_around(found.file, found.line) if found else (),
                line=found.line if found else 0,
            )
        return Shown(
            version=version,
            title=newsletter.title,
            message=demo_mailbox.read("digest", raw),
            raw=raw,
            papers=digest.size,
            pictures=newsletter.thumbnails,
        )

    def _newsletter(self) -> Newsletter:
        folder, topics = self.context.settings.newsletters_dir, self.context.topics
        known = catalogue.newsletters(folder, known_topics=topics)
        return replace(self.context, newsletters=known).newsletter(self._slug, self._kind)

    async def _edition(self, newsletter: Newsletter) -> Edition:
        """The edition, composed anew if the newsletter's file says something else of its papers."""
        kept = self._composed
        if kept is None or _papers_of(kept[0]) != _papers_of(newsletter):
            if self._day is None:
                edition = await _invented(self.context, newsletter, self._kind)
            else:
                edition = await edition_of(self.context, newsletter, self._kind, self._day, self._say)
            kept = self._composed = newsletter, edition
        return kept[1]

    def _state(self) -> str:
        """What all files that the mail depends on say of themselves."""
        state = hashlib.sha256()
        for file in self._files():
            with suppress(OSError):  # it went while we looked
                found = file.stat()
                state.update(f"{file} {found.st_mtime_ns} {found.st_size}\n".encode("utf-8", "surrogateescape"))
        return state.hexdigest()[:16]

    def _files(self) -> Iterator[Path]:
        for folder in self.context.template_folders:
            yield from sorted(file for file in (folder / "email").rglob("*") if file.is_file())
        with suppress(Problem):
            yield from catalogue.files("newsletters", self.context.settings.newsletters_dir)


def _papers_of(newsletter: Newsletter) -> tuple[object, ...]:
    """What of a newsletter decides which papers it has."""
    return newsletter.sources, newsletter.categories, newsletter.topics, newsletter.look_back


async def _invented(context: Context, newsletter: Newsletter, kind: Kind) -> Edition:
    """An edition of the sample's papers, of all topics: it needs no service, and nothing is stored."""
    source, day = SOURCES["sample"], context.day(newsletter, "today")
    async with context.fetcher(_silent) as fetcher:
        found = await gather(source, Window(day=day), context.addresses, fetcher, _silent)
    edition = await asyncio.to_thread(
        compose,
        replace(newsletter, topics=()),
        kind,
        day,
        found.papers,
        topics=context.topics,
        classify=context.classifier.classify,
        titles={source.NAME: source.TITLE},
    )
    if isinstance(edition, NoEdition):
        raise Problem(f"{found.problem or edition.reason}")
    return edition


def _silent(sentence: str) -> None:
    """The sample is a file: there is nothing to tell."""


def _around(file: Path, line: int) -> Sequence[tuple[int, str]]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    first = max(0, line - 1 - AROUND)
    return tuple(enumerate(lines[first : line + AROUND], start=first + 1))
