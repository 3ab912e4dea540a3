"""How much of a newsletter came back, and its pause where that was too much."""

from __future__ import annotations

from typing import Any

from prefect.artifacts import acreate_table_artifact

from flows.context import Context
from flows.editions.model import Kind
from flows.events.emit import tell
from subscribers.ledger.bounce_rates import WEEKS, Rates


async def show_returns(context: Context, newsletter: str) -> None:
    """What came back of a newsletter in 30 days and of its latest edition, as a table."""
    now = context.now()
    whole = await context.rates.of_newsletter(newsletter, now - WEEKS, now)
    if not whole.offered:
        return
    rows = [_rate("all of 30 days", whole)]
    number = await context.store.newest(newsletter, Kind.DAILY)
    if number is not None:
        rows.append(_rate("the latest edition", await context.rates.of_edition(number, now)))
        rows += [_rate(one.domain, one.rates, domain=True) for one in await context.rates.domains(number)]
    await acreate_table_artifact(rows, key=f"returned-{newsletter}", description="What came back, by domain")


def _rate(of: str, rates: Rates, *, domain: bool = False) -> dict[str, Any]:
    def told(number: int) -> str:
        return f"{number:,} ({rates.part(number):.2%})" if rates.offered else f"{number:,}"

    return {
        "of": of,
        "sent": f"{rates.sent:,}" if rates.offered else "",
        "rejected at once": told(rates.rejected) if rates.offered else "",
        "delivered": told(rates.delivered) if rates.offered else "",
        "hard bounces": told(rates.hard),
        "soft bounces": told(rates.soft),
        "our mail refused": told(rates.refused),
        "complaints": told(rates.complaints),
        "unsubscribed": "" if domain else f"{rates.unsubscribed:,}",
    }


async def watch(context: Context, newsletter: str) -> str:
    """Pauses a newsletter of whose mails too much came back, and says so in an event, for automations; the reason where
    it was paused now."""
    paused = await context.watch(newsletter)
    if paused is None or not paused.fresh:
        return ""
    await tell(context, "newsletter.paused", newsletter, reason=paused.reason)
    return paused.reason
