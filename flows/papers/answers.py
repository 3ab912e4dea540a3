"""Answers kept on disk, so that a service need not send again what has not changed (RFC 9110 section 13)."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_AGE = 7 * 86_400.0
_FILES = 200


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer that was readable, with the validators that its service gave it."""

    body: bytes
    etag: str
    modified: str

    def conditions(self) -> dict[str, str]:
        """The headers that ask for the answer only if it has changed."""
        given = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in given.items() if value}


class Answers:
    """A folder with a file for each URL. A file that is damaged or cannot be written counts as missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, url: str) -> KeptAnswer | None:
        """What was kept for a URL."""
        try:
            head, _, body = self._file(url).read_bytes().partition(b"\n")
            known = json.loads(head)
            if known["url"] != url or known["length"] != len(body):
                return None
            return KeptAnswer(body=body, etag=str(known["etag"]), modified=str(known["modified"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Keeps a readable answer, if its service gave it a validator."""
        etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
        if not (etag or modified):
            return
        head = json.dumps({"url": url, "etag": etag, "modified": modified, "length": len(body)}).encode()
        draft = self._folder / f"{os.getpid()}.{self._file(url).name}.draft"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(head + b"\n" + body)
            draft.replace(self._file(url))
        except OSError:
            return  # the answer is good without; a draft that was begun is pruned with the rest

    def drop(self, url: str) -> None:
        """Forgets what was kept for a URL."""
        with suppress(OSError):
            self._file(url).unlink()

    def prune(self, now: float) -> None:
        """Removes what is older than a week, and the oldest beyond 200 files."""
        try:
            aged = sorted(((file.stat().st_mtime, file) for file in self._folder.iterdir()), reverse=True)
            for place, (written, file) in enumerate(aged):
                if place >= _FILES or written < now - _AGE:
                    file.unlink(missing_ok=True)
        except OSError:
            return  # another process prunes as well, or the folder is not there yet

    def _file(self, url: str) -> Path:
        return self._folder / hashlib.sha256(url.encode()).hexdigest()[:40]
