"""What a stranger's server sends, in bounded memory, however it is packed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import httpx

ACCEPTED = "gzip, deflate"
"""What we ask for: packed once, by what we can unpack in steps."""
_STEP = 65_536
_GZIP = ("gzip", "x-gzip")


async def read(response: httpx.Response, most: int) -> bytes:
    """The body of a streamed response: whole, or a little more than `most` bytes of one that is longer.

    A body is unpacked in steps, so that a small one that becomes an endless one ends there. Raises httpx.DecodingError
    for one that is packed twice, in a form that was not asked for, or is damaged.
    """
    unpacked = _Unpacking(response.headers.get("Content-Encoding", ""))
    body = bytearray()
    async for part in response.aiter_raw(_STEP):
        for piece in unpacked.more(part):
            body += piece
            if len(body) > most:
                return bytes(body)
    unpacked.end()
    return bytes(body)


class _Unpacking:
    def __init__(self, encoding: str) -> None:
        self._form = encoding.strip().lower()
        if self._form not in ("", "identity", "deflate", *_GZIP):
            raise httpx.DecodingError(f"an answer packed as {encoding[:40]!r}")
        self._plain = self._form in ("", "identity")
        self._begun = False
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 16 if self._form in _GZIP else zlib.MAX_WBITS)

    def more(self, part: bytes) -> Iterator[bytes]:
        """What a part of the body becomes, in pieces of a bounded size."""
        if self._plain:
            yield part
            return
        while part:
            if self._decoder.eof:  # several packed one after the other are one (RFC 1952 section 2.2)
                if self._form not in _GZIP:
                    return
                self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield self._step(part)
            part = self._decoder.unconsumed_tail or self._decoder.unused_data

    def _step(self, part: bytes) -> bytes:
        try:
            piece = self._decoder.decompress(part, _STEP)
        except zlib.error as error:
            if self._begun or self._form in _GZIP:
                raise httpx.DecodingError(f"a damaged answer ({error})") from None
            # many mean by "deflate" what has no head and no sum (RFC 9110 section 8.4.1.2)
            self._decoder, self._begun = zlib.decompressobj(-zlib.MAX_WBITS), True
            return self._step(part)
        self._begun = True
        return piece

    def end(self) -> None:
        if not self._plain and self._begun and not self._decoder.eof:
            raise httpx.DecodingError("an answer that breaks off")
