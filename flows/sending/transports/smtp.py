"""Mail over SMTP (RFC 5321), submission with TLS (RFC 8314) or STARTTLS (RFC 3207) and AUTH (RFC 4954).

aiosmtplib opens the connection and hands its transport over: what follows is a `Conversation`.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast
from urllib.parse import SplitResult, unquote

import aiosmtplib

from flows.outcomes import Problem
from flows.sending.smtp_session import Conversation
from flows.sending.transports import CantConnect, Connect

SCHEMES = ("smtp", "smtps", "smtp+starttls")
PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
GREETING_TIMEOUT = 60.0


def opener(url: SplitResult) -> Connect:
    """Opens connections with TLS and login where the URL says so; raises Problem for a bad URL.

    smtps:// and smtp+starttls:// verify the server's certificate. smtp:// takes STARTTLS where it is offered and
    verifies nothing (RFC 7435): the mail would otherwise go in the clear.
    """
    host, port = _where(url)

    if url.scheme == "smtp" and url.username and host not in ("localhost", "127.0.0.1", "::1"):
        raise Problem(
            "PAPERROUND_MAIL_URL would send the password in clear: write smtp+starttls:// or smtps:// instead of smtp://."
        )

    async def connect() -> Conversation:
        client = aiosmtplib.SMTP(
            hostname=host,
            port=port,
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            use_tls=url.scheme == "smtps",
            start_tls={"smtp": None, "smtps": False, "smtp+starttls": True}[url.scheme],
            validate_certs=url.scheme != "smtp",
            timeout=GREETING_TIMEOUT,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await _greet(client)
            # uvloop's have the methods of asyncio's, and another class
            transport = cast(asyncio.Transport | None, client.transport)
            if transport is None or transport.is_closing():
                raise aiosmtplib.SMTPServerDisconnected("connection lost")
        except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
            client.close()
            raise _explained(error, f"The mail server {host}:{port}") from error
        return Conversation(transport, pipelining=client.supports_extension("pipelining"))

    return connect


async def _greet(client: aiosmtplib.SMTP) -> None:
    """Says EHLO, or HELO to a server that knows no more than that (RFC 5321 section 3.2)."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()


def _where(url: SplitResult) -> tuple[str, int]:
    try:
        port = url.port or PORTS[url.scheme]
    except ValueError:
        port = 0
    if not port or not url.hostname or url.path not in ("", "/") or url.query or url.fragment:
        raise Problem(
            "PAPERROUND_MAIL_URL needs a host and a port and nothing after them, such as smtp://mail.example.org:587; "
            "in a password write @ as %40, / as %2F, # as %23, ? as %3F and % as %25."
        )
    return url.hostname, port


def _explained(error: Exception, server: str) -> CantConnect:
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, aiosmtplib.SMTPResponseException):
        words = f"{error.code} {error.message}".replace("\n", " ")[:200]
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return CantConnect(
            f"{server} refused the login ({words}): check the user and password in PAPERROUND_MAIL_URL.",
            lasting=error.code >= 500,
            login=True,
        )
    untrusted = next((e for e in (error, error.__cause__) if isinstance(e, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        return CantConnect(
            f"{server} shows a certificate that is not trusted ({untrusted.verify_message}): check the host in "
            "PAPERROUND_MAIL_URL, or name the file of your own authority in SSL_CERT_FILE.",
            lasting=True,
        )
    busy = isinstance(error, aiosmtplib.SMTPResponseException) and error.code == 421
    return CantConnect(f"{server} can't be used ({words}): check PAPERROUND_MAIL_URL.", busy=busy)
