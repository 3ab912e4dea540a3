"""Signs messages before they leave, where there is a key. Threads do it: OpenSSL lets go of Python's lock while it
signs, so that signing takes all cores (cryptography from version 49 on)."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from flows.mail import dkim
from flows.mail.model import Message


class Signer:
    """Puts a signature for each key before a message's header; without keys, messages stay as they are."""

    def __init__(self, keys: Sequence[dkim.Key], now: Callable[[], dt.datetime]) -> None:
        self._keys = keys
        self._now = now
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, "dkim") if keys else None

    async def __call__(self, message: Message) -> Message:
        if self._threads is None:
            return message
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._signed, message)

    def _signed(self, message: Message) -> Message:
        header, _, body = message.content.partition(b"\r\n\r\n")
        names, fields = dkim.covered(header)
        digest, at = dkim.digest(body), int(self._now().timestamp())
        signatures = [dkim.sign(key, names, fields, digest, at) for key in self._keys]
        return replace(message, content=b"".join([*signatures, message.content]))

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
