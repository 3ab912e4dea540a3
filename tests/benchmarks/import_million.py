"""How long an import of a million lines takes on SQLite, and in how much memory; then an export, and the file again.

    python -m tests.benchmarks.import_million [--lines N]

Each is the real command in a process of its own. It prints seconds, lines a second and the most memory that was
resident, and whether the export is the same file.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from subscribers.people.csv_file import COLUMNS


def main(lines: int) -> None:
    with tempfile.TemporaryDirectory(prefix="paperround-import-") as made:
        folder = Path(made)
        with (folder / "in.csv").open("w", encoding="utf-8-sig") as file:
            file.writelines(rows(lines))
        for call in (("import", "in.csv"), ("export", "out.csv"), ("import", "out.csv")):
            began = time.monotonic()
            memory = measured(folder, "subscribers", *call)
            took = time.monotonic() - began
            print(f"{' '.join(call):<16} {took:6.1f} s  {lines / took:8.0f} lines/s  {memory:5.0f} MB resident")
        same = filecmp.cmp(folder / "in.csv", folder / "out.csv", shallow=False)
        print(
            "The exported file is the imported one." if same else "The exported file is ANOTHER than the imported one."
        )


def rows(lines: int) -> Iterator[str]:
    """Readers of every kind, in the form that an export has."""
    yield ",".join(COLUMNS) + "\n"
    for n in range(lines):
        topics = ("", "agents;code", "-video", "-*")[n % 4]
        keywords = f"tensor {n};slow telescope" if n % 5 == 0 else ""
        leave_out = "fern;Ben Foster" if n % 7 == 0 else ""
        frequency = ("daily", "weekdays", "weekly", "weekly:mon")[n % 4]
        state = ("confirmed", "confirmed", "confirmed", "paused:2026-07-01", "unsubscribed")[n % 5]
        yield (
            f"reader.{n:07d}@mail{n % 5000}.example.org,daily,{topics},{keywords},,{leave_out},{frequency},{n % 24},"
            f"Europe/Berlin,{'de' if n % 3 else ''},{state},lab,2026-01-02T03:04:05+00:00,form\n"
        )


def measured(folder: Path, *call: str, quiet: bool = False, environment: Mapping[str, str] | None = None) -> float:
    """Runs the command; returns the megabytes that it had resident at most. `quiet` throws away what it writes."""
    given = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PAPERROUND_")},
        "PAPERROUND_HOME_DIR": str(folder / "home"),
        "PYTHONPATH": os.getcwd(),
        **(environment or {}),
    }
    command = [sys.executable, "-m", "flows", *call]
    out = subprocess.DEVNULL if quiet else None
    with subprocess.Popen(command, cwd=folder, env=given, stdout=out) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(call)} ended with {process.returncode}")
    return used.ru_maxrss / 1024


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lines", type=int, default=1_000_000)
    main(options.parse_args().lines)
