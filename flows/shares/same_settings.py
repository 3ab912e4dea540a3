"""Whether another machine would send the same mail at the same pace: the settings that say so, as a fingerprint that
can stand in a run's parameters, where everybody who looks at Prefect reads it."""

from __future__ import annotations

import hashlib
import hmac

from flows.config.settings import Settings
from flows.outcomes import Problem

ALIKE = (
    *("sender", "return_path", "public_url", "postal_address", "verp", "dkim_selector", "dkim_domain"),
    *("mail_rate", "mail_limits", "mail_warm_up", "mail_back_off", "mail_give_up", "mail_uncertain", "mail_refusals"),
)
"""What makes a mail what it is, and how many leave. The way to a mail server may be each machine's own."""


def fingerprint_of(settings: Settings) -> str:
    """The settings that all machines have in common, as 16 signs that tell nothing of them."""
    said = "\n".join(f"{name}={getattr(settings, name)!r}" for name in ALIKE)
    return hmac.digest(settings.keys[0], b"settings of a share " + said.encode(), hashlib.sha256).hex()[:16]


def check_settings(settings: Settings, wanted: str) -> None:
    """Raises Problem where this machine is set otherwise than the one that asks; nothing `wanted` means any."""
    if wanted and not hmac.compare_digest(wanted.encode(), fingerprint_of(settings).encode()):
        names = ", ".join(f"PAPERROUND_{name.upper()}" for name in ALIKE)
        raise Problem(
            "This machine is set otherwise than the one that began the delivery, so that its mails would be others. "
            f"Set the same on both: PAPERROUND_SECRET_KEY, {names}."
        )
