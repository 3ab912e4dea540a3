"""The connections that this machine may have to the mail server, shared by whatever runs on it: deliveries, letters.

A slot is a file that is locked (flock): the kernel frees it when its process ends, however it does.

Who finds none says so by a lock on another file, and who has some to spare gives one up between two messages: to
letters always, to who has none when it has two, to who has less than half when it has more than half.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK = 0.2
"""Seconds after which to look again whether somebody waits."""
_LETTERS, _NONE, _MORE = "letters", "none", "more"
"""Who waits: letters, who has no connection, who has fewer than half of them."""


@dataclass(slots=True, eq=False)
class ConnectionSlot:
    """The right to one connection; to be released."""

    file: int
    gone: Callable[[ConnectionSlot], None]

    def release(self) -> None:
        if self.file >= 0:
            os.close(self.file)
            self.file = -1
            self.gone(self)


class Slots:
    """So many connections in all, counted in a folder. `letters`: they go first."""

    def __init__(self, folder: Path, number: int, *, letters: bool = False) -> None:
        self._folder, self._number, self._letters = folder, number, letters
        self._mine: set[ConnectionSlot] = set()
        self._waiting: tuple[str, int] | None = None
        self._looked = 0.0
        self._wanted = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:  # nothing is kept there either: this process has the machine for itself
            self._folder = Path()

    def take(self) -> ConnectionSlot | None:
        """A slot; None: all are taken, and it is known that one is wanted."""
        if not self._folder.name:
            return self._add(os.open(os.devnull, os.O_RDONLY)) if len(self._mine) < self._number else None
        if not self._letters and any(map(self._is_locked, self._yields_to(len(self._mine) + 1))):
            self._wait()  # it would have to be given up at once
            return None
        for number in range(self._number):
            if (file := self._locked(str(number))) is not None:
                self.wait_no_more()
                return self._add(file)
        self._wait()
        return None

    def wait_no_more(self) -> None:
        if self._waiting is not None:
            os.close(self._waiting[1])
            self._waiting = None

    def wanted(self) -> bool:
        """Whether one of ours is to be given up now; asked again and again, it looks only now and then."""
        now = time.monotonic()
        if self._letters or not self._mine or not self._folder.name:
            return False
        if now - self._looked >= LOOK:
            self._looked = now
            self._wanted = any(map(self._is_locked, self._yields_to(len(self._mine))))
        return self._wanted

    def yields(self) -> bool:
        """The same, and the answer is heeded: one connection is given up for it, not all of them."""
        wanted = self.wanted()
        self._wanted = False
        return wanted

    def waited_for(self) -> bool:
        """Whether anybody waits for one: what is idle is given up to whomever."""
        return bool(self._mine and self._folder.name) and any(map(self._is_locked, (_LETTERS, _NONE, _MORE)))

    def _yields_to(self, held: int) -> Sequence[str]:
        """To whom one of so many is given up."""
        names = [_LETTERS]
        if held > 1:
            names.append(_NONE)
        if held > max(self._number // 2, 1):
            names.append(_MORE)
        return names

    def _wait(self) -> None:
        if self._letters:
            kind = _LETTERS
        elif not self._mine:
            kind = _NONE
        elif len(self._mine) < self._number // 2:
            kind = _MORE
        else:
            self.wait_no_more()
            return
        if self._waiting is not None and self._waiting[0] == kind:
            return
        self.wait_no_more()
        if (file := self._locked(kind)) is not None:
            self._waiting = (kind, file)

    def _add(self, file: int) -> ConnectionSlot:
        slot = ConnectionSlot(file, self._mine.discard)
        self._mine.add(slot)
        return slot

    def _locked(self, name: str) -> int | None:
        file = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return None
        return file

    def _is_locked(self, name: str) -> bool:
        """Whether somebody else holds it."""
        if self._waiting is not None and self._waiting[0] == name:
            return False
        file = self._locked(name)
        if file is None:
            return True
        os.close(file)
        return False
