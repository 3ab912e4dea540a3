"""An edition as a mail to its operator alone, through the same sender as those to readers. Nothing is stored, and what
its links to a reader's own pages open belongs to nobody."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup

from flows.context import Context, preview_link
from flows.delivery.messages import reader_of
from flows.editions.choose import choose
from flows.editions.model import Edition, Interests, Kind, Newsletter, NoEdition
from flows.mail import encode
from flows.mail.assemble import assemble
from flows.mail.cards import unpack
from flows.mail.look import wrap
from flows.mail.model import Cards, Message, Opening
from flows.outcomes import Outcome, Problem, Verdict, anonymous
from flows.pipeline import cards_of, compose
from flows.sending.sender import Sender
from flows.sending.transports import transport
from flows.storage.editions import Frozen
from subscribers.tokens import PREVIEW_READER, Purpose, sign

MARK = b"[Test]"


async def send_test(context: Context, newsletter: Newsletter, kind: Kind, day: dt.date) -> str:
    """Mails the edition of a day, frozen, draft or composed now, to the operator; what was done, in a sentence without
    the address. Raises Problem where there is no address, no edition, or no mail could leave."""
    address = context.settings.operator_address
    if not address:
        raise Problem("Nobody is named to mail it to: set PAPERROUND_OPERATOR_ADDRESS to your own address.")
    connect = transport(context.settings.mail_url.get_secret_value())
    kept = await context.store.find(newsletter.slug, kind, day)
    edition = kept.edition if isinstance(kept, Frozen) else await compose(context, newsletter, kind, day)
    if isinstance(edition, NoEdition):
        raise Problem(f"{newsletter.title} has no {kind} edition on {day}: {edition.reason}")
    cards = unpack(kept.cards) if isinstance(kept, Frozen) else await cards_of(context, edition, newsletter)
    message = await context.signer(written(context, newsletter, edition, cards, address))
    settings = context.settings
    sender: Sender[_One] = Sender(
        connect,
        connections=1,
        rate=settings.limit,
        limits=settings.limits,
        warm_up=settings.warm_up,
        urgent=True,
        reserve=context.turns.reserve,
        slots=context.slots(letters=True),
        ahead=False,
    )
    batch = _Batch(_One(message))
    try:
        await sender.deliver(batch, asyncio.Event())
    finally:
        await sender.close()
    outcome = batch.outcome
    if outcome is None or outcome.verdict is not Verdict.SENT:
        why = sender.report.halted or (outcome.text if outcome else "") or "it did not answer"
        raise Problem(f"The test was not sent: {anonymous(why).rstrip('.')}. Mend that, and send it again.")
    state = "as it was delivered" if isinstance(kept, Frozen) else "a draft"
    return f"The {kind} edition of {day} ({state}, {edition.size} papers) was mailed to the operator's address alone."


def written(context: Context, newsletter: Newsletter, edition: Edition, cards: Cards, address: str) -> Message:
    """The test mail: what a reader who takes everything gets, marked in its subject and at its top."""
    reader = reader_of(context, edition, PREVIEW_READER, address)
    unique = f"{edition.newsletter}.test.{secrets.token_hex(8)}@{context.settings.sender_domain}"
    # where its bounce goes names no reader
    reader = replace(reader, message_id=unique, return_path="")
    digest = choose(edition, Interests())
    opening = _opening(context, newsletter, edition)
    return assemble(cards, digest, reader, opening)


def _opening(context: Context, newsletter: Newsletter, edition: Edition) -> Opening:
    say, text = context.phrases, context.phrases.text
    preview = preview_link(context, edition.newsletter, edition.kind, edition.day)
    token = sign(Purpose.MANAGE, PREVIEW_READER, context.settings.keys[0], context.now())
    settings = f"{context.settings.public_url}/manage/{token}"
    links = [(preview, "test.preview"), (settings, "test.settings")]
    html = Markup('<p class="o"><b>{}</b> {}').format(say("test.title"), say("test.words"))
    for address, key in links:
        html += Markup('<br>\n<a href="{}">{}</a>').format(address, say(key))
    html += Markup("</p>")
    told = [wrap(f"{text('test.title')} {text('test.words')}"), *[f"{text(key)}:\n{one}" for one, key in links]]
    wire = encode.references(html)
    plain = encode.quoted_printable("\n\n".join(told))
    return Opening(html=wire, text=b"\r\n" + plain + b"\r\n", size=len(wire), mark=MARK)


class _One:
    """The one message of a sender."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.address = message.recipient
        self.attempts = 0


class _Batch:
    """One message as the sender fetches and works it: no ledger knows of it, and it is tried once."""

    def __init__(self, one: _One) -> None:
        self._one: _One | None = one
        self.outcome: Outcome | None = None

    async def fetch(self, over: asyncio.Event) -> Sequence[_One]:
        one, self._one = self._one, None
        return [one] if one else []

    async def write(self, delivery: _One) -> Message | None:
        return delivery.message

    def mark(self, delivery: _One) -> asyncio.Future[bool]:
        return _done(True)

    def record(
        self, delivery: _One, outcome: Outcome, *, marked: bool, proven: bool = True, not_before: float = 0
    ) -> asyncio.Future[bool]:
        self.outcome = outcome
        return _done(True)

    def put_off(self, delivery: _One, seconds: float) -> asyncio.Future[bool]:
        return _done(True)

    async def was_well(self, domain: str = "") -> bool:
        return False

    async def nothing_but(self, number: int) -> bool:
        return True

    def give_back(self, delivery: _One) -> None:
        """It is not tried again."""

    def rest(self, seconds: float) -> None:
        """It is urgent: no window keeps it waiting."""


def _done(answer: bool) -> asyncio.Future[bool]:
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    done.set_result(answer)
    return done
