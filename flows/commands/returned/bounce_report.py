"""What the command does with what came back: what is held for the operator, rates, newsletters that are paused."""

from __future__ import annotations

from collections.abc import Callable

from flows.config.settings import load_settings
from flows.context import open_context
from flows.outcomes import anonymous
from subscribers.ledger.bounce_rates import WEEKS, Rates

Say = Callable[[str], object]


async def held(say: Say) -> None:
    """Says what bounces are held, a line for each domain."""
    async with open_context(load_settings()) as context:
        found = await context.held_bounces.waiting()
    if not found:
        say("No bounce is held.")
        return
    for one in found:
        words = "".join(c if c.isprintable() else " " for c in anonymous(one.words))[:120]
        readers = f"{one.readers:,} {'reader' if one.readers == 1 else 'readers'}"
        say(f"{one.domain or '(erased)'}  {readers}  since {one.since:%Y-%m-%d %H:%M}  {words}")
    say(
        "So many at once are rarely the readers' own. Suppress them with `paperround bounces suppress`, or free them "
        "with `paperround bounces free`; --domain D decides about one domain."
    )


async def decide(domain: str, *, suppress: bool) -> str:
    async with open_context(load_settings()) as context:
        count = await context.held_bounces.decide(context.now(), suppress=suppress, at=domain.lower())
    if not count:
        return f"No bounce of {domain} is held." if domain else "No bounce is held."
    are = "1 reader is" if count == 1 else f"{count:,} readers are"
    return f"{are} {'never mailed again' if suppress else 'mailed again; what came back until now counts no more'}."


async def rates(newsletter: str, say: Say) -> None:
    """Says what came back of a newsletter in 30 days, and whether it is paused."""
    async with open_context(load_settings()) as context:
        slug = context.newsletter(newsletter).slug
        now = context.now()
        found = await context.rates.of_newsletter(slug, now - WEEKS, now)
        paused = await context.pauses.paused(slug)
    say(f"{slug}, the last {WEEKS.days} days:")
    for name, number in _lines(found):
        part = f"  {found.part(number):7.2%}" if found.offered else ""
        say(f"  {name:<18}{number:>10,}{part}")
    if paused is not None:
        say(f"Paused since {paused.at:%Y-%m-%d %H:%M} UTC: {paused.reason}")


def _lines(found: Rates) -> tuple[tuple[str, int], ...]:
    return (
        ("sent", found.sent),
        ("rejected at once", found.rejected),
        ("delivered", found.delivered),
        ("hard bounces", found.hard),
        ("soft bounces", found.soft),
        ("our mail refused", found.refused),
        ("complaints", found.complaints),
        ("unsubscribed", found.unsubscribed),
    )


async def resume(newsletter: str) -> str:
    async with open_context(load_settings()) as context:
        slug = context.newsletter(newsletter).slug
        if await context.pauses.resume(slug, context.now()):
            return f"{slug} goes on: what came back until now counts no more. Start its delivery again."
        return f"{slug} is not paused."
