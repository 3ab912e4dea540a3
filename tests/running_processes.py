"""What a test of whole processes needs to know."""

from __future__ import annotations

from pathlib import Path


def processes_of(home: Path) -> list[int]:
    """The processes that have this folder in their environment or command."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            known = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(home).encode() in known:
            found.append(int(entry.name))
    return found
