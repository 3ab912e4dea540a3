"""A signed webhook out. The header `Paperround-Signature: t=SECONDS,v1=HEX` holds HMAC-SHA256 of `SECONDS.BODY` under
the key that both know, so that a receiver can tell who sent it, and when: an old one is somebody's repetition."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence

import httpx

HEADER = "Paperround-Signature"
PAUSES = (1.0, 5.0)
"""Seconds until it is sent once more; then it is given up: what happens waits for nobody's webhook."""
TIMEOUT = 5.0


def signature(key: str, body: bytes, seconds: int) -> str:
    """The header's value for a body that is sent then."""
    mark = hmac.new(key.encode(), str(seconds).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={mark}"


async def send(url: str, key: str, event: Mapping[str, object], pauses: Sequence[float] = PAUSES) -> str:
    """Sends an event as JSON; why it did not arrive, in a sentence without the address, which may hold a secret."""
    body = json.dumps(event).encode()
    words = ""
    async with httpx.AsyncClient(timeout=TIMEOUT) as client:
        for pause in (*pauses, None):
            headers = {"Content-Type": "application/json", HEADER: signature(key, body, int(time.time()))}
            try:
                answer = await client.post(url, content=body, headers=headers)
            except httpx.HTTPError as error:
                words = type(error).__name__
            else:
                if answer.is_success:
                    return ""
                words = f"HTTP {answer.status_code}"
                if answer.status_code < 500 and answer.status_code != 429:
                    break  # it says that it never will
            if pause is not None:
                await asyncio.sleep(pause)
    return f"The webhook of PAPERROUND_EVENTS_URL did not take {event['event']} ({words}): look whether it runs."
