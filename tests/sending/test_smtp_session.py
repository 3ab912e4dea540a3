"""Our side of the conversation, with servers that answer too much, too little or too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from flows.mail.model import Message
from flows.outcomes import Stage, Verdict
from flows.sending import smtp_session
from flows.sending.smtp_session import LONGEST, Conversation

MESSAGE = Message(sender="a@example.org", recipient="b@example.net", content=b"Subject: x\r\n\r\n" + b"line\r\n" * 40)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], "asyncio.Future[None] | object"]


@asynccontextmanager
async def talking(talk: object, *, pipelining: bool = True, patience: float = 5) -> AsyncIterator[Conversation]:
    """A conversation with a server that does as it is told."""

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)  # type: ignore[operator]
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0, limit=1 << 22)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", port)
    timeouts = dict.fromkeys(Stage, patience)
    conversation = Conversation(transport, pipelining=pipelining, timeouts=timeouts)
    try:
        yield conversation
    finally:
        conversation.abandon()
        await asyncio.sleep(0)
        server.close()


async def envelope(reader: asyncio.StreamReader) -> None:
    for _ in range(3):
        await reader.readline()


async def test_a_line_that_answers_nothing_ends_the_conversation() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"250 by the way\r\n")
        await reader.read()

    async with talking(talk) as conversation:
        await asyncio.sleep(0.1)
        assert not conversation.usable
        outcome = await conversation.send(MESSAGE)
        assert outcome.verdict is Verdict.UNSENT


async def test_a_354_and_a_farewell_that_is_not_utf_8_in_one_segment_are_an_outcome() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await envelope(reader)
        writer.write(b"250 ok\r\n250 ok\r\n354 go on\r\n421 ferm\xe9\r\n")
        await reader.read()

    async with talking(talk) as conversation:
        outcome = await conversation.send(MESSAGE)
        assert outcome.verdict is Verdict.UNSENT
        outcome.text.encode()


async def test_a_reply_without_an_end_is_not_kept() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await envelope(reader)
        for _ in range(4 * LONGEST // 1000):
            writer.write(b"250-" + b"x" * 994 + b"\r\n")
            await writer.drain()
        await reader.read()

    async with talking(talk) as conversation:
        outcome = await conversation.send(MESSAGE)
        assert "a reply without an end" in outcome.text
        assert not conversation.usable


async def test_a_server_that_takes_nothing_of_a_message_is_given_up() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await envelope(reader)
        writer.write(b"250 ok\r\n250 ok\r\n354 go on\r\n")
        await asyncio.sleep(20)  # and reads no more

    large = Message(
        sender="a@example.org", recipient="b@example.net", content=b"Subject: x\r\n\r\n" + b"l\r\n" * 9_000_000
    )
    before, smtp_session.BLOCK_TIMEOUT = smtp_session.BLOCK_TIMEOUT, 0.3
    try:
        async with talking(talk, patience=60) as conversation:
            outcome = await asyncio.wait_for(conversation.send(large), 10)
    finally:
        smtp_session.BLOCK_TIMEOUT = before
    assert outcome.verdict is Verdict.UNCERTAIN
    assert "nothing of the message taken" in outcome.text


async def test_a_conversation_whose_next_envelope_was_taken_is_closed_at_once() -> None:
    """QUIT would be content there, and its answer never come."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await envelope(reader)
        writer.write(b"250 ok\r\n250 ok\r\n354 go on\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        await envelope(reader)
        writer.write(b"250 taken\r\n250 ok\r\n250 ok\r\n354 go on\r\n")
        await reader.read()

    async with talking(talk) as conversation:
        assert await conversation.offer(MESSAGE) is None
        following = Message(sender="a@example.org", recipient="c@example.net", content=MESSAGE.content)
        assert (await conversation.bring(MESSAGE, following)).verdict is Verdict.SENT
        await asyncio.sleep(0.05)
        await asyncio.wait_for(conversation.close(), 2)


async def test_a_reply_that_comes_too_late_leaves_it_open_whether_the_message_was_taken() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await envelope(reader)
        writer.write(b"250 ok\r\n250 ok\r\n354 go on\r\n")
        await reader.read()

    async with talking(talk, patience=0.2) as conversation:
        outcome = await conversation.send(MESSAGE)
        assert outcome.verdict is Verdict.UNCERTAIN
        assert "no reply within 0.2 s" in outcome.text


async def test_what_was_taken_after_a_refused_sender_ends_the_conversation() -> None:
    """The server waits for content that is for nobody: whatever came next would be taken for it."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await envelope(reader)
        writer.write(b"550 not you\r\n250 ok\r\n354 go on\r\n")
        await reader.read()

    async with talking(talk) as conversation:
        outcome = await conversation.offer(MESSAGE)
        assert outcome is not None
        assert (outcome.stage, outcome.code) == (Stage.MAIL, 550)
        assert not conversation.usable
