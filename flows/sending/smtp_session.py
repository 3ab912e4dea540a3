"""Our side of an SMTP conversation (RFC 5321), on a connection that is open, encrypted and logged in.

Where the server announces PIPELINING, commands leave in groups (RFC 2920 section 3.1): MAIL, RCPT and DATA of a message
together, and the content of one message together with the envelope of the next, so that a message costs one round trip.
Elsewhere each command waits for the reply to the last one. Either way every reply is read for the command that it
answers, and content leaves only where 354 stands in the place of the reply to its own DATA.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping

from flows.mail.model import Message
from flows.outcomes import Outcome, Stage, Verdict, read_reply

TIMEOUTS: Mapping[Stage, float] = {Stage.MAIL: 300.0, Stage.RCPT: 300.0, Stage.DATA: 120.0, Stage.CONTENT: 600.0}
"""How long a server may take for its reply (RFC 5321 section 4.5.3.2): ten minutes for a message."""
BLOCK_TIMEOUT = 180.0
"""How long a server may take nothing of a message that is on its way (section 4.5.3.2.5)."""
QUIT_TIMEOUT = 5.0
"""Every outcome is known by then: nobody waits long for a farewell."""

LONGEST = 64 * 1024
"""Bytes of one reply, all its lines together; section 4.5.3.1.5 has 512 for a line, EHLO's are a few thousand."""
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_END = b".\r\n"

_LOST = {
    Stage.MAIL: Verdict.UNSENT,
    Stage.RCPT: Verdict.DEFERRED,
    Stage.DATA: Verdict.DEFERRED,
    # The server may have taken the message although its reply is lost.
    Stage.CONTENT: Verdict.UNCERTAIN,
}


