"""What a test of whole processes needs to know."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.conftest import free_port


def processes_of(home: Path, word: bytes = b"") -> list[int]:
    """The processes that have this folder in their environment or command, and this word in their command."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            known = (entry / "environ").read_bytes() + command
        except OSError:  # it has ended meanwhile
            continue
        if str(home).encode() in known and word in command:
            found.append(int(entry.name))
    return found


def until_it_answers(process: subprocess.Popen[bytes], port: int, said: Callable[[], str]) -> None:
    """Waits for whatever answer on the port; with what the process said where it has ended, or needs a minute."""
    until = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
            return
        except httpx.TransportError:
            assert time.monotonic() < until, said()
            assert process.poll() is None, said()
            time.sleep(0.1)


def by_itself(folder: Path, *words: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Python with these words, as a process without a Prefect server: a flow has Prefect start what it needs. `given`
    are settings."""
    ours = ("PAPERROUND_", "PREFECT_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        **{f"PAPERROUND_{name.upper()}": value for name, value in given.items()},
    }
    return subprocess.run(
        [sys.executable, "-P", *words],
        check=False,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=170,
    )


FILES = 1024
"""How many files a process may open where nobody has set another limit."""


@contextmanager
def web_process(folder: Path, files: int = FILES, **given: str) -> Iterator[str]:
    """The web process as `paperround up` starts it, its log in `web.log`; `given` are settings. Its address."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERROUND_")}
    environment |= {
        "PAPERROUND_HOME_DIR": str(folder),
        "PAPERROUND_MAIL_URL": f"maildir://{folder / 'outbox'}",
        **{f"PAPERROUND_{name.upper()}": value for name, value in given.items()},
    }
    code = (
        f"import asyncio, resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}));"
        f"from flows.processes.serve import serve_web; asyncio.run(serve_web('127.0.0.1', {port}))"
    )
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        until_it_answers(process, port, (folder / "web.log").read_text)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
