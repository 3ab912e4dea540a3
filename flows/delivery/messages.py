"""An edition's messages: what one reader gets, or why there is none, written and signed a little before it is needed.

A sender that wrote each message when its turn came would let the mail server wait meanwhile. So they are written while
nothing else is to be done, a few at a time, and lie ready.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from flows.context import Context
from flows.editions.choose import choose
from flows.editions.model import Edition, Interests, Kind
from flows.editions.same import Same
from flows.mail import correction
from flows.mail.assemble import assemble
from flows.mail.cards import addressed, unpack
from flows.mail.model import Cards, Message, Reader
from flows.outcomes import Problem
from flows.papers.model import PaperId
from flows.sending.sign import Signer
from flows.storage.editions import Frozen
from subscribers import policy
from subscribers.model import Subscription
from subscribers.tokens import Purpose, sign
from subscribers.zones import clock

log = logging.getLogger(__name__)

TOO_MANY = 10
"""Readers whose mails fail, and for whom that is still their own: of a bug that meets more than every other reader no
more are skipped."""
READY_AT_MOST = 40
"""So many messages lie ready at most: what ten connections take at once, several times over, and three megabytes."""
TOGETHER = 8
"""So many are written in a row: a processor does the same thing again in half the time. A reply from the server waits
for a millisecond at most."""

Written = Message | str
"""A message, or why there is none."""
_Group = asyncio.Future[Mapping[int, Written]]
"""What was written together, by place; it waits for the signatures."""


class Writer:
    """Writes the messages of an edition. What is the same for all readers, or for those of a language, is made once;
    `translated` are its packed cards in other languages than the site's own."""

    def __init__(self, context: Context, frozen: Frozen, translated: Mapping[str, bytes] | None = None) -> None:
        self._context, self._frozen = context, frozen
        self._edition = frozen.edition
        self._translated = translated or {}
        self._unpacked: dict[str, Cards] = {}
        self._cards = self._cards_in("")
        self._written = self._failed = 0

    def write(self, subscription: Subscription | None, seen: Collection[PaperId]) -> Message | str:
        """The message for a reader who has got the papers `seen` already; or in words why they get none.

        What fails for one reader is theirs: they get none, and the others do. Raises what fails for a reader without
        wishes as well, and Problem where it fails for too many.
        """
        if subscription is None:
            return "erased"
        try:
            written = self._write(subscription, seen)
        except MemoryError:
            raise
        except Exception as error:  # a bug, whatever it is
            return self._given_up(error)
        self._written += 1
        return written

    def _cards_in(self, language: str) -> Cards:
        """The cards in a language that they are kept in, else in the site's own."""
        if language not in self._unpacked:
            if language and language not in self._translated:
                self._unpacked[language] = self._cards
            else:
                newsletter = self._context.newsletter(self._edition.newsletter)
                cards = unpack(self._translated[language] if language else self._frozen.cards)
                self._unpacked[language] = addressed(cards, newsletter, self._context.site)
        return self._unpacked[language]

    def _given_up(self, error: Exception) -> str:
        plain = choose(self._edition, Interests())
        if plain.parts:
            assemble(self._cards, plain, reader_of(self._context, self._edition, 0, "nobody@example.org"))
        self._failed += 1
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}"
        # the exception's own words may be the reader's
        log.error("The mail of one reader could not be written (%s): please report it.", what)
        if self._failed > TOO_MANY and self._failed > self._written:
            raise Problem(
                f"The mails of {self._failed} readers could not be written ({what}), and those of {self._written} "
                "could: nobody else was tried. Please report it."
            ) from error
        return f"the mail could not be written: {what}"

    def _write(self, subscription: Subscription, seen: Collection[PaperId]) -> Message | str:
        if reason := policy.decide(subscription, self._today(subscription)):
            return reason
        return self._correction(subscription) if self._frozen.correction else self._digest(subscription, seen)

    def _digest(self, subscription: Subscription, seen: Collection[PaperId]) -> Message | str:
        if reason := policy.superseded(subscription, self._edition.kind, self._frozen.at):
            return reason
        digest = choose(self._edition, subscription.interests, seen)
        if not digest.parts:
            return digest.reason
        reader = reader_of(self._context, self._edition, subscription.id, subscription.email, self._frozen.id)
        try:
            return assemble(self._cards_in(subscription.language), digest, reader)
        except ValueError as error:
            return f"the address can't be written in a mail: {error}"

    def _correction(self, subscription: Subscription) -> Message | str:
        """The correction for who got the edition: the corrected one, or words alone where that is all, or where it has
        nothing for them any more."""
        edition = self._edition
        reader = reader_of(self._context, edition, subscription.id, subscription.email, self._frozen.id)
        named = f"{edition.newsletter}.{edition.kind}-fix.{edition.day}.{subscription.id}"
        reader = replace(reader, message_id=f"{named}@{self._context.settings.sender_domain}")
        digest = choose(edition, subscription.interests) if edition.sections else None
        cards, say = self._cards_in(subscription.language), self._context.languages.of(subscription.language)
        try:
            if digest is None or not digest.parts:
                newsletter = self._context.newsletter(edition.newsletter)
                url = self._context.settings.public_url
                return correction.words(cards, reader, edition, newsletter, url, say)
            return assemble(cards, digest, reader, correction.marked(say))
        except ValueError as error:
            return f"the address can't be written in a mail: {error}"

    def _today(self, subscription: Subscription) -> dt.date:
        """The day that a pause is held against: the edition's, or of a weekly one, which may come days later, the
        reader's own."""
        day = self._edition.day
        if self._edition.kind is Kind.DAILY:
            return day
        zone = clock(subscription.zone, self._context.newsletter(self._edition.newsletter).zone)
        return max(day, self._context.now().astimezone(zone).date())


