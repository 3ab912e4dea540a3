"""A mail server to test with: it keeps what it takes, and misbehaves on request.

What the local part of a recipient begins with decides what happens to it; "once" is at its first try:

    reject-  550 5.1.1 at RCPT          grey-   451 4.7.1 at RCPT, once      full-   452 4.2.2 at RCPT
    shut-    421 at RCPT, once          foreign-  550 at RCPT, not in UTF-8  nodata- 554 5.5.1 at DATA
    spam-    554 5.7.1 after the content                                     later-  451 4.3.2 after the content, once
    drop-    the connection is cut in the middle of the content, once
    lost-    the message is taken, then the connection is cut before the reply, once
    slow-    the reply to the content comes after a second
    policy-  550 5.7.1 at RCPT          hang-   no reply to RCPT, ever       full421- 421 after the content, once
    chatty-  a line that nobody asked for comes before the reply to RCPT, once
    early-   a line that nobody asked for comes after 354, once
    void-    550 5.1.1 at RCPT, and yet 354 to DATA
    babble-  the reply to RCPT is no SMTP, once
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_MESSAGE_ID = re.compile(rb"^Message-ID: *<(.*)>", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    sender: str
    recipient: str
    message_id: str
    content: bytes
    at: float
    encrypted: bool


class _Cut(Exception):  # noqa: N818
    """The connection is over."""


@dataclass(kw_only=True)
class MailServer:
    """What it does with everybody stands in its fields, which may be changed while it runs."""

    port: int = 0
    per_connection: int = 0
    """It answers 421 to MAIL after so many messages in one connection (RFC 5321 section 3.8)."""
    spent: tuple[str, str] | None = None
    """What it answers instead, and to which command."""
    refuses: Callable[[str], str] = lambda address: ""
    """What it answers to RCPT for an address; empty: as is said above."""
    refuses_content: Callable[[str], str] = lambda address: ""
    """What it answers to the content for an address."""
    refuses_mail: str = ""
    """What it answers to MAIL, and takes RCPT and DATA all the same."""
    at_a_time: int = 0
    """It greets with 421 whoever comes when so many are connected."""
    waits_for: int = 0
    """It replies to no message before so many connections have been made."""
    closed: bool = False
    """It greets everybody with 421."""
    refuses_sender: str = ""
    """This sender, and no other, is refused."""
    login: tuple[str, str] | None = None
    slowness: float = 1.0
    pipelining: bool = True
    delay: float = 0
    """Seconds before every group of replies: a server far away."""
    crumbs: int = 0
    """It sends its replies in pieces of so many bytes."""
    tls: ssl.SSLContext | None = None
    starttls: ssl.SSLContext | None = None
    keeps_content: bool = True
    """Without it, very many messages can be taken."""

    taken: list[Taken] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    connections: int = 0
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _arrival: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def readers(self) -> Counter[str]:
        """How many messages were taken for each recipient."""
        return Counter(taken.recipient for taken in self.taken)

    async def has_taken(self, number: int) -> None:
        """Waits for so many messages."""
        while len(self.taken) < number:
            await self._next()

    async def has_tried(self, number: int) -> None:
        """Waits until so many readers were asked for."""
        while self.tries.total() < number:
            await self._next()

    async def has_met(self, number: int) -> None:
        """Waits for so many connections."""
        while self.connections < number:
            await self._next()

    async def has_open(self, number: int) -> None:
        """Waits until no more than so many connections are open; raises TimeoutError where that does not come."""
        async with asyncio.timeout(5):
            while len(self._open) > number:
                await self._next()

    async def _next(self) -> None:
        self._arrival.clear()
        await self._arrival.wait()

    async def start(self) -> None:
        """Listens, on the same port as before where it listened before."""
        self._server = await asyncio.start_server(self._met, "127.0.0.1", self.port, ssl=self.tls, limit=1 << 22)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Dies: the connections are cut."""
        if self._server is None:
            return
        self._server.close()
        for writer in self._open.values():
            writer.transport.abort()
        await asyncio.gather(*self._open, return_exceptions=True)
        self._server = None

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        self.connections += 1
        self._arrival.set()
        try:
            await _Conversation(self, reader, writer).hold()
        except (_Cut, OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            writer.close()
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1)
            del self._open[task]
            self._arrival.set()


