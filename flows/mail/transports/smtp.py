"""Mail over SMTP (RFC 5321), submission with TLS (RFC 8314) or STARTTLS (RFC 3207) and AUTH (RFC 4954)."""

from __future__ import annotations

import ssl
from urllib.parse import SplitResult, unquote

import aiosmtplib

from flows.mail.model import Message
from flows.mail.transports import CantConnect, Connect
from flows.outcomes import Outcome, Problem, Stage, Verdict, read_reply

SCHEMES = ("smtp", "smtps", "smtp+starttls")
PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
TIMEOUTS = {Stage.MAIL: 300.0, Stage.RCPT: 300.0, Stage.DATA: 120.0, Stage.CONTENT: 600.0}
"""How long a server may take for its reply (RFC 5321 section 4.5.3.2): ten minutes for a message."""
GREETING_TIMEOUT = 60.0


class SmtpConnection:
    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client
        self._broken = False

    @property
    def usable(self) -> bool:
        return self._client.is_connected and not self._broken

    async def send(self, message: Message) -> Outcome:
        if not (message.sender.isascii() and message.sender.isprintable()):
            return Outcome(Verdict.UNSENT, Stage.MAIL, 553, "5.1.7", "the address is not plain ASCII")
        commands = (
            (Stage.MAIL, f"MAIL FROM:<{message.sender}>", 2),
            (Stage.RCPT, f"RCPT TO:<{message.recipient}>", 2),
            (Stage.DATA, "DATA", 3),
        )
        stage = Stage.MAIL
        try:
            for stage, command, success in commands:
                reply = await self._client.execute_command(command.encode(), timeout=TIMEOUTS[stage])
                if reply.code // 100 != success:
                    return await self._refused(read_reply(stage, *reply))
            stage = Stage.CONTENT
            reply = await self._content(message.content)
        except aiosmtplib.SMTPResponseException as error:  # what came is no SMTP
            self._broken = True
            return read_reply(stage, error.code, error.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._broken = True
            return Outcome(_LOST[stage], stage, text=f"connection lost: {error}"[:500])
        self._broken = reply.code == 421
        return read_reply(stage, *reply)

    async def _content(self, content: bytes) -> aiosmtplib.SMTPResponse:
        """Sends what DATA announced, and reads the reply to it.

        aiosmtplib's own way cannot tell a refused DATA from a refused message, and looks for line ends and dots that
        need mending, which takes a millisecond; a Message has none.
        """
        protocol, transport = self._client.protocol, self._client.transport
        if protocol is None or transport is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        protocol.write(content)
        protocol.write(b".\r\n")
        return await protocol.read_response(timeout=TIMEOUTS[Stage.CONTENT])

    async def _refused(self, outcome: Outcome) -> Outcome:
        """Ends a refused transaction, so that the next MAIL is not nested (RFC 5321 section 4.1.1.5)."""
        self._broken = outcome.code == 421
        if self.usable and outcome.stage is not Stage.MAIL:
            try:
                await self._client.rset(timeout=TIMEOUTS[Stage.MAIL])
            except (aiosmtplib.SMTPException, OSError):
                self._broken = True
        return outcome

    async def close(self) -> None:
        try:
            if self.usable:
                await self._client.quit(timeout=5)
        except (aiosmtplib.SMTPException, OSError):
            pass  # it is over either way: every outcome is known already
        finally:
            self._client.close()


_LOST = {
    Stage.MAIL: Verdict.UNSENT,
    Stage.RCPT: Verdict.DEFERRED,
    Stage.DATA: Verdict.DEFERRED,
    # The server may have taken the message although its reply is lost.
    Stage.CONTENT: Verdict.UNCERTAIN,
}


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

    async def connect() -> SmtpConnection:
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
        except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
            raise _explained(error, f"The mail server {host}:{port}") from error
        return SmtpConnection(client)

    return connect


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
        )
    untrusted = next((e for e in (error, error.__cause__) if isinstance(e, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        return CantConnect(
            f"{server} shows a certificate that is not trusted ({untrusted.verify_message}): check the host in "
            "PAPERROUND_MAIL_URL, or name the file of your own authority in SSL_CERT_FILE.",
            lasting=True,
        )
    return CantConnect(f"{server} can't be used ({words}): check PAPERROUND_MAIL_URL.")
