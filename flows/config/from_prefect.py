"""What an operator has set in Prefect's UI instead of the environment, as a run last read it there: a file of this
machine's own, so that the web app, the command and a run without a Prefect server use the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from flows.storage.private_files import write_whole

FILE = "from_prefect.json"
NAMES = frozenset({"mail_url", "mail_rate", "dkim_key", "dkim_selector", "dkim_domain"})
"""The settings that may stand there."""


def read(home: Path) -> Mapping[str, str]:
    """Its settings by their names; none where there is no such file, or one that is none of ours."""
    try:
        found = json.loads((home / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if name in NAMES and isinstance(value, str)}


def keep(home: Path, values: Mapping[str, str]) -> None:
    """Writes them, or takes the file away where there are none."""
    if values:
        write(home / FILE, json.dumps(dict(values), indent=1).encode())
    else:
        (home / FILE).unlink(missing_ok=True)


def drop(file: Path) -> None:
    """Takes away a file that is used no more."""
    file.unlink(missing_ok=True)


def write(file: Path, content: bytes) -> None:
    """Writes a file of this kind; one that holds the same is left as it is."""
    if not (file.exists() and file.read_bytes() == content):
        write_whole(file, content)
