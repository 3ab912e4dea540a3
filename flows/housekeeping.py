"""What is kept for a while only, and goes when its time is over."""

from __future__ import annotations

from flows.context import Context


async def tidy(context: Context) -> str:
    """Forgets sign-ups that nobody confirmed in time, and with them old requests, letters and counts of visits; says
    how many, and names nobody."""
    forgotten = await context.subscribers.forget_unconfirmed(context.now())
    waiting = await context.subscribers.pending()
    return (
        f"Forgotten: {forgotten} unconfirmed {'sign-up' if forgotten == 1 else 'sign-ups'}; "
        f"{waiting} {'waits' if waiting == 1 else 'wait'} to be confirmed."
    )
