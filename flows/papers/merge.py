"""The same paper from several sources becomes one, and a paper read again becomes fresher."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from flows.papers.model import Paper, PaperId, Skipped

_ANNOUNCED = ("new", "cross", "replace", "replace-cross")


def merge(papers: Iterable[Paper]) -> tuple[Paper, ...]:
    """Each paper once, sorted by id: the same whatever the order of `papers`, and however they were merged before.

    The earliest day and dates stand, votes are the most that were seen, sources are united. Of texts the longest
    stands, of lists the one with the most members (where Hugging Face has lost the `$` of mathematics or hidden an
    author, arXiv's is the longer one); equally long ones are told apart by their content.
    """
    known: dict[PaperId, list[Paper]] = {}
    for paper in papers:
        known.setdefault(paper.id, []).append(paper)
    return tuple(_unite(known[name]) for name in sorted(known))


def divide(found: Iterable[Paper | Skipped]) -> tuple[tuple[Paper, ...], tuple[Skipped, ...]]:
    """The papers of one answer in their order, each once (its first entry counts), and what could not be read."""
    papers: dict[PaperId, Paper] = {}
    skipped: list[Skipped] = []
    for item in found:
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            papers.setdefault(item.id, item)
    return tuple(papers.values()), tuple(skipped)


def refresh(old: Paper, new: Paper) -> Paper:
    """A paper that the same source gave again: the new reading counts, except for what it leaves empty.

    Votes, comments and stars are the new ones, even if they are fewer; the day stays the earlier one.
    """
    kept = {field.name: getattr(old, field.name) for field in fields(Paper) if _empty(getattr(new, field.name))}
    sources = tuple(sorted({*old.sources, *new.sources}))
    return replace(new, **{**kept, "day": min(old.day, new.day), "sources": sources})


def _unite(papers: list[Paper]) -> Paper:
    values: dict[str, Any] = {}
    for field in fields(Paper):
        every = [getattr(paper, field.name) for paper in papers]
        values[field.name] = _chosen(field.name, [value for value in every if not _empty(value)] or every)
    return Paper(**values)


def _chosen(name: str, values: list[Any]) -> Any:
    """Which of the values of a field stands. Each rule is a maximum, so that neither order nor grouping matters."""
    if name == "sources":
        return tuple(sorted({source for value in values for source in value}))
    if name == "announced":
        return min(values, key=lambda value: (_rank(value), value))
    if name in ("day", "published", "listed_at"):
        return None if values[0] is None else min(values)
    if isinstance(values[0], int | None):
        return None if values[0] is None else max(values)
    return max(values, key=lambda value: (len(value), sum(map(len, value)), value))


def _rank(announced: str) -> int:
    return _ANNOUNCED.index(announced) if announced in _ANNOUNCED else len(_ANNOUNCED)


def _empty(value: object) -> bool:
    return value is None or value in ("", ())
