"""Which address stood in a file before, and in which line: over files of any length in little memory."""

from __future__ import annotations

import hashlib
import sqlite3
from types import TracebackType


class Repeats:
    """Remembers a line number for each text that it is told, in a database on disk that nobody else sees and that is
    gone afterwards. Texts are kept as hashes of 16 bytes."""

    def __enter__(self) -> Repeats:
        # the empty name is SQLite's temporary database: a file without a name, used once its cache is full
        self._lines = sqlite3.connect("", isolation_level=None)
        self._lines.execute("PRAGMA journal_mode=OFF")
        self._lines.execute("BEGIN")
        self._lines.execute("CREATE TABLE line (text BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def first(self, text: str, number: int) -> int:
        """The first line that had this text: `number` itself where it is new."""
        key = hashlib.blake2b(text.encode(), digest_size=16).digest()
        added = self._lines.execute("INSERT INTO line VALUES (?, ?) ON CONFLICT DO NOTHING", (key, number))
        if added.rowcount:
            return number
        (before,) = self._lines.execute("SELECT number FROM line WHERE text = ?", (key,)).fetchone()
        return int(before)
