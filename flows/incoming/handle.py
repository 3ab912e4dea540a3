"""What came back by mail is read, done, and marked in the mailbox."""

from __future__ import annotations

from dataclasses import dataclass

from flows.context import Context
from flows.incoming.mailboxes import OpenMailbox
from flows.incoming.unsubscribe_mail import read
from subscribers.tokens import Purpose, verify


@dataclass(slots=True)
class Returns:
    """How many messages were read, and what they were: numbers alone, nobody's name."""

    unsubscribed: int = 0
    left: int = 0
    """Not understood: left in the mailbox for somebody else."""

    @property
    def sentence(self) -> str:
        if not self.unsubscribed + self.left:
            return "Nothing has come back."
        ended = f"{self.unsubscribed} {'unsubscription' if self.unsubscribed == 1 else 'unsubscriptions'}"
        return f"Returned mail: {ended}, {self.left} left unread in the mailbox."


async def read_returns(context: Context) -> Returns:
    """Ends the subscriptions of those who unsubscribed by mail. Raises Problem where the mailbox can't be read.

    A message is marked after what it asks for is done: a crash in between does it again, which changes nothing.
    """
    found = Returns()
    async with OpenMailbox(context.settings.returns_url.get_secret_value()) as mailbox:
        async for message in mailbox.unread():
            asked = read(message.content)
            number = verify(Purpose.UNSUBSCRIBE, asked.token, context.settings.keys) if asked else None
            if number is None:
                await mailbox.left(message.key)
                found.left += 1
            else:
                await context.subscribers.unsubscribe(number, context.now())
                await mailbox.done(message.key)
                found.unsubscribed += 1
    return found
