"""What an item of the outbox becomes: a letter, or for who is new the latest edition with a welcome above it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from flows.context import Context
from flows.delivery.messages import reader_of
from flows.editions.choose import choose
from flows.editions.model import Digest, Kind
from flows.mail.assemble import assemble
from flows.mail.cards import addressed, unpack
from flows.mail.letters import Addressee, Letters
from flows.mail.model import Cards, Message
from flows.pipeline import translated
from flows.storage.editions import Frozen
from subscribers import policy
from subscribers.model import Frequency, Letter, Subscription
from subscribers.people.outbox import OutboxLetter
from subscribers.tokens import LIFE, Purpose, sign

_log = logging.getLogger(__name__)
_LEADS = {
    Letter.CONFIRM: Purpose.CONFIRM,
    Letter.PRIVATE: Purpose.PRIVATE,
    Letter.ADDRESS: Purpose.ADDRESS,
}
"""Where a letter's button leads: to the page of this name, with a token for it. All others lead to the settings, but
for MOVED: who reads the former address has no business there any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestEdition:
    """The latest edition, and what it has for one reader."""

    frozen: Frozen
    digest: Digest


class LetterWriter:
    """Writes letters. What is the same for all readers is made once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        days, hours = LIFE[Purpose.CONFIRM], LIFE[Purpose.PRIVATE]
        self._values = {"days": days.days if days else 0, "hours": hours.seconds // 3600 if hours else 0}
        self._letters: dict[str, Letters] = {}
        self._kept: dict[tuple[str, Kind, str], tuple[Frozen, Cards]] = {}

    def write(self, item: OutboxLetter) -> Message:
        """The letter that an item asks for, under the same Message-ID at every attempt. Raises ValueError for an
        address that a mail can't hold."""
        newsletter = self._context.newsletter(item.subscription.newsletter)
        to = Addressee(
            address=item.to,
            path=self._path(item),
            # a confirmation that is refused offers nothing to unsubscribe from, and the rest was asked for
            unsubscribe=self._token(Purpose.UNSUBSCRIBE, item) if item.kind is Letter.WELCOME else "",
            message_id=f"{item.kind}.{item.id}.{item.subscription.id}@{self._context.settings.sender_domain}",
            date=self._context.now(),
            return_path=self._context.return_address(0, item.subscription.id),
        )
        return self._letters_in(item.subscription.language).write(item.kind, newsletter, to)

    def _letters_in(self, language: str) -> Letters:
        known = self._context.languages.known(language)
        if known not in self._letters:
            say, folders = self._context.languages[known], self._context.template_folders
            self._letters[known] = Letters(self._context.site, say, folders, self._values)
        return self._letters[known]

    async def latest(self, subscription: Subscription) -> LatestEdition | None:
        """The latest edition of the reader's kind: for a weekly reader the week's, or the day's where no week has had
        one. None where there is none yet, where it has nothing for them, or where it is not to be sent at present: the
        newsletter is paused, or the edition held."""
        if await self._context.pauses.paused(subscription.newsletter) is not None:
            return None
        kinds = (Kind.WEEKLY, Kind.DAILY) if subscription.frequency is Frequency.WEEKLY else (Kind.DAILY,)
        for kind in kinds:
            number = await self._context.store.newest(subscription.newsletter, kind)
            if number is None:
                continue
            if await self._context.store.held(number):
                return None
            frozen, _ = await self._unpacked(subscription, kind, number)
            digest = choose(frozen.edition, subscription.interests)
            if not digest.parts or policy.decide(subscription, frozen.edition.day):
                return None
            return LatestEdition(frozen=frozen, digest=digest)
        return None

    async def welcome(self, subscription: Subscription, latest: LatestEdition) -> Message:
        """The latest edition with a welcome above it. Its Message-ID is the edition's: whoever sends it again, it is
        the same mail."""
        edition = latest.frozen.edition
        newsletter = self._context.newsletter(edition.newsletter)
        _, cards = await self._unpacked(subscription, edition.kind, latest.frozen.id)
        cards = addressed(cards, newsletter, self._context.site)
        reader = reader_of(self._context, edition, subscription.id, subscription.email, latest.frozen.id)
        opening = self._letters_in(subscription.language).opening(newsletter, edition.day, reader.manage)
        return assemble(cards, latest.digest, reader, opening)

    async def _unpacked(self, subscription: Subscription, kind: Kind, number: int) -> tuple[Frozen, Cards]:
        place = (subscription.newsletter, kind, self._context.languages.known(subscription.language))
        kept = self._kept.get(place)
        if kept is None or kept[0].id != number:
            frozen = await self._context.store.frozen(number)
            if frozen is None:
                raise LookupError(f"edition {number} is gone")
            packed = await translated(self._context, frozen, subscription.language, _log.warning)
            kept = self._kept[place] = (frozen, await asyncio.to_thread(unpack, packed))
        return kept

    def _path(self, item: OutboxLetter) -> str:
        if item.kind is Letter.MOVED:
            return ""
        purpose = _LEADS.get(item.kind, Purpose.MANAGE)
        return f"{purpose}/{self._token(purpose, item)}"

    def _token(self, purpose: Purpose, item: OutboxLetter) -> str:
        number = item.subscription.id
        if purpose is Purpose.ADDRESS:
            if item.address_change_id is None:
                raise LookupError("the change of address is gone")
            number = item.address_change_id
        return sign(purpose, number, self._context.settings.keys[0], self._context.now())
