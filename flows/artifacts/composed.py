"""An edition as a table with a link to its preview, and what an operator is asked about it."""

from __future__ import annotations

from typing import Any

from prefect.artifacts import acreate_link_artifact, acreate_markdown_artifact, acreate_table_artifact

from flows.approval.asking import ApprovalRequest
from flows.artifacts.markdown import cell, key
from flows.context import Context, preview_link
from flows.editions.maths import text
from flows.editions.model import Edition, Kind, NoEdition


async def show_edition(context: Context, edition: Edition | NoEdition) -> None:
    """The edition by topic, and where to look at it; or why there is none."""
    history = key("edition", edition.newsletter, edition.kind)
    if isinstance(edition, NoEdition):
        await acreate_markdown_artifact(
            f"**No {edition.kind} edition on {edition.day:%A, %d %B %Y}.** {cell(edition.reason)}",
            key=history,
            description=str(edition.day),
        )
        return
    await acreate_table_artifact(_rows(edition), key=history, description=_heading(edition))
    await acreate_link_artifact(
        preview_link(context, edition.newsletter, edition.kind, edition.day),
        link_text="See it as a mail",
        key=key("preview", edition.newsletter, edition.kind),
    )


async def show_asked(asked: ApprovalRequest, preview: str) -> None:
    """What an operator is asked about: until when, where to look, what looks wrong, how many papers each topic has."""
    edition, approval = asked.edition, asked.approval
    then = {"hold": "it is held", "send": "it is sent", "skip": "the day is skipped"}[approval.otherwise]
    lines = [
        f"**{edition.size} papers wait for your word** until {approval.deadline_at:%Y-%m-%d %H:%M} UTC; then {then}.",
        "",
        f"[See it as a mail]({preview}) · {cell(asked.test)}",
        "",
        *([f"- ⚠ {cell(one)}" for one in asked.concerns] or ["Nothing looks wrong."]),
        "",
        "| topic | papers |",
        "|---|---:|",
        *(f"| {cell(section.name)} | {len(section.entries)} |" for section in edition.sections),
    ]
    await acreate_markdown_artifact(
        "\n".join(lines), key=key("approval", edition.newsletter, edition.kind), description=str(edition.day)
    )


def _heading(edition: Edition) -> str:
    missing = "".join(f" {cell(sentence)}" for sentence in edition.missing)
    when = "of the week to" if edition.kind is Kind.WEEKLY else "on"
    return f"{edition.size} papers {when} {edition.day:%A, %d %B %Y}, in {len(edition.sections)} topics.{missing}"


def _rows(edition: Edition) -> list[dict[str, Any]]:
    return [
        {
            "topic": cell(section.name),
            "title": cell(text(entry.paper.title)),
            "paper": entry.paper.url,
            "votes": "" if entry.paper.upvotes is None else entry.paper.upvotes,
            "likely to be picked": f"{entry.forecast:.0%}",
            "shown again": f"+{entry.rose} votes" if entry.rose else "",
            "why this topic": cell(", ".join(entry.because)),
        }
        for section in edition.sections
        for entry in section.entries
    ]
