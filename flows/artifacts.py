"""What a run leaves in the Prefect UI: the edition as a table, a link to its preview, the delivery report.

An artifact can't show a mail (styles and frames are stripped), so it links to the web app. None names a reader.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from prefect.artifacts import acreate_link_artifact, acreate_markdown_artifact, acreate_table_artifact

from flows.approval.asking import Asked
from flows.context import Context, preview_link
from flows.delivery.run import Delivered
from flows.editions.maths import text
from flows.editions.model import Edition, Kind, NoEdition
from flows.events.emit import tell
from flows.outcomes import anonymous
from subscribers.ledger.bounce_rates import WEEKS, Rates


async def show_edition(context: Context, edition: Edition | NoEdition) -> None:
    """The edition by topic, and where to look at it; or why there is none."""
    key = _key("edition", edition.newsletter, edition.kind)
    if isinstance(edition, NoEdition):
        await acreate_markdown_artifact(
            f"**No {edition.kind} edition on {edition.day:%A, %d %B %Y}.** {_cell(edition.reason)}",
            key=key,
            description=str(edition.day),
        )
        return
    await acreate_table_artifact(_rows(edition), key=key, description=_heading(edition))
    await acreate_link_artifact(
        preview_link(context, edition.newsletter, edition.kind, edition.day),
        link_text="See it as a mail",
        key=_key("preview", edition.newsletter, edition.kind),
    )


async def show_asked(asked: Asked, preview: str) -> None:
    """What an operator is asked about: until when, where to look, what looks wrong, how many papers each topic has."""
    edition, approval = asked.edition, asked.approval
    then = {"hold": "it is held", "send": "it is sent", "skip": "the day is skipped"}[approval.otherwise]
    lines = [
        f"**{edition.size} papers wait for your word** until {approval.deadline_at:%Y-%m-%d %H:%M} UTC; then {then}.",
        "",
        f"[See it as a mail]({preview}) · {_cell(asked.test)}",
        "",
        *([f"- ⚠ {_cell(one)}" for one in asked.concerns] or ["Nothing looks wrong."]),
        "",
        "| topic | papers |",
        "|---|---:|",
        *(f"| {_cell(section.name)} | {len(section.entries)} |" for section in edition.sections),
    ]
    await acreate_markdown_artifact(
        "\n".join(lines), key=_key("approval", edition.newsletter, edition.kind), description=str(edition.day)
    )


def _key(what: str, newsletter: str, kind: Kind) -> str:
    """What the UI keeps a history under: the weekly editions have their own."""
    return f"{what}-{newsletter}" if kind is Kind.DAILY else f"{what}-{newsletter}-{kind}"


async def show_delivery(newsletter: str, kind: Kind, delivered: Delivered, who_got_it: str) -> None:
    """How many readers are in which state, with the servers' words, and the link to who they are."""
    lines = ["| state | readers | words |", "|---|---:|---|"]
    for state, count in sorted(delivered.counts.items()):
        grouped: Counter[str] = Counter()
        for said, number in delivered.reasons.get(state, {}).items():
            grouped[anonymous(said)] += number
        words = "; ".join(f"{_cell(said)} ({number})" for said, number in grouped.most_common() if said)
        lines.append(f"| {state} | {count} | {words} |")
    if not delivered.counts:
        lines.append("| nobody is subscribed | 0 | |")
    halted = f"\n\n**Stopped:** {_cell(delivered.halted)}" if delivered.halted else ""
    await acreate_markdown_artifact(
        "\n".join(lines) + halted + f"\n\n[Who got it]({who_got_it})",
        key=_key("delivery", newsletter, kind),
        description=delivered.sentence,
    )


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


def _heading(edition: Edition) -> str:
    missing = "".join(f" {_cell(sentence)}" for sentence in edition.missing)
    when = "of the week to" if edition.kind is Kind.WEEKLY else "on"
    return f"{edition.size} papers {when} {edition.day:%A, %d %B %Y}, in {len(edition.sections)} topics.{missing}"


def _rows(edition: Edition) -> list[dict[str, Any]]:
    return [
        {
            "topic": _cell(section.name),
            "title": _cell(text(entry.paper.title)),
            "paper": entry.paper.url,
            "votes": "" if entry.paper.upvotes is None else entry.paper.upvotes,
            "likely to be picked": f"{entry.forecast:.0%}",
            "shown again": f"+{entry.rose} votes" if entry.rose else "",
            "why this topic": _cell(", ".join(entry.because)),
        }
        for section in edition.sections
        for entry in section.entries
    ]


_SIGNS = re.compile(
    r"[\\`*\[\]<|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)"  # emphasis, code, links, HTML, columns, entities
    r"|:(?=//)|(?<=www)\.|(?<=\w)@"  # what is made a link by itself
    r"|^[-+=#>]|(?<=^\d)[.)]|(?<=^\d\d)[.)]"  # lists, headings, quotations
)


def _cell(words: str) -> str:
    """A stranger's words where Prefect's UI reads Markdown and HTML, in cells of tables and in descriptions too: every
    sign of them stands for itself."""
    return _SIGNS.sub(r"\\\g<0>", " ".join(words[:300].split()))
