"""Events of our own: `paperround.edition.composed`, `.delivered`, `.held`, `.late`, `paperround.newsletter.paused`,
`paperround.quota.spent`, `paperround.reader.subscribed`, `.unsubscribed` (how many, never who)."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

from prefect import get_run_logger
from prefect.events import emit_event

from flows.context import Context, utc_now
from flows.events.outgoing import send

Value = str | int


async def tell(context: Context, name: str, newsletter: str, day: dt.date | None = None, **payload: Value) -> None:
    """Tells an event of a newsletter, or of its edition of a `day`, to Prefect and to the operator's webhook. What does
    not arrive costs nothing but the event: why stands in the run's log."""
    of = f"paperround.edition.{newsletter}.{day}" if day else f"paperround.newsletter.{newsletter}"
    known = {"newsletter": newsletter, **({"day": day.isoformat()} if day else {}), **payload}
    event = f"paperround.{name}"
    emit_event(event, resource={"prefect.resource.id": of, "prefect.resource.name": newsletter}, payload=known)
    url, key = (one.get_secret_value() for one in (context.settings.events_url, context.settings.events_key))
    if not url:
        return
    body = {"id": str(uuid4()), "event": event, "occurred": utc_now().isoformat(), "payload": known}
    if failed := await send(url, key, body):
        get_run_logger().warning(failed)
