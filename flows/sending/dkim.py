"""DKIM signatures (RFC 6376; Ed25519: RFC 8463), relaxed/relaxed, for operators whose relay does not sign.

Nothing here reads a file or tells the time; keys come as PEM.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from flows.outcomes import Problem

SIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"reply-to",
    b"cc",
    b"sender",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"auto-submitted",
    b"list-id",
    b"feedback-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-archive",
    b"list-help",
    b"list-owner",
    b"list-post",
    b"list-subscribe",
)
"""The header fields that a signature covers, as far as a message has them: what a reader sees and acts on (RFC 6376
section 5.4.1), and what one-click unsubscribing needs (RFC 8058 section 4)."""

OVERSIGNED = tuple(name for name in SIGNED if name != b"auto-submitted")
"""Named once more than they occur, so that nobody adds one, or a second one, unnoticed (RFC 6376 section 8.15)."""

RSA_BITS = 2048

_RUN = re.compile(rb"[ \t]+")
_SPACES = re.compile(rb" [ ]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")


@dataclass(frozen=True, slots=True)
class Key:
    """What signs: a private key under a selector of a domain."""

    domain: str
    selector: str
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        return "rsa" if isinstance(self.private, rsa.RSAPrivateKey) else "ed25519"

    @property
    def record(self) -> tuple[str, str]:
        """The name and the text of the DNS record that verifies it (RFC 6376 section 3.6.1)."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        else:
            form = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        public = base64.b64encode(self.private.public_key().public_bytes(*form)).decode()
        return f"{self.selector}._domainkey.{self.domain}", f"v=DKIM1; k={self.algorithm}; p={public}"


def read_key(pem: bytes, selector: str, domain: str) -> Key:
    """The key in a PEM file's content. Raises Problem for what can't sign."""
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Problem(
            "PAPERROUND_DKIM_KEY names a file that holds no private key in PEM without a password: "
            "make one with `paperround dkim new`."
        ) from None
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= 1024:
        return Key(domain, selector, private)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return Key(domain, selector, private)
    raise Problem(
        "PAPERROUND_DKIM_KEY names a key that is neither RSA of 1,024 bits or more nor Ed25519: "
        "make one with `paperround dkim new`."
    )


def new_key(algorithm: str) -> bytes:
    """A new private key as PEM: `rsa` (2,048 bits, which every receiver verifies) or `ed25519`."""
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if algorithm == "rsa":
        private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    return pem(private)


def pem(private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """A private key as PEM, without a password."""
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def digest(body: bytes, *, relaxed: bool = False) -> bytes:
    """The hash of a body with CRLF line ends, in its relaxed form (RFC 6376 section 3.4.4), as base64. It is `relaxed`
    where it is known to be in that form: most of the time goes into bringing it there."""
    return base64.b64encode(hashlib.sha256(body if relaxed else _relaxed(body)).digest())


def _relaxed(body: bytes) -> bytes:
    # A pattern that begins with a plain space is found five times as fast as the spaces are replaced one by one.
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    body = _SPACES.sub(b" ", body).replace(b" \r\n", b"\r\n")
    if body.endswith(b"\r\n\r\n") or body == b"\r\n":
        return body.rstrip(b"\r\n") + b"\r\n" if body.strip(b"\r\n") else b""
    return body if not body or body.endswith(b"\r\n") else body + b"\r\n"


def covered(header: bytes) -> tuple[bytes, bytes]:
    """What a signature says of a header (all of it, CRLF line ends): the names that it covers, for its `h=`, and those
    fields in their relaxed form (RFC 6376 section 3.4.2), the last of a name first."""
    fields: dict[bytes, list[bytes]] = {}
    for line in _FOLD.sub(b"", header).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        name = name.strip().lower()
        if colon and name in SIGNED:
            fields.setdefault(name, []).append(b"%s:%s\r\n" % (name, _RUN.sub(b" ", value).strip()))
    names = [name for name in SIGNED for _ in fields.get(name, ())]
    shown = [line for name in SIGNED for line in reversed(fields.get(name, ()))]
    return b":".join([*names, *OVERSIGNED]), b"".join(shown)


def sign(key: Key, names: bytes, fields: bytes, body_digest: bytes, at: int) -> bytes:
    """The DKIM-Signature field, with its CRLF; `at` is the time in seconds since 1970."""
    algorithm = b"rsa-sha256" if isinstance(key.private, rsa.RSAPrivateKey) else b"ed25519-sha256"
    head = b"DKIM-Signature: v=1; a=%s; c=relaxed/relaxed; d=%s;\r\n s=%s; t=%d;\r\n h=%s;\r\n bh=%s;\r\n b=" % (
        algorithm,
        key.domain.encode("ascii"),
        key.selector.encode("ascii"),
        at,
        b":\r\n  ".join(_lines(names)),
        body_digest,
    )
    # its own field comes last, without a value for b= and without CRLF (section 3.7)
    value = _RUN.sub(b" ", _FOLD.sub(b"", head.partition(b":")[2])).strip()
    signed = fields + b"dkim-signature:" + value
    if isinstance(key.private, rsa.RSAPrivateKey):
        raw = key.private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        raw = key.private.sign(hashlib.sha256(signed).digest())
    written = base64.b64encode(raw)
    return head + b"\r\n  ".join(written[i : i + 72] for i in range(0, len(written), 72)) + b"\r\n"


def _lines(names: bytes, width: int = 70) -> Sequence[bytes]:
    """The names in lines that are short enough for a header."""
    lines: list[bytes] = []
    for name in names.split(b":"):
        if lines and len(lines[-1]) + len(name) < width:
            lines[-1] += b":" + name
        else:
            lines.append(name)
    return lines
