"""What the doctor finds out about what comes back: return addresses with tokens, and providers that report."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from flows.commands.dns_records import Finding, Grade
from flows.config.settings import Settings
from flows.incoming.providers import providers
from flows.mail.model import Message
from flows.outcomes import Verdict, anonymous
from flows.sending.transports import CantConnect, transport

ABOUT = "Return addresses"


async def try_return_address(host: str, port: int, settings: Settings) -> Finding | None:
    """Asks a mail server whether it would take a bounce at an address with a token. None: nothing to say."""
    local, _, domain = settings.bounces_to.rpartition("@")
    shown = f"{local}+TOKEN@{domain}"
    bounce = Message(sender="", recipient=f"{local}+{'a' * 40}@{domain}", content=b"\r\n")
    try:
        connection = await transport(f"smtp://{host}:{port}")()
    except CantConnect as error:
        if not settings.verp:
            return None
        said = anonymous(str(error))[:120]
        words = f"{host} can't be asked from here whether it takes {shown} ({said}): send a mail there."
        return Finding(ABOUT, Grade.LOOK, words)
    outcome = await connection.offer(bounce)
    if outcome is None:
        connection.abandon()
    await connection.close()
    if outcome is None:
        words = f"{host} takes {shown}."
        hint = "" if settings.verp else " Set PAPERROUND_VERP=true: each bounce then tells which mail it is about."
        return Finding(ABOUT, Grade.OK, words + hint)
    if not settings.verp:
        return None
    said = f"{outcome.code or 'no reply'}: {anonymous(outcome.text)[:120]}"
    words = (
        f"{host} would take no bounce at {shown} ({said}): let it take addresses with a + (Postfix: "
        "recipient_delimiter), or unset PAPERROUND_VERP."
    )
    put_off = outcome.verdict in (Verdict.DEFERRED, Verdict.UNSENT)
    return Finding(ABOUT, Grade.LOOK if put_off else Grade.WRONG, words)


def reporting(settings: Settings) -> Sequence[Finding]:
    """The providers that are set to report, and the one whose relay is used and that is not; what each needs."""
    known, secrets = providers(), settings.hook_secrets
    found = []
    for name in secrets:
        if name not in known:
            words = f"PAPERROUND_HOOKS names {name[:40]!r}: there are {', '.join(known)}."
            found.append(Finding("Providers", Grade.WRONG, words))
            continue
        words = f"{known[name].TITLE} reports to {settings.public_url}/hooks/{name}. {known[name].NEEDS}"
        found.append(Finding("Providers", Grade.OK, words))
    host = urlsplit(settings.mail_url.get_secret_value()).hostname or ""
    for name, provider in known.items():
        if name not in secrets and any(host.endswith(relay) for relay in provider.RELAYS):
            words = (
                f"mail goes over {provider.TITLE}, which reports nothing yet: set PAPERROUND_HOOKS to "
                f"`{name} = SECRET` ({provider.SETTING}). {provider.NEEDS}"
            )
            found.append(Finding("Providers", Grade.LOOK, words))
    return found
