"""What a process that signs is told and answers, and what becomes of those who wait for one that dies."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from flows.sending import dkim
from flows.sending.sign_pool import SigningProcess, serve, signatures
from tests.sending.test_dkim import KEYS, accepted

BODY = b"body\r\n"
HEADER = b"From: a@example.org\r\nSubject: x"
DIGEST = dkim.digest(BODY)
AT = 1_780_000_000


def test_a_message_has_a_signature_of_each_key_in_their_order() -> None:
    made = signatures([KEYS["ed25519"], KEYS["rsa"]], HEADER, DIGEST, AT)
    assert accepted(b"%s%s\r\n\r\n%s" % (made, HEADER, BODY), "ed25519", "rsa") == [True, True]
    assert made.count(b"DKIM-Signature: ") == 2
    assert made.index(b"s=ed25519-1;") < made.index(b"s=rsa-1;")
    assert signatures([], HEADER, DIGEST, AT) == b""


def test_each_line_is_answered_with_its_number_and_the_loop_ends_with_the_last() -> None:
    key = KEYS["ed25519"]
    hello = [[dkim.pem(key.private).decode(), key.selector, key.domain]]
    strange = HEADER + b"\r\nTo: \xe9@example.org"
    asked = [
        [7, AT, [[HEADER.decode(), DIGEST.decode()]] * 2],
        [3, AT + 1, [[strange.decode("latin-1"), "x"]]],
        [4, AT, []],
    ]
    answers = io.BytesIO()
    serve(io.BytesIO(b"".join(json.dumps(line).encode() + b"\n" for line in (hello, *asked))), answers)
    assert [json.loads(line) for line in answers.getvalue().splitlines()] == [
        [7, [signatures([key], HEADER, DIGEST, AT).decode()] * 2],
        [3, [signatures([key], strange, b"x", AT + 1).decode()]],
        [4, []],
    ]


async def test_who_waits_for_a_process_that_dies_is_told_and_so_is_who_comes_later() -> None:
    """With a process, since its death can't be seen otherwise."""
    process = SigningProcess([KEYS["ed25519"]])
    try:
        with pytest.raises(ConnectionError, match="has ended"):
            await process.sign([(HEADER, DIGEST)], AT)
        await process.open()
        assert await process.sign([(HEADER, DIGEST)], AT) == [signatures([KEYS["ed25519"]], HEADER, DIGEST, AT)]
        waiting = [asyncio.create_task(process.sign([(HEADER, DIGEST)] * 2_000, AT)) for _ in range(2)]
        await asyncio.sleep(0)
        assert process.waiting == 2
        process.kill()
        assert [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)] == [ConnectionError] * 2
        assert process.waiting == 0
        with pytest.raises(ConnectionError, match="has ended"):
            await process.sign([(HEADER, DIGEST)], AT)
    finally:
        process.close()
