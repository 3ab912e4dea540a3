"""The operator's sealed links into the web app."""

from __future__ import annotations

import datetime as dt

from flows.context import Context
from flows.editions.model import Kind
from subscribers.cards import name_of
from subscribers.tokens import REPORT_LIFE, Purpose, sign_text, until


def report_link(context: Context, newsletter: str, kind: Kind, day: dt.date) -> str:
    """Where to see who got an edition. The page shows addresses: the link names its last day, and is nobody else's."""
    name, last = name_of(newsletter, kind, day), str((context.now() + REPORT_LIFE).date())
    seal = sign_text(Purpose.REPORT, until(name, last), context.settings.keys[0])
    return f"{context.settings.public_url}/report/{name}?until={last}&seal={seal}"
