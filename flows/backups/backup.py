"""An installation's database and keys as one file, and back. The file is as secret as the home folder."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.backups.contents import dump, empty, holds_anything, load
from flows.config.installation import check_keys
from flows.config.settings import SECRET_KEY, SUPPRESSION_KEY, Settings
from flows.context import utc_now
from flows.outcomes import Problem
from flows.storage.database import Database, connect, knows, revision_of
from flows.storage.private_files import keep_private
from subscribers.ledger.restored import doubt

KEYS = (SECRET_KEY, SUPPRESSION_KEY, "operator_login")
MANIFEST = "backup.json"


@dataclass(frozen=True, slots=True)
class Restored:
    taken_at: dt.datetime
    doubtful: int
    """Deliveries that may have been sent since the backup: they wait for the operator."""
    letters: int
    kept: Path | None = None
    """Where what was there before is kept; None: nothing was."""


async def back_up(settings: Settings, file: Path) -> list[str]:
    """Writes the file, also while a delivery is under way; the settings of keys that it does not hold, since they are
    set elsewhere than in the home folder. Raises Problem."""
    if await asyncio.to_thread(os.path.lexists, file):
        raise Problem(f"{file} exists already: name another file, or move that one away.")
    database = connect(settings.database)
    try:
        with tempfile.TemporaryDirectory(dir=_beside(file)) as temporary:
            folder = Path(temporary)
            if not await holds_anything(database):
                raise Problem("There is no database yet to be backed up: check PAPERROUND_HOME_DIR and DATABASE_URL.")
            taken_at = utc_now()
            names = await dump(database, folder)
            kept = [name for name in (*KEYS, *_dkim_keys(settings)) if (settings.home_dir / name).is_file()]
            for name in kept:
                shutil.copy(settings.home_dir / name, folder / f"key-{name}")
            manifest = {
                "version": version("paperround"),
                "taken_at": taken_at.isoformat(),
                "database": database.engine.dialect.name,
                "revision": await revision_of(database),
                "contents": names,
                "keys": kept,
            }
            (folder / MANIFEST).write_text(json.dumps(manifest))
            await asyncio.to_thread(_pack, folder, [MANIFEST, *names, *(f"key-{name}" for name in kept)], file)
    finally:
        await database.close()
    set_elsewhere = {SECRET_KEY: settings.secret_key, SUPPRESSION_KEY: settings.suppression_key}
    return [f"PAPERROUND_{name.upper()}" for name, value in set_elsewhere.items() if value.get_secret_value().strip()]


async def restore(settings: Settings, file: Path, *, replace: bool = False) -> Restored:
    """Brings back what the file holds: the keys, the database, and of its ledger what can be believed. With `replace`
    what is there goes, and is kept as a file of the same kind in the home folder. Raises Problem, and has changed
    nothing then."""
    keep_private(settings.home_dir)
    database = connect(settings.database)
    try:
        with tempfile.TemporaryDirectory(dir=settings.home_dir) as temporary:
            folder = Path(temporary)
            manifest = await asyncio.to_thread(_unpack, file, folder)
            if manifest["database"] != database.engine.dialect.name:
                raise Problem(
                    f"The backup is of a {manifest['database']} database, and PAPERROUND_DATABASE_URL names one of "
                    f"{database.engine.dialect.name}: name one of the same kind."
                )
            if not knows(manifest["revision"]):
                raise Problem(f"{file} was made by Paperround {manifest['version']}, which is newer: upgrade first.")
            holds = await _holds_anything(database)
            there = holds or any((settings.home_dir / key).exists() for key in KEYS)
            if there and not replace:
                raise Problem(
                    f"{settings.home_dir} or its database is in use already: restore into another PAPERROUND_HOME_DIR "
                    "and an empty database, or say --replace."
                )
            before = await _keep(settings) if holds else None
            await empty(database)
            for name in manifest["keys"]:
                _put_key(folder / f"key-{name}", settings.home_dir / name)
            await load(database, folder, manifest["contents"], manifest["revision"])
        keep_private(settings.home_dir, settings.database_file)
        await check_keys(database, settings)
        deliveries, letters = await doubt(database, utc_now())
    finally:
        await database.close()
    return Restored(dt.datetime.fromisoformat(manifest["taken_at"]), deliveries, letters, before)


async def _keep(settings: Settings) -> Path:
    """Backs up what is about to be replaced. Raises Problem where that can't be read: it is not lost by a command."""
    file = settings.home_dir / f"replaced-{utc_now():%Y-%m-%d-%H%M%S.%f}.tar.gz"
    try:
        await back_up(settings, file)
    except Exception as error:  # whatever a damaged database says
        raise _unreadable(error) from error
    return file


async def _holds_anything(database: Database) -> bool:
    try:
        return await holds_anything(database)
    except Problem:
        raise
    except Exception as error:  # as above
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> Problem:
    said = next(iter(str(error).splitlines()), "")[:200]
    return Problem(
        f"What is there can't be read, and so not be kept ({type(error).__name__}: {said}): nothing was changed. Move "
        "the database away by hand, or name an empty one, and restore again."
    )


def _beside(file: Path) -> Path:
    """The folder of a file, where there is the room that it will need. Raises Problem."""
    if not file.absolute().parent.is_dir():
        raise Problem(f"The folder {file.absolute().parent} does not exist: make it, or name another file.")
    return file.absolute().parent


def _dkim_keys(settings: Settings) -> list[str]:
    """The files in the home folder that sign mail."""
    return sorted(path.name for path in settings.home_dir.glob("*.pem"))


def _pack(folder: Path, names: list[str], file: Path) -> None:
    """A file that is there is whole, and readable by its owner alone."""
    part = folder / "whole.tar.gz"
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as tar:
            for name in names:
                tar.add(folder / name, arcname=name)
        raw.flush()
        os.fsync(raw.fileno())
    part.rename(file)


def _unpack(file: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(file, "r:gz") as tar:
            tar.extractall(folder, filter="data")
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        names = [*manifest["contents"], *(f"key-{name}" for name in manifest["keys"])]
        whole = all((folder / name).is_file() and Path(name).name == name for name in names)
    except (tarfile.TarError, EOFError, KeyError, ValueError) as error:
        raise Problem(f"{file} is no whole backup of Paperround's ({error}): take another one.") from error
    if not whole:
        raise Problem(f"{file} is no whole backup of Paperround's (files are missing): take another one.")
    return manifest


def _put_key(kept: Path, place: Path) -> None:
    if place.exists() and place.read_bytes() != kept.read_bytes():
        place.rename(place.with_name(f"{place.name}-replaced-{utc_now():%Y-%m-%d-%H%M%S.%f}"))
    place.unlink(missing_ok=True)
    with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
        new.write(kept.read_bytes())