class WriteAhead:
    """The messages at the places 0 to `count` - 1, each to be taken once, mostly in this order.

    `write` makes one. Each is marked before it leaves, and what its reader has changed by then is seen there.
    """

    def __init__(self, write: Callable[[int], Written], count: int, signer: Signer) -> None:
        self._write, self._count, self._signer = write, count, signer
        self._ready: dict[int, _Group] = {}
        self._next = 0
        self._taken = asyncio.Event()
        self._filling = asyncio.create_task(self._fill())
        # what fails here fails again, and is raised, where that message is taken
        self._filling.add_done_callback(lambda filling: filling.cancelled() or filling.exception())

    async def take(self, place: int) -> Written:
        """The message of a place, or why there is none."""
        group = self._ready.pop(place, None)
        if group is None:
            self._next = max(self._next, place + 1)
            group = self._made([place])
        self._taken.set()
        if not group.done():
            await asyncio.shield(group)  # others wait for it too
        return group.result()[place]

    def close(self) -> None:
        """Writes no more."""
        self._filling.cancel()
        for group in self._ready.values():
            group.cancel()

    async def _fill(self) -> None:
        while self._next < self._count:
            if len(self._ready) > READY_AT_MOST - TOGETHER:
                self._taken.clear()
                await self._taken.wait()
                continue
            places = range(self._next, min(self._next + TOGETHER, self._count))
            self._ready |= dict.fromkeys(places, self._made(places))
            self._next = places.stop
            await asyncio.sleep(0)

    def _made(self, places: Sequence[int]) -> _Group:
        written = {place: self._write(place) for place in places}
        if self._signer.signs:
            return asyncio.ensure_future(self._signed(written))
        ready: _Group = asyncio.get_running_loop().create_future()
        ready.set_result(written)
        return ready

    async def _signed(self, written: dict[int, Written]) -> Mapping[int, Written]:
        messages = {place: message for place, message in written.items() if not isinstance(message, str)}
        try:
            signed = await self._signer.all(list(messages.values()))
        except ConnectionError:  # a process that signs was killed: others are started, once
            signed = await self._signer.all(list(messages.values()))
        return written | dict(zip(messages, signed, strict=True))


def reader_of(
    context: Context, edition: Edition, subscription: int, address: str, edition_id: int | None = None
) -> Reader:
    """What is this reader's own in their message. The Message-ID is the same for every attempt, whatever PUBLIC_URL is
    then. Without the number of the edition it has no return address of its own."""
    key, now = context.settings.keys[0], context.now()
    return Reader(
        address=address,
        unsubscribe=sign(Purpose.UNSUBSCRIBE, subscription, key),
        manage=sign(Purpose.MANAGE, subscription, key, now),
        message_id=f"{_named(Same(edition))}.{subscription}@{context.settings.sender_domain}",
        date=now,
        return_path="" if edition_id is None else context.return_address(edition_id, subscription),
    )


@lru_cache(maxsize=8)
def _named(edition: Same[Edition]) -> str:
    return f"{edition.value.newsletter}.{edition.value.kind}.{edition.value.day}"
