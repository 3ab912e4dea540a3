"""Events of our own: `paperround.edition.composed`, `.approved`, `.held`, `.skipped`, `.delivered`, `.late`,
`paperround.newsletter.paused`, `paperround.quota.spent`, `paperround.reader.subscribed`, `.unsubscribed` (how many,
never who)."""

from __future__ import annotations

import datetime as dt
import logging
from uuid import uuid4

from prefect import get_run_logger
from prefect.events import emit_event
from prefect.exceptions import MissingContextError

from flows.context import Context, utc_now
from flows.editions.model import Kind
from flows.events.outgoing import send
from flows.storage.approvals import ApprovalState

Value = str | int
_DECIDED = {
    ApprovalState.SEND: "edition.approved",
    ApprovalState.HOLD: "edition.held",
    ApprovalState.SKIP: "edition.skipped",
}


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
        try:
            get_run_logger().warning(failed)
        except MissingContextError:  # in a thread of its own, where mail is delivered
            logging.getLogger(__name__).warning(failed)


async def tell_decision(context: Context, newsletter: str, kind: Kind, day: dt.date, since: dt.datetime) -> None:
    """Tells what has been decided of an edition, by an operator or its deadline, if that was not before `since`: an
    answer that came too late, or once more, decides nothing."""
    since = since.replace(microsecond=since.microsecond // 1000 * 1000)  # as exact as it is kept
    known = await context.approvals.find(newsletter, kind, day)
    if known is None or known.state not in _DECIDED or known.decided_at is None or known.decided_at < since:
        return
    more = {"reason": known.reason} if known.reason else {}
    await tell(context, _DECIDED[known.state], newsletter, day, kind=kind.value, by=known.by, **more)
