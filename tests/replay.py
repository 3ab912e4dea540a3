"""The stand-in for Hugging Face and arXiv that lies beside this checkout, where it does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.papers.model import Addresses


@contextmanager
def replaying(recorded: Path, *options: str) -> Iterator[Addresses]:
    """The stand-in in a process of its own."""
    command = [sys.executable, str(recorded / "upstream/replay.py"), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        try:
            yield Addresses(huggingface=url, arxiv=f"{url}/api/query", arxiv_rss=f"{url}/rss")
        finally:
            process.terminate()
