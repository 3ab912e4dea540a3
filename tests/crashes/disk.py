"""A disk that loses its power: of each file it has what was synced, and any part of the rest."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import PurePath
from random import Random

from tests.crashes.trace import Call, Made, Removed, Synced, Truncated, Written

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""

Images = Mapping[str, bytes]
"""Files by their path."""
Change = Written | Truncated | Made | Removed


class Disk:
    """The files of one folder, as the calls that it is told of change them one after another."""

    def __init__(self, folder: str, files: Images) -> None:
        self._folder = folder
        self._safe = {file: bytearray(content) for file, content in files.items()}
        self._there = set(files)
        """The names that the folder is sure to have."""
        self._waiting: list[tuple[int, Change]] = []
        self._count = 0

    def does(self, call: Call) -> None:
        """Takes the next call."""
        if isinstance(call, Synced):
            waiting = self._waiting
            self._waiting = [one for one in waiting if not self._covers(call, *one)]
            for number, change in waiting:
                if self._covers(call, number, change):
                    _apply(self._safe, self._there, change)
        elif isinstance(call, Change) and str(PurePath(call.file).parent) == self._folder:
            self._waiting.append((self._count, call))
        self._count += 1

    def _covers(self, sync: Synced, number: int, change: Change) -> bool:
        """Which files there are is the folder's; what is in them is their own."""
        of = self._folder if isinstance(change, Made | Removed) else change.file
        return of == sync.file and number < sync.begun

    def now(self) -> Images:
        """What everybody sees while there is power."""
        return self._with([change for _, change in self._waiting])

    def after_power_loss(self, random: Random | None = None) -> Images:
        """What was synced, and by chance some sectors of what was not; without `random` none."""
        kept: list[Change] = []
        for _, change in self._waiting:
            parts: list[Change] = list(_sectors(change)) if isinstance(change, Written) else [change]
            kept += [part for part in parts if random is not None and random.random() < 0.5]
        return self._with(kept)

    def _with(self, changes: list[Change]) -> Images:
        files = {file: bytearray(content) for file, content in self._safe.items()}
        there = set(self._there)
        for change in changes:
            _apply(files, there, change)
        return {file: bytes(files.get(file, b"")) for file in there}


def _apply(files: MutableMapping[str, bytearray], there: set[str], change: Change) -> None:
    match change:
        case Written(file=file, offset=offset, content=content):
            image = files.setdefault(file, bytearray())
            image.extend(bytes(max(offset + len(content) - len(image), 0)))
            image[offset : offset + len(content)] = content
        case Truncated(file=file, size=size):
            image = files.setdefault(file, bytearray())
            image.extend(bytes(max(size - len(image), 0)))
            del image[size:]
        case Made(file=file):
            there.add(file)
        case Removed(file=file):
            there.discard(file)
            files.pop(file, None)


def _sectors(written: Written) -> list[Written]:
    """A write, cut where sectors of the file end."""
    parts, start = [], 0
    while start < len(written.content):
        end = start + SECTOR - (written.offset + start) % SECTOR
        parts.append(Written(written.file, written.offset + start, written.content[start:end]))
        start = end
    return parts
