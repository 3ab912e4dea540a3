"""What we keep is about people: the home folder and all that is in it is for its owner alone."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flows.outcomes import Problem

OTHERS = 0o077
"""The permissions of everybody else."""
BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite's files are named, after the database."""


def keep_private(home: Path, database: str | None = None) -> None:
    """Makes the home folder if there is none, and takes from everybody else what they may do in it and with the files
    of an SQLite `database`. What this process and those that it starts make from now on is their owner's alone,
    whatever the umask was. Raises Problem where the folder can't be made."""
    os.umask(OTHERS)
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"The folder {home} can't be made ({error.strerror}): set PAPERROUND_HOME_DIR to one of your own."
        ) from error
    if _is_ours(home):
        _close(home.resolve())
        for file in home.iterdir():
            _close(file)
    if database:
        for ending in BESIDE:
            _close(Path(database + ending))


def keep_all_private(home: Path) -> None:
    """The same for everything below it, however deep: what an earlier version has left open is mended."""
    keep_private(home)
    if _is_ours(home):
        for file in _below(home):
            _close(file)


def write_whole(file: Path, content: bytes) -> None:
    """Writes a file for its owner alone, whole or not at all: who reads it meanwhile reads what was there before."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}", delete=False) as new:
        try:
            new.write(content)
            new.flush()
            os.replace(new.name, file)
        except BaseException:  # a full disk, or somebody stopped us: nothing half done is left
            os.unlink(new.name)
            raise


def open_to_others(*places: Path) -> list[Path]:
    """Those of these files and folders that somebody else may read or write; a file within a folder that is closed
    to them is not."""
    return [place for place in places if _mode(place) & OTHERS and not _behind_a_door(place)]


def _is_ours(home: Path) -> bool:
    """Whether the folder is one for Paperround alone: somebody's whole home, or a machine's, is not closed for it."""
    found, place = home.stat(), home.resolve()
    shared = found.st_mode & stat.S_ISVTX or place in (Path.home(), Path(place.anchor))
    return found.st_uid == os.geteuid() and not shared


def _below(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(where, name)


def _close(file: Path) -> None:
    # a link is left alone, and so is what somebody else owns or has just removed
    with contextlib.suppress(OSError):
        mode = file.lstat().st_mode
        if mode & OTHERS and (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            file.chmod(stat.S_IMODE(mode) & ~OTHERS)


def _mode(file: Path) -> int:
    try:
        return file.stat().st_mode
    except OSError:
        return 0


def _behind_a_door(place: Path) -> bool:
    return any(not _mode(folder) & 0o011 for folder in place.resolve().parents)
