"""What is set in Prefect's UI, brought to this machine: runs read it before they send, and every few minutes the
watchdog, so that the letters of the web app leave the same way."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable

from flows.blocks.kinds import KINDS, NAME, DkimKey, MailServer
from flows.config import from_prefect
from flows.config.settings import Settings, load_settings
from flows.context import Say
from flows.outcomes import Problem
from flows.sending.dkim import read_key
from flows.sending.limits import read_rate
from flows.sending.transports import transport

RATE = "paperround_mail_rate"
"""The Variable in place of PAPERROUND_MAIL_RATE."""
PATIENCE = 20.0
"""Seconds for Prefect to answer: its client asks a server that hangs for minutes, and mail waits meanwhile."""
_HERE = {
    "PAPERROUND_DKIM_KEY names a file that": "its key",
    "PAPERROUND_MAIL_URL": "its URL",
    "PAPERROUND_MAIL_RATE": "it",
}
"""How settings are named in the words of whoever reads them, and what they are called here."""
B = TypeVar("B", bound=Block)


async def offer_blocks() -> None:
    """Makes the kinds of Blocks known to Prefect, so that its UI offers them."""
    for kind in KINDS:
        await kind.aregister_type_and_schema()


async def take_over(say: Say, patience: float = PATIENCE) -> Settings:
    """The settings in force, with what is set in Prefect's UI now. Raises Problem for what can't be used, and keeps
    what was used before. A Prefect server that does not answer has said nothing: what was read last counts."""
    settings = load_settings()
    try:
        async with asyncio.timeout(patience):
            server, key = await _block(MailServer), await _block(DkimKey)
            rate = await Variable.aget(RATE, default="")
    except Exception as error:  # whatever keeps Prefect from answering, mail does not depend on it
        say(f"Prefect was not asked for the mail server ({type(error).__name__}): what it said last counts.")
        return settings
    before = from_prefect.read(settings.home_dir)
    values: dict[str, str] = {}
    if server is not None:
        values["mail_url"] = server.url.get_secret_value().strip()
        _usable(f"The Block {MailServer._block_type_slug}/{NAME}", transport, values["mail_url"])
    if rate not in ("", None):
        values["mail_rate"] = str(rate)
        _usable(f"The Variable {RATE}", read_rate, values["mail_rate"])
    if key is not None:
        pem = f"{key.key.get_secret_value().strip()}\n".encode()
        domain = key.domain.strip() or settings.sender_domain
        _usable(f"The Block {DkimKey._block_type_slug}/{NAME}", read_key, pem, key.selector.strip(), domain)
        # another key has another name: what it was is known without reading it
        file = settings.home_dir / f"dkim_from_prefect_{hashlib.sha256(pem).hexdigest()[:12]}.pem"
        from_prefect.write(file, pem)
        values |= {"dkim_key": str(file), "dkim_selector": key.selector.strip(), "dkim_domain": key.domain.strip()}
    if values == before:
        return settings
    from_prefect.keep(settings.home_dir, values)
    if (old := before.get("dkim_key")) and old != values.get("dkim_key"):
        from_prefect.drop(Path(old))
    say(_changed(before, values))
    return load_settings()


async def _block(kind: type[B]) -> B | None:
    """The Block of that kind; None: there is none."""
    async with get_client() as client:
        try:
            await client.read_block_document_by_name(NAME, str(kind._block_type_slug))
        except ObjectNotFound:
            return None
        return await kind.aload(NAME, client=client)


def _usable(what: str, read: Callable[..., object], *arguments: object) -> None:
    """Raises Problem in the words of whoever reads it, with where it stands."""
    try:
        read(*arguments)
    except (Problem, ValueError) as problem:
        words = str(problem)
        for setting, here in _HERE.items():
            words = words.replace(setting, here)
        raise Problem(f"{what} can't be used, so nothing is sent: {words}") from problem


def _changed(before: Mapping[str, str], values: Mapping[str, str]) -> str:
    names = {"mail_url": "mail server", "mail_rate": "rate", "dkim_key": "DKIM key"}
    said = [
        f"the {name} is {'now what Prefect says' if one in values else 'that of the environment again'}"
        for one, name in names.items()
        if before.get(one) != values.get(one)
    ]
    return f"Set in Prefect: {', '.join(said) or 'the DKIM key, its selector or its domain'}."
