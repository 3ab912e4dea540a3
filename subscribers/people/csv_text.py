"""A CSV file as spreadsheets and other systems write it: in which encoding, with which separator and line ends.

Nothing is guessed in silence: what a file was taken for is told, and one that can't be read without loss is refused.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from flows.outcomes import Problem

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WINDOWS = "cp1252"
_HEAD = 4096
_IN_MEMORY = 1 << 20
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
EXCEL = "utf-8-sig"
"""What a CSV file of ours is written in: without its mark Excel takes UTF-8 for the encoding of the machine."""


@contextmanager
def opened(file: Path, say: Callable[[str], object]) -> Iterator[TextIO]:
    """The text of a file, or of standard input for `-`; says what it was taken for where that is not plain UTF-8.

    Raises Problem for one that can't be opened, and for one that is in no encoding that can be told by its bytes, with
    the line.
    """
    with _bytes(file) as source:
        encoding, words = _encoding(source, file)
        if words:
            say(words)
        source.seek(0)
        # line ends stay as they are: one within quotes belongs to its field
        with io.TextIOWrapper(source, encoding=encoding, newline="") as text:
            yield text


@contextmanager
def _bytes(file: Path) -> Iterator[BinaryIO]:
    """A file's bytes, to be read more than once."""
    if str(file) == "-":
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as kept, open(0, "rb", closefd=False) as given:
            shutil.copyfileobj(given, kept)
            kept.seek(0)
            yield kept  # type: ignore[misc]  # a file in all but its class
        return
    try:
        found = file.open("rb")
    except OSError as error:
        raise Problem(f"{file} can't be read ({error.strerror}): name another file.") from error
    with found:
        yield found


def _encoding(source: BinaryIO, file: Path) -> tuple[str, str]:
    """The encoding of a file, and a sentence where somebody should look at what became of it."""
    head = source.read(_HEAD)
    for mark, name in _MARKS:
        if head.startswith(mark):
            _check(source, name, file)
            return name, "" if name == EXCEL else "The file is UTF-16, as Excel's “Unicode text” is, and is read so."
    for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        # Latin letters have a zero in every other byte, and no text has them otherwise
        if zeros and zeros.count(0) > len(zeros) // 2:
            _check(source, name, file)
            return name, "The file is UTF-16 without its mark, and is read so."
    if not (line := _first_bad(source, "utf-8")):
        return "utf-8", ""
    if other := _first_bad(source, _WINDOWS):
        raise Problem(f"Line {other} of {file} is neither UTF-8 nor Windows-1252: save the file as UTF-8 (CSV UTF-8).")
    return _WINDOWS, (
        f"The file is not UTF-8 (line {line}) and is read as Windows-1252, as Excel saves it. If a name looks wrong "
        "afterwards, save the file as CSV UTF-8 and import it again."
    )


def _check(source: BinaryIO, encoding: str, file: Path) -> None:
    if line := _first_bad(source, encoding):
        raise Problem(f"Line {line} of {file} can't be read as {encoding.upper()}: save the file as CSV UTF-8.")


def _first_bad(source: BinaryIO, encoding: str) -> int:
    """The first line that is not in an encoding; 0: all are."""
    source.seek(0)
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    while True:
        part = source.read(1 << 16)
        try:
            line += decoder.decode(part, final=not part).count("\n")
        except UnicodeDecodeError as error:
            before = part[: max(0, error.start - (len(error.object) - len(part)))]
            return line + before.decode(encoding, "ignore").count("\n")
        if not part:
            return 0


class Table:
    """The records of a CSV text, each with the number of its (last) line; the first is `header`.

    Iterating yields a record, or csv.Error for one that can't be read.
    """

    def __init__(self, text: Iterator[str]) -> None:
        # a NUL makes no valid field; without it the reader goes on with the next line
        lines = (line.replace("\0", "\ufffd") for line in text)
        first = next(lines, "").removeprefix("\ufeff")
        # Excel's own line, which names the separator
        named = re.fullmatch(r'"?sep=(.?)"?\s*', first, re.IGNORECASE)
        self._before = 1 if named else 0
        if named:
            first = next(lines, "")
        self.separator = (named[1] if named else "") or _separator(first)
        self._rows = csv.reader(itertools.chain([first], lines), delimiter=self.separator)
        self.header = next(self._rows, [])

    @property
    def number(self) -> int:
        return self._rows.line_num + self._before

    def __iter__(self) -> Iterator[tuple[int, list[str] | csv.Error]]:
        while True:
            try:
                row = next(self._rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield self.number, error
                continue
            if any(row):
                yield self.number, row


def _separator(header: str) -> str:
    """The one that stands most often outside of quotes in the first line; a comma where none does."""
    plain = "".join(header.split('"')[::2])
    best = max(SEPARATORS, key=plain.count)
    return best if best in plain else ","
