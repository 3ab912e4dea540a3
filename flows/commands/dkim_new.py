"""`paperround dkim new`: a key that signs mail, and the DNS record that verifies it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from flows.config.settings import Settings
from flows.outcomes import Problem
from flows.sending.dkim import new_key, read_key

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_STRING = 255
"""The longest string of a TXT record (RFC 1035 section 3.3.14); verifiers join several."""


def new(settings: Settings, selector: str, domain: str, algorithm: str, file: Path | None) -> str:
    """Makes a key in a file that its owner alone can read; returns what to do next, in lines.

    Raises Problem for a name that DNS can't hold, an algorithm that is not known, and a file that is there already.
    """
    domain = domain or settings.signing_domain
    for name, value in (("selector", selector), *(("domain", label) for label in domain.split("."))):
        if not _LABEL.fullmatch(value):
            raise Problem(f"The {name} {value[:60]!r} is no name for DNS: use letters, digits and hyphens.")
    if algorithm not in ("rsa", "ed25519"):
        raise Problem(
            f"The algorithm {algorithm[:20]!r} is not known: use rsa, which every receiver verifies, or ed25519."
        )
    wanted = (file or settings.home_dir / f"dkim-{selector}.pem").expanduser().absolute()
    pem = new_key(algorithm)
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(wanted, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(pem)
    except FileExistsError:
        raise Problem(
            f"{wanted} is there already: choose another selector, so that mail on its way stays valid."
        ) from None
    except OSError as error:
        raise Problem(f"{wanted} can't be written ({error.strerror}): name another file with --out.") from error
    host, text = read_key(pem, selector, domain).record
    strings = " ".join(f'"{text[i : i + _STRING]}"' for i in range(0, len(text), _STRING))
    return "\n".join(
        [
            f"The key is in {wanted}. Keep it to yourself.",
            "",
            "Publish this DNS record:",
            f"{host}. IN TXT {strings}",
            "",
            "When it can be looked up, set:",
            f"PAPERROUND_DKIM_KEY={wanted}",
            f"PAPERROUND_DKIM_SELECTOR={selector}",
            f"PAPERROUND_DKIM_DOMAIN={domain}",
        ]
    )
