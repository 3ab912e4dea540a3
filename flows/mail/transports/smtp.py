"""Mail over SMTP (RFC 5321), submission with TLS (RFC 8314) or STARTTLS (RFC 3207) and AUTH (RFC 4954)."""

from __future__ import annotations

from urllib.parse import SplitResult, unquote

import aiosmtplib

from flows.mail.model import Message
from flows.mail.transports import CantConnect
from flows.outcomes import Outcome, Problem, Stage, Verdict, read_reply

SCHEMES = ("smtp", "smtps", "smtp+starttls")
PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
TIMEOUT = 600.0
"""RFC 5321 section 4.5.3.2.6: the reply to a message may take ten minutes."""
GREETING_TIMEOUT = 60.0


class SmtpConnection:
    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client
        self._broken = False

    @property
    def usable(self) -> bool:
        return self._client.is_connected and not self._broken

    async def send(self, message: Message) -> Outcome:
        stage = Stage.MAIL
        try:
            await self._client.mail(message.sender, timeout=TIMEOUT)
            stage = Stage.RCPT
            await self._client.rcpt(message.recipient, timeout=TIMEOUT)
            stage = Stage.CONTENT
            reply = await self._client.data(message.content, timeout=TIMEOUT)
            return read_reply(stage, reply.code, reply.message)
        except aiosmtplib.SMTPResponseException as error:
            outcome = read_reply(stage, error.code, error.message)
            self._broken = error.code == 421
        except (aiosmtplib.SMTPException, OSError) as error:
            # Once DATA is under way the server may have taken the message although its reply is lost.
            self._broken = True
            verdict = Verdict.UNCERTAIN if stage is Stage.CONTENT else Verdict.UNSENT
            return Outcome(verdict, stage, text=f"connection lost: {error}"[:500])
        if not self._broken:
            await self._reset()
        return outcome

    async def _reset(self) -> None:
        """Ends a refused transaction, so that the next MAIL is not nested (RFC 5321 section 4.1.1.5)."""
        try:
            await self._client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._broken = True

    async def close(self) -> None:
        try:
            if self.usable:
                await self._client.quit(timeout=5)
        except (aiosmtplib.SMTPException, OSError):
            pass  # it is over either way: every outcome is known already
        finally:
            self._client.close()


async def connect(url: SplitResult) -> SmtpConnection:
    """Opens a connection, with TLS and login where the URL says so. Raises CantConnect, or Problem for a bad URL."""
    try:
        port = url.port or PORTS[url.scheme]
    except ValueError as error:
        raise Problem(
            "PAPERROUND_MAIL_URL has a port that is no number: use one such as smtp://mail.example.org:587."
        ) from error
    if not url.hostname:
        raise Problem("PAPERROUND_MAIL_URL names no host: use one such as smtp://mail.example.org:587.")
    client = aiosmtplib.SMTP(
        hostname=url.hostname,
        port=port,
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        use_tls=url.scheme == "smtps",
        # None: taken if it is offered, which protects against nobody but costs nothing
        start_tls={"smtp": None, "smtps": False, "smtp+starttls": True}[url.scheme],
        timeout=GREETING_TIMEOUT,
    )
    where = f"{url.hostname}:{port}"
    try:
        await client.connect()
    except aiosmtplib.SMTPAuthenticationError as error:
        raise CantConnect(
            f"The mail server {where} refused the login ({error.code}): check the user and password in PAPERROUND_MAIL_URL."
        ) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CantConnect(f"The mail server {where} can't be used ({words}): check PAPERROUND_MAIL_URL.") from error
    return SmtpConnection(client)
