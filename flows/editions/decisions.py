"""What an operator decides of an edition before it is delivered. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from flows.editions.model import Edition, NoEdition, Section
from flows.outcomes import Problem
from flows.papers.model import PaperId, paper_id

LONGEST_SUBJECT = 150
LONGEST_NOTE = 2_000
MOST_DROPPED = 200


class EditionDecision(StrEnum):
    """What becomes of an edition that was shown to its operator."""

    SEND = "send"
    HOLD = "hold"
    """Nothing leaves until somebody decides otherwise."""
    SKIP = "skip"
    """The day has no edition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What an operator changes of an edition, kept with its draft."""

    subject: str = ""
    """In place of the one that names the first papers; the same for all readers."""
    note: str = ""
    """The editor's words above the papers: paragraphs, and links as `https://…` or `[words](https://…)`."""
    dropped: tuple[PaperId, ...] = ()
    lead: PaperId | None = None
    """The paper that comes first."""


def decisions(subject: str = "", note: str = "", drop: Sequence[str] = (), lead: str = "") -> Decisions:
    """What somebody wrote into a form, as a value. Raises Problem for what can't be meant."""
    subject, note = " ".join(subject.split()), note.strip()
    if len(subject) > LONGEST_SUBJECT:
        raise Problem(f"The subject has {len(subject)} characters: {LONGEST_SUBJECT} at most, better 60.")
    if len(note) > LONGEST_NOTE:
        raise Problem(f"The note has {len(note):,} characters: {LONGEST_NOTE:,} at most, and a link for the rest.")
    if len(drop) > MOST_DROPPED:
        raise Problem(f"{len(drop)} papers are to be dropped, {MOST_DROPPED} at most: skip the edition instead.")
    dropped = tuple(dict.fromkeys(_named("drop", one) for one in drop if one.strip()))
    first = _named("lead", lead) if lead.strip() else None
    if first in dropped:
        raise Problem(f"{first} can't lead the edition and be dropped from it: choose one of the two.")
    return Decisions(subject=subject, note=note, dropped=dropped, lead=first)


def _named(field: str, written: str) -> PaperId:
    try:
        return paper_id(written.partition(": ")[0])
    except ValueError:
        raise Problem(
            f"{field}: {written[:60]!r} names no paper: write its identifier, such as 2606.10651, as in the table."
        ) from None


def unknown(edition: Edition, made: Decisions) -> tuple[PaperId, ...]:
    """The papers that the decisions name and the edition does not hold."""
    held = {entry.paper.id for entry in edition.entries}
    named = (*made.dropped, *((made.lead,) if made.lead else ()))
    return tuple(one for one in named if one not in held)


def decided(edition: Edition, made: Decisions) -> Edition | NoEdition:
    """The edition as the operator wants it; none where nothing is left of it. A paper that it does not hold (any more)
    is passed over. The same decisions twice make the same edition."""
    sections = tuple(filter(None, (_without(section, frozenset(made.dropped)) for section in edition.sections)))
    if not sections:
        return NoEdition(
            newsletter=edition.newsletter,
            kind=edition.kind,
            day=edition.day,
            reason="Every paper of it was dropped by the operator.",
            told="The editors left every paper of this day out.",
        )
    best = tuple(one for one in edition.best if one not in made.dropped)
    fewer = sum(len(section.entries) for section in sections) < edition.size
    if made.lead and any(entry.paper.id == made.lead for section in sections for entry in section.entries):
        highest = max(entry.score for section in sections for entry in section.entries)
        sections = tuple(_led(section, made.lead, highest + 1) for section in sections)
        best = (made.lead, *(one for one in best if one != made.lead))[: max(len(best), 1)] if best else ()
    return replace(
        edition,
        sections=sections,
        best=best,
        subject=made.subject or edition.subject,
        note=made.note or edition.note,
        # it counts papers, which is not true any more
        told="" if fewer else edition.told,
        told_of=() if fewer else edition.told_of,
    )


def _without(section: Section, dropped: frozenset[PaperId]) -> Section | None:
    entries = tuple(entry for entry in section.entries if entry.paper.id not in dropped)
    if not entries:
        return None
    stories = tuple(replace(one, papers=tuple(p for p in one.papers if p not in dropped)) for one in section.stories)
    return replace(section, entries=entries, stories=tuple(one for one in stories if len(one.papers) > 1))


def _led(section: Section, lead: PaperId, score: float) -> Section:
    """The section with a paper before all others; those of its story stay with it."""
    story = next((one.papers for one in section.stories if lead in one.papers), (lead,))

    def place(number: int) -> tuple[bool, bool, int]:
        identity = section.entries[number].paper.id
        return identity != lead, identity not in story, number

    entries = [section.entries[number] for number in sorted(range(len(section.entries)), key=place)]
    if entries[0].paper.id != lead:
        return section
    # what an edition has shown before does not lead by itself
    entries[0] = replace(entries[0], score=score, rose=0)
    stories = sorted(section.stories, key=lambda one: lead not in one.papers)
    mended = tuple(
        replace(one, papers=tuple(sorted(one.papers, key=lambda p: p != lead))) if lead in one.papers else one
        for one in stories
    )
    return replace(section, entries=tuple(entries), stories=mended)
