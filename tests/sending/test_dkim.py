"""Signatures, judged by another implementation: dkimpy."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib

import dkim as judge
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from flows.mail.assemble import assemble
from flows.mail.model import Message
from flows.outcomes import Problem
from flows.sending import dkim
from flows.sending.sign import Signer
from tests import factories
from tests.mail.made import rendered

KEYS = {name: dkim.read_key(dkim.new_key(name), f"{name}-1", "example.org") for name in ("rsa", "ed25519")}
NOW = dt.datetime.now(dt.UTC)


def message(content: bytes | None = None) -> Message:
    if content is None:
        edition = factories.edition()
        return assemble(rendered(edition), factories.digest(edition), factories.reader())
    return Message(sender="bounces@example.org", recipient="reader@example.net", content=content)


def signed(unsigned: Message, *names: str) -> bytes:
    signer = Signer([KEYS[name] for name in names], lambda: NOW)
    try:
        return asyncio.run(signer(unsigned)).content
    finally:
        signer.close()


def accepted(content: bytes, *names: str) -> list[bool]:
    """What the judge says of each signature."""
    records = dict(KEYS[name].record for name in names)

    def lookup(name: bytes, timeout: int = 5) -> bytes | None:
        record = records.get(name.decode().rstrip("."))
        return record.encode() if record else None

    def verifies(number: int) -> bool:
        try:
            return bool(judge.DKIM(content).verify(idx=number, dnsfunc=lookup))
        except judge.ValidationError:  # another body
            return False

    return [verifies(number) for number in range(len(names))]


@pytest.mark.parametrize("names", [("rsa",), ("ed25519",), ("rsa", "ed25519")])
def test_a_signed_digest_is_verified(names: tuple[str, ...]) -> None:
    content = signed(message(), *names)
    assert accepted(content, *names) == [True] * len(names)
    assert max(len(line) for line in content.removesuffix(message().content).split(b"\r\n")) <= 78


def test_what_one_click_needs_is_covered() -> None:
    head = signed(message(), "rsa").partition(b"bh=")[0].replace(b"\r\n ", b"").replace(b" ", b"")
    assert b"list-unsubscribe:list-unsubscribe-post" in head


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"List-Unsubscribe-Post: List-Unsubscribe=Two-Clicks"),
        (b"To: reader@example.net", b"To: somebody@example.net"),
        (b"\r\n\r\n", b"\r\nSubject: another\r\n\r\n"),
        (b"multipart/alternative", b"multipart/mixed"),
        *(
            (b"\r\nSubject:", b"\r\n%s: b@example.net\r\nSubject:" % name)
            for name in (
                *(b"From", b"To", b"Subject", b"Date", b"Reply-To", b"Cc", b"Sender", b"Content-Type", b"MIME-Version"),
                *(
                    b"List-ID",
                    b"List-Unsubscribe",
                    b"List-Unsubscribe-Post",
                    b"List-Archive",
                    b"List-Post",
                    b"List-Help",
                    b"List-Owner",
                    b"List-Subscribe",
                ),
            )
        ),
    ],
)
def test_what_is_altered_is_noticed(before: bytes, after: bytes) -> None:
    content = signed(message(), "rsa")
    assert before in content
    assert accepted(content.replace(before, after, 1), "rsa") == [False]


def test_an_altered_body_is_noticed() -> None:
    assert accepted(signed(message(), "rsa") + b"more\r\n", "rsa") == [False]


_BODY = st.lists(st.text("ab \t.", max_size=8), max_size=12).map(lambda lines: "".join(f"{x}\r\n" for x in lines))


@given(body=_BODY, subject=st.text("ab \t", min_size=1, max_size=30))
def test_every_body_and_header_is_made_canonical_as_the_judge_does(body: str, subject: str) -> None:
    header = f"From: A  <a@example.org>\r\nSubject:{subject}x\r\n\tmore \r\nTo: b@example.net"
    content = f"{header}\r\n\r\n{body}".encode()
    assert accepted(signed(message(content), "ed25519"), "ed25519") == [True]


def test_an_empty_body_has_the_hash_of_nothing() -> None:
    assert dkim.digest(b"") == dkim.digest(b"\r\n\r\n") == base64.b64encode(hashlib.sha256(b"").digest())


def test_a_key_that_cannot_sign_is_refused_with_the_remedy() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for pem in (b"", b"no key", curve):
        with pytest.raises(Problem, match="paperround dkim new"):
            dkim.read_key(pem, "s", "example.org")


def test_a_key_is_not_shown() -> None:
    assert "private" not in repr(KEYS["rsa"])