class _Conversation:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.sender: str | None = None
        self.recipient: str | None = None
        self.count = 0
        self.encrypted = server.tls is not None
        self.known = server.login is None
        self.void = False
        """The next DATA is taken, whoever it is for."""

    async def say(self, line: str | bytes) -> None:
        said = (line if isinstance(line, bytes) else line.encode()) + b"\r\n"
        if self.server.delay:
            await asyncio.sleep(self.server.delay)
        step = self.server.crumbs or len(said)
        for start in range(0, len(said), step):
            self.writer.write(said[start : start + step])
            await self.writer.drain()
            if self.server.crumbs:
                await asyncio.sleep(0)

    async def hold(self) -> None:
        server = self.server
        if server.closed or (server.at_a_time and len(server._open) > server.at_a_time):
            await self.say("421 4.3.2 too many of you")
            return
        await self.say("220 test server")
        while line := (await self.reader.readline()).decode().rstrip("\r\n"):
            verb = line.split()[0].upper().split(":")[0]
            server.commands[verb] += 1
            match verb:
                case "EHLO":
                    offers = ["250-test server", "250-8BITMIME"]
                    offers += ["250-PIPELINING"] if server.pipelining else []
                    offers += ["250-STARTTLS"] if server.starttls and not self.encrypted else []
                    offers += ["250-AUTH PLAIN LOGIN"] if server.login else []
                    await self.say("\r\n".join([*offers, "250 ENHANCEDSTATUSCODES"]))
                case "STARTTLS":
                    await self.say("220 go on")
                    await self.encrypt()
                case "AUTH":
                    await self.log_in(line)
                case "MAIL":
                    await self.mail(line)
                case "RCPT":
                    await self.rcpt(line)
                case "DATA":
                    await self.data()
                case "RSET":
                    self.sender = self.recipient = None
                    self.void = False
                    await self.say("250 2.0.0 ok")
                case "QUIT":
                    await self.say("221 2.0.0 bye")
                    return
                case _:
                    server.breaches.append(line)
                    await self.say("502 5.5.2 unknown")

    async def encrypt(self) -> None:
        assert self.server.starttls is not None
        plain = self.writer.transport
        try:
            await self.writer.start_tls(self.server.starttls)
        except AttributeError:  # Python 3.11 expects that no client leaves right after the handshake
            self.writer._transport = plain  # type: ignore[attr-defined]
            raise _Cut from None
        self.encrypted = True

    async def log_in(self, line: str) -> None:
        answer = line.split(" ")[2] if line.count(" ") == 2 else ""
        expected = "\0{}\0{}".format(*self.server.login) if self.server.login else ""
        self.known = base64.b64decode(answer).decode() == expected
        await self.say("235 2.7.0 welcome" if self.known else "535 5.7.8 wrong user or password")

    def is_spent(self, command: str) -> str:
        """What it says when the connection has brought enough."""
        server = self.server
        if not server.per_connection or self.count < server.per_connection:
            return ""
        at, says = server.spent or ("MAIL", "421 4.7.0 enough for one connection")
        return says if at == command else ""

    async def mail(self, line: str) -> None:
        server = self.server
        if self.sender is not None:
            server.breaches.append("MAIL inside a transaction")
        if not self.known:
            await self.say("530 5.7.0 log in first")
        elif server.refuses_sender and server.refuses_sender in line:
            await self.say("553 5.7.1 you are not who you say")
        elif says := self.is_spent("MAIL"):
            await self.say(says)
            if says.startswith("421"):
                raise _Cut
        elif server.refuses_mail:
            self.sender = "anybody"
            await self.say(server.refuses_mail)
        else:
            self.sender = line[len("MAIL FROM:<") :].split(">", maxsplit=1)[0]
            await self.say("250 2.1.0 ok")

    async def rcpt(self, line: str) -> None:  # noqa: PLR0912 - one branch for each misbehaviour
        address = line[len("RCPT TO:<") : line.rindex(">")]
        if self.sender is None:
            await self.say("503 5.5.1 MAIL first")
            return
        self.server.tries[address] += 1
        self.server._arrival.set()
        if says := self.is_spent("RCPT") or self.server.refuses(address):
            self.sender = None
            await self.say(says)
            return
        kind, first = address.split("-")[0], self.server.tries[address] == 1
        match kind:
            case "policy":
                await self.say("550 5.7.1 we don't like you")
            case "hang":
                while await self.reader.read(1 << 16):
                    pass
                raise _Cut
            case "void":
                self.void = True
                await self.say("550 5.1.1 no such user")
            case "babble" if first:
                await self.say("* OK this is IMAP")
            case "reject":
                await self.say("550 5.1.1 no such user")
            case "full":
                await self.say("452 4.2.2 mailbox full")
            case "foreign":
                await self.say("550 5.1.1 boîte\0 inconnue".encode("latin-1"))
            case "grey" if first:
                await self.say("451-4.7.1 greylisted,\r\n451 4.7.1 come again")
            case "shut" if first:
                await self.say("421 4.3.2 going down")
                raise _Cut
            case _:
                if kind == "chatty" and first:
                    await self.say("250 2.0.0 by the way")
                self.recipient = address
                await self.say("250 2.1.5 ok")

    async def data(self) -> None:  # noqa: PLR0911, PLR0912 - one branch for each misbehaviour
        server, address, sender = self.server, self.recipient, self.sender
        if self.void:
            self.void, self.sender = False, None
            await self.say("354 go on")
            if await self.reader.readline() != b".\r\n":
                server.breaches.append("content for nobody")
                raise _Cut
            await self.say("554 5.5.1 whom to?")
            return
        if address is None or sender is None:
            if not server.pipelining:
                server.breaches.append("DATA without recipients")
            await self.say("503 5.5.1 whom to?")
            return
        kind, first = address.split("-")[0], server.tries[address] == 1
        if says := self.is_spent("DATA"):
            self.sender = self.recipient = None
            await self.say(says)
            return
        if kind == "nodata":
            await self.say("554 5.5.1 no")
            return
        await self.say("354 go on")
        if kind == "early" and first:
            await self.say("250 2.0.0 by the way")
        if kind == "drop" and first:
            await self.reader.readexactly(1000)
            raise _Cut
        content = (await self.reader.readuntil(b"\r\n.\r\n"))[:-3]
        self.sender = self.recipient = None
        self.count += 1
        if content.count(b"\n") != content.count(b"\r\n") or b"\n." in content:
            server.breaches.append("a bare line end, or a dot at the beginning of a line")
        if says := server.refuses_content(address):
            await self.say(says)
            return
        if kind == "spam":
            await self.say("554 5.7.1 looks like spam")
            return
        if kind == "full421" and first:
            await self.say("421 4.3.2 going down")
            raise _Cut
        if kind == "later" and first:
            await self.say("451 4.3.2 later, please")
            return
        found = _MESSAGE_ID.search(content)
        server.taken.append(
            Taken(
                sender=sender,
                recipient=address,
                message_id=found[1].decode() if found else "",
                content=content if server.keeps_content else b"",
                at=asyncio.get_running_loop().time(),
                encrypted=self.encrypted,
            )
        )
        server._arrival.set()
        if kind == "lost" and first:
            raise _Cut
        await server.has_met(server.waits_for)
        if kind == "slow":
            await asyncio.sleep(server.slowness)
        await self.say("250 2.0.0 taken")


@asynccontextmanager
async def mail_server(server: MailServer | None = None) -> AsyncIterator[MailServer]:
    """A mail server on a free port of this machine, gone at the end."""
    server = server or MailServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
