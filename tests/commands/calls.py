"""The command as a test calls it."""

from __future__ import annotations

import email
import email.policy
import mailbox
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DAY = "2026-06-09"
SAMPLE = ("--newsletter", "sample", "--date", DAY)


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one sentence of an error."""
        assert self.status == 2, self
        assert "Traceback" not in self.err
        assert "unexpected" not in self.err
        *_, last = self.err.splitlines()
        assert last.startswith("Error: ")
        assert last.endswith(".")
        return last.removeprefix("Error: ")


Run = Callable[..., Ended]


def in_a_process(*arguments: str, given: bytes = b"") -> Ended:
    command = [sys.executable, "-m", "flows", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def outbox(home: Path) -> list[Any]:
    box = mailbox.Maildir(home / "outbox", create=False)
    return [email.message_from_bytes(bytes(message), policy=email.policy.default) for message in box]


def rows(home: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(home / "home/paperround.db")) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()
