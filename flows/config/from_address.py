"""The sender's address as an operator writes it, in the form that is right in a header and in an envelope."""

from __future__ import annotations

import re

import idna

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NAMED = re.compile(r'(?P<name>"(?:[^"\\]|\\.)*"|[^<>]*?)\s*<(?P<address>[^<>]*)>')
_PLAIN = re.compile(r"[^()<>\[\]:;@\\,.\"\x00-\x1f\x7f]*")
"""A name that needs no quotes (RFC 5322 section 3.2.3), whatever its script: what is not ASCII is encoded later."""


def read_sender(text: str) -> str:
    """Reads `Paperround <digest@example.org>`, or an address alone; the name is quoted where a header needs it, and the
    domain is as DNS has it. Raises ValueError."""
    written = text.strip()
    if any(not one.isprintable() for one in written):
        raise ValueError("should be a name and an address such as `Paperround <digest@example.org>`, on one line")
    named = _NAMED.fullmatch(written)
    if named is None:
        return read_address(written)
    name, address = named["name"], read_address(named["address"].strip())
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    if not _PLAIN.fullmatch(name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{name} <{address}>" if name else address


def read_address(text: str) -> str:
    """Reads an address alone, such as bounces@example.org. Raises ValueError."""
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or any(one.isspace() for one in text):
        raise ValueError("should be a name and an address such as `Paperround <digest@example.org>`")
    if not local.isascii():
        raise ValueError("has letters before the @ that only some mail servers take: use an address in ASCII there")
    if not _LOCAL.fullmatch(local) or len(local) > 64:
        raise ValueError(f"has {local[:40]!r} before the @: use letters, digits, dots and hyphens")
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        raise ValueError(f"has the domain {domain[:60]!r}, which can't be one: use one such as example.org") from None
