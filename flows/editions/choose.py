"""Which part of an edition does this reader get? Pure."""

from __future__ import annotations

from flows.editions.model import Digest, Edition, Interests, Part
from flows.papers.model import PaperId


def choose(edition: Edition, interests: Interests) -> Digest:
    """The reader's topics in the edition's order, at most `interests.size` papers: the best-ranked of theirs.

    Nothing left: a digest without parts, and the reason.
    """
    wanted = [s for s in edition.sections if not interests.topics or s.topic in interests.topics]
    if not wanted:
        return Digest(parts=(), reason="nothing in the reader's topics")
    kept = [entry for section in wanted for entry in section.entries]
    if interests.size is not None and len(kept) > interests.size:
        # the order of equal scores is the edition's own, so that the choice is always the same
        kept = sorted(kept, key=lambda entry: -entry.score)[: interests.size]
    papers: dict[str, list[PaperId]] = {}
    ids = {entry.paper.id for entry in kept}
    for section in wanted:
        for entry in section.entries:
            if entry.paper.id in ids:
                papers.setdefault(section.topic, []).append(entry.paper.id)
    return Digest(parts=tuple(Part(topic=topic, papers=tuple(found)) for topic, found in papers.items()))