class _Over(Exception):  # noqa: N818
    """No more replies come; what that means for the message."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome


def _lost(stage: Stage, why: str) -> Outcome:
    return Outcome(_LOST[stage], stage, text=f"connection lost: {why}"[:500])


class Conversation(asyncio.Protocol):
    """Brings one message after another: `offer` its envelope, then `bring` its content.

    Takes the transport over from whoever opened it. Nothing that a server does raises: it is told as an Outcome, and
    `usable` says whether the connection has outlived it.
    """

    def __init__(
        self, transport: asyncio.Transport, *, pipelining: bool, timeouts: Mapping[Stage, float] = TIMEOUTS
    ) -> None:
        self._transport = transport
        self._pipelining = pipelining
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._lines: list[bytes] = []
        """The lines of a reply that has not come to its end."""
        self._replies: deque[tuple[int, str]] = deque()
        self._owed = 0
        """How many commands the server has not answered."""
        self._waiter: asyncio.Future[None] | None = None
        self._waits = 0
        """How often a reply has been waited for."""
        self._patience = self._late_at = 0.0
        """For how long the present one is waited for, and until when."""
        self._alarm: asyncio.TimerHandle | None = None
        self._ended = ""
        """Why nothing more can be said; empty while the connection is good."""
        self._gone = self._loop.create_future()
        self._announced: Message | None = None
        """The message whose envelope has left and is not answered."""
        self._open = False
        """The server waits for content."""
        self._reset = False
        """A transaction was begun and refused: the next MAIL would be nested in it (RFC 5321 section 4.1.1.5)."""
        self._resetting = False
        """The first reply of the group that has left is RSET's."""
        transport.set_protocol(self)
        # uvloop keeps what is below the limit until all that is ready has had its turn
        transport.set_write_buffer_limits(0)

    @property
    def usable(self) -> bool:
        return not self._ended and not self._transport.is_closing()

    async def offer(self, message: Message) -> Outcome | None:
        """Asks the server to take a message. None: it waits for the content, and `bring` must follow, or `abandon`."""
        if (refused := _unwritable(message)) is not None:
            return refused
        try:
            if not self._pipelining:
                return await self._step_by_step(message)
            if self._announced is None:
                self._write(self._envelope(message))
            elif self._announced is not message:  # nobody may get another one's message
                raise _Over(_lost(Stage.MAIL, "another message was announced"))
            return await self._answers()
        except _Over as over:
            self._end(over.outcome.text)
            return over.outcome
        except asyncio.CancelledError:
            self.abandon()  # nobody could tell any more which reply is whose
            raise

    async def bring(self, message: Message, following: Message | None = None) -> Outcome:
        """Sends the content of the message that was offered last, and what came of it.

        `following` is the message to be offered next: its envelope leaves in the same write where the server allows
        it, and must then be offered, or the conversation be abandoned.
        """
        if not self._open or not self.usable:  # while its mark was being written, say
            self.abandon()
            return Outcome(Verdict.UNSENT, Stage.DATA, text=f"connection lost: {self._ended}"[:500])
        self._open = False
        content = message.content if message.content.endswith(b"\r\n") else message.content + b"\r\n"
        self._owed += 1
        if self._pipelining and following is not None and _unwritable(following) is None:
            self._transport.writelines((content, _END, self._envelope(following)))
        else:
            self._transport.writelines((content, _END))
        try:
            code, text = await self._reply(Stage.CONTENT)
        except _Over as over:
            return over.outcome
        except asyncio.CancelledError:
            self.abandon()
            raise
        if code < 400 and code // 100 != 2:
            self._end(f"{code} in answer to the content")
        return read_reply(Stage.CONTENT, code, text)

    async def send(self, message: Message) -> Outcome:
        """Offers a message and brings it."""
        return await self.offer(message) or await self.bring(message)

    def abandon(self) -> None:
        """Ends the conversation at once. A message that was offered and not brought is not delivered to anybody: a
        server drops what has no end (RFC 5321 section 4.1.1.4), and there is no other way to take DATA back."""
        self._end("abandoned")

    async def close(self) -> None:
        """Says QUIT where nothing is under way, and closes the connection."""
        # an envelope that was answered, and not looked at yet: the server waits for content
        if self.usable and not (self._open or self._owed or self._announced or self._replies):
            self._write(b"QUIT\r\n", 1)
            await self._wait(QUIT_TIMEOUT)
            self._ended = self._ended or "closed"
            self._transport.close()
            await asyncio.wait([self._gone], timeout=1)
        self._end("closed")
        self._transport.abort()
        await asyncio.wait([self._gone], timeout=1)

    # --- commands

    def _envelope(self, message: Message) -> bytes:
        """The commands before the content, as one group; a transaction that is still open is ended with them."""
        self._announced = message
        self._resetting, self._reset = self._reset, False
        reset = b"RSET\r\n" if self._resetting else b""
        self._owed += 4 if reset else 3
        return b"%bMAIL FROM:<%b>\r\nRCPT TO:<%b>\r\nDATA\r\n" % (
            reset,
            message.sender.encode(),
            message.recipient.encode(),
        )

    async def _answers(self) -> Outcome | None:
        """The replies to a group: what was refused first is what counts."""
        if self._resetting:
            await self._reply(Stage.MAIL)
            self._resetting = False
        mail, text = await self._reply(Stage.MAIL)
        refused = None if 200 <= mail < 300 else read_reply(Stage.MAIL, mail, text)
        rcpt, text = await self._reply(Stage.RCPT, refused)
        if refused is None and not 200 <= rcpt < 300:
            refused = read_reply(Stage.RCPT, rcpt, text)
        data, text = await self._reply(Stage.DATA, refused)
        self._announced = None
        if 3 in (mail // 100, rcpt // 100) or (data < 400 and data != 354):
            # a line too many has shifted all replies: none can be trusted from here on
            self._end(f"{mail}, {rcpt} and {data} in answer to MAIL, RCPT and DATA")
            return refused or read_reply(Stage.DATA, data, text)
        if data != 354:
            self._reset = True
            return refused or read_reply(Stage.DATA, data, text)
        if refused is None:
            self._open = True
        elif 200 <= rcpt < 300:
            self.abandon()  # MAIL was refused and the rest taken: an empty message would reach the reader
        else:
            # RFC 2920 section 3.1: DATA may be taken although every RCPT was refused; a single dot ends it. Nobody
            # gets the empty message, since it is for nobody.
            self._write(_END, 1)
            await self._reply(Stage.CONTENT, refused)
        return refused

    async def _step_by_step(self, message: Message) -> Outcome | None:
        """The same, a command at a time."""
        if self._reset:
            self._reset = False
            self._write(b"RSET\r\n", 1)
            await self._reply(Stage.MAIL)
        for stage, command, success in (
            (Stage.MAIL, f"MAIL FROM:<{message.sender}>\r\n", 2),
            (Stage.RCPT, f"RCPT TO:<{message.recipient}>\r\n", 2),
            (Stage.DATA, "DATA\r\n", 3),
        ):
            self._write(command.encode(), 1)
            code, text = await self._reply(stage)
            if code // 100 != success:
                if code < 400:
                    self._end(f"{code} in answer to {stage}")
                self._reset = stage is not Stage.MAIL
                return read_reply(stage, code, text)
        self._open = True
        return None

    def _write(self, data: bytes, answers: int = 0) -> None:
        """At most one message and one envelope wait to be taken: what came before them has been answered."""
        if self.usable:
            self._owed += answers
            self._transport.write(data)

    # --- replies

    async def _reply(self, stage: Stage, refused: Outcome | None = None) -> tuple[int, str]:
        """The reply to a command; raises _Over, with what was refused before, where none comes. After 421 the server
        closes the connection (RFC 5321 section 3.8), whatever it has not answered."""
        if not self._replies and not await self._wait(self._timeouts[stage]):
            raise _Over(refused or _lost(stage, self._ended))
        code, text = self._replies.popleft()
        if code == 421:
            self._end(f"421 {text}")
            raise _Over(refused or read_reply(stage, code, text))
        return code, text

    async def _wait(self, seconds: float) -> bool:
        """Waits for a reply; False: none will come."""
        if self._ended:
            return False
        self._waiter = self._loop.create_future()
        self._waits += 1
        self._patience, self._late_at = seconds, self._loop.time() + seconds
        # the alarm of an earlier wait goes on and looks again when it rings: to set one for each costs more
        if self._alarm is None or self._alarm.when() > self._late_at:
            self._set_alarm()
        try:
            await self._waiter
        finally:
            self._waiter = None
        return bool(self._replies)

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        at = min(self._late_at, self._loop.time() + BLOCK_TIMEOUT)
        self._alarm = self._loop.call_at(at, self._look, self._waits, self._transport.get_write_buffer_size())

    def _look(self, wait: int, left: int) -> None:
        """Looks whether the server is late, or has taken nothing of what was `left` to leave in the same wait."""
        self._alarm = None
        if self._waiter is None:
            return
        if self._loop.time() >= self._late_at:
            self._end(f"no reply within {self._patience:g} s")
        elif left and wait == self._waits and left == self._transport.get_write_buffer_size():
            self._end(f"nothing of the message taken within {BLOCK_TIMEOUT:g} s")
        else:
            self._set_alarm()

    def data_received(self, data: bytes) -> None:
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self._line(line.rstrip(b"\r"))
        if len(self._received) + sum(map(len, self._lines)) > LONGEST:
            self._end("a reply without an end")
        if self._replies:
            self._wake()

    def _line(self, line: bytes) -> None:
        """RFC 5321 section 4.2.1: all lines of a reply begin with its code, all but the last with a hyphen after it."""
        found = _LINE.fullmatch(line)
        if self._ended:
            return
        if found is None or (self._lines and self._lines[0] != found[1]):
            self._end(f"what came is no SMTP: {line[:80]!r}")
            return
        code, hyphen, text = found.groups()
        if not self._lines:
            self._lines.append(code)
        self._lines.append((text or b"").strip())
        if hyphen == b"-":
            return
        said = b"\n".join(self._lines[1:]).decode("utf-8", "replace")
        self._lines.clear()
        if not self._owed:
            # 421 before the server goes, or a line too many: either way nothing that comes next could be trusted
            self._end(f"{code.decode()} {said}, which answers nothing")
            return
        self._owed -= 1
        self._replies.append((int(code), said))

    def eof_received(self) -> None:
        self._end("the server closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc or "the server closed the connection"))
        if not self._gone.done():
            self._gone.set_result(None)

    def _end(self, why: str) -> None:
        """Nothing is said or read any more; replies that have come still count."""
        if not self._ended:
            self._ended = why
            self._transport.abort()
            if self._alarm is not None:
                self._alarm.cancel()
        self._open = False
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _unwritable(message: Message) -> Outcome | None:
    """Why the envelope can't be written in commands (RFC 5321 section 4.1.1); None: it can."""
    if not (message.sender.isascii() and message.sender.isprintable()):
        return Outcome(Verdict.UNSENT, Stage.MAIL, 553, "5.1.7", "the address is not plain ASCII")
    if not (message.recipient.isascii() and message.recipient.isprintable()):
        return Outcome(Verdict.REJECTED, Stage.RCPT, 553, "5.6.7", "the address is not plain ASCII")
    return None
