"""Signs messages before they leave, where there is a key."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

from flows.mail.model import Message
from flows.sending import dkim
from flows.sending.sign_pool import SigningProcess, signatures

FEW = 100
"""So many messages of an edition are signed here, on the way: processes are started for those who have more."""

_WAITING = attrgetter("waiting")


class Signer:
    """Puts a signature for each key before a message's header; without keys, messages stay as they are."""

    def __init__(self, keys: Sequence[dkim.Key], now: Callable[[], dt.datetime]) -> None:
        self._keys = keys
        self._now = now
        self._signed = 0
        self.processes: list[SigningProcess] = []
        """Those that sign, once there is much to be signed."""
        self._starting = asyncio.Lock()

    @property
    def signs(self) -> bool:
        """Whether there is a key."""
        return bool(self._keys)

    async def __call__(self, message: Message) -> Message:
        """A letter, signed here: letters are few."""
        if not self.signs:
            return message
        (signature,) = await asyncio.to_thread(self._here, [message], self._at())
        return _under(signature, message)

    async def all(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Some of many messages, signed. Raises ConnectionError where a process that does it has died; the next call
        starts others."""
        if not self.signs:
            return messages
        self._signed += len(messages)
        if self._signed <= FEW:
            made = await asyncio.to_thread(self._here, messages, self._at())
        else:
            async with self._starting:
                if not self.processes:
                    await self._start()
            process = min(self.processes, key=_WAITING)
            try:
                made = await process.sign([_unsigned(message) for message in messages], self._at())
            except ConnectionError:
                self.close()
                raise
        return [_under(signature, message) for message, signature in zip(messages, made, strict=True)]

    def _at(self) -> int:
        return int(self._now().timestamp())

    def _here(self, messages: Sequence[Message], at: int) -> Sequence[bytes]:
        return [signatures(self._keys, *_unsigned(message), at) for message in messages]

    async def _start(self) -> None:
        processes = [SigningProcess(self._keys) for _ in range(os.cpu_count() or 1)]
        for process in processes:
            await process.open()
        self.processes = processes

    def close(self) -> None:
        for process in self.processes:
            process.close()
        self.processes = []


def _unsigned(message: Message) -> tuple[bytes, bytes]:
    header, _, body = message.content.partition(b"\r\n\r\n")
    return header, dkim.digest(body, relaxed=message.relaxed)


def _under(signature: bytes, message: Message) -> Message:
    return replace(message, content=signature + message.content)
