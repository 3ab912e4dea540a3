"""Processes that sign: `python -m flows.sending.sign_pool` is one of them.

A signature takes longer than all else that is done for a message. A thread that signs waits for Python's lock before
and after, and where the courier is busy that is ten milliseconds for each message; a process waits for nobody. The
standard library's pool would import the program that it is started from once more in each of them, Prefect and all.

A line of JSON goes each way. The first one that a process reads holds the keys, and each after it a number, the time
and some headers with the digests of their bodies; it answers with the number and the signatures.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

from flows.process import python
from flows.sending import dkim

_LONGEST = 1 << 22
"""Bytes of a line, far above what some dozens of signatures take."""

Unsigned = tuple[bytes, bytes]
"""A message's header and the digest of its body."""


def signatures(keys: Sequence[dkim.Key], header: bytes, digest: bytes, at: int) -> bytes:
    """The signatures of a message, one for each key, as they stand before its header."""
    names, fields = dkim.covered(header)
    return b"".join([dkim.sign(key, names, fields, digest, at) for key in keys])


class SigningProcess:
    """A process that signs. It ends when its connection is closed, and with this process."""

    def __init__(self, keys: Sequence[dkim.Key]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - a module of ours
                python("flows.sending.sign_pool"),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                start_new_session=True,  # Ctrl-C reaches us alone
            )
        self._socket = ours
        self._hello = _line([[dkim.pem(key.private).decode(), key.selector, key.domain] for key in keys])
        self._asked: dict[int, asyncio.Future[Sequence[bytes]]] = {}
        self._number = 0
        self._listening: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many requests it has not answered."""
        return len(self._asked)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def open(self) -> None:
        """Connects it; to be called once, before it is asked for anything."""
        reader, self._writer = await asyncio.open_connection(sock=self._socket, limit=_LONGEST)
        self._writer.write(self._hello)
        self._listening = asyncio.create_task(self._listen(reader))

    async def sign(self, messages: Sequence[Unsigned], at: int) -> Sequence[bytes]:
        """The signatures of some messages; `at` is the time in seconds since 1970. Raises ConnectionError where the
        process has died."""
        if self._listening is None or self._listening.done():
            raise ConnectionError("a process that signs mail has ended")
        self._number += 1
        asked: asyncio.Future[Sequence[bytes]] = asyncio.get_running_loop().create_future()
        self._asked[self._number] = asked
        plain = [[header.decode("latin-1"), digest.decode("ascii")] for header, digest in messages]
        self._writer.write(_line([self._number, at, plain]))
        return await asked

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                number, signed = json.loads(line)
                asked = self._asked.pop(number)
                if not asked.done():
                    asked.set_result([signature.encode("ascii") for signature in signed])
        except ConnectionError:
            pass  # told to those who wait, as an end without an error is
        finally:
            for asked in self._asked.values():
                if not asked.done():
                    asked.set_exception(ConnectionError("a process that signs mail has ended"))
            self._asked.clear()

    def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            self._writer.close()
        self._socket.close()
        self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def _line(what: Any) -> bytes:
    return json.dumps(what, separators=(",", ":")).encode() + b"\n"


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Signs what is asked for, until nothing more can come."""
    keys = [dkim.read_key(pem.encode(), selector, domain) for pem, selector, domain in json.loads(asked.readline())]
    while line := asked.readline():
        number, at, messages = json.loads(line)
        signed = [
            signatures(keys, header.encode("latin-1"), digest.encode(), at).decode("ascii")
            for header, digest in messages
        ]
        answers.write(_line([number, signed]))
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
