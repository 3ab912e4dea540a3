"""What a process asks of the system while it delivers, in order, as strace sees it."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CALLS = "openat,unlink,pwrite64,pwritev,write,writev,ftruncate,fdatasync,fsync,sendto,sendmsg"
LONGEST = 1_000_000
"""Bytes of one call that are written down."""


@dataclass(frozen=True, slots=True)
class Written:
    file: str
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Made:
    file: str


@dataclass(frozen=True, slots=True)
class Removed:
    file: str


@dataclass(frozen=True, slots=True)
class Synced:
    """A file, or a folder and with it which files there are. `begun`: what came after so many calls is not covered."""

    file: str
    begun: int


@dataclass(frozen=True, slots=True)
class Left:
    """Bytes leave by a socket."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """What the process wrote anywhere else."""

    file: str
    content: bytes


Call = Written | Truncated | Made | Removed | Synced | Left | Said


def can_trace() -> bool:
    """Whether strace is there, and may do its work."""
    program = shutil.which("strace")
    if program is None:
        return False
    return subprocess.run([program, "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0


async def traced(log: Path, module: str, *arguments: str) -> Sequence[Call]:
    """Runs a module of ours to its end; returns what it did."""
    options = ("-f", "-qq", "-y", "-xx", "-s", str(LONGEST), "-e", f"trace={CALLS}", "-o", str(log))
    process = await asyncio.create_subprocess_exec("strace", *options, sys.executable, "-m", module, *arguments)
    if await process.wait():
        raise RuntimeError(f"{module} ended with {process.returncode}")
    with log.open() as lines:
        return list(read(lines))


_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (\d+)(?:<.*>)?")
_FILE = re.compile(r"\d+<((?:\\x[0-9a-f]{2})+)>")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def read(lines: Iterable[str]) -> Iterator[Call]:
    """Puts together what strace tells in two lines since another thread came between. A call stands where it ended,
    since until then nothing is sure of it; bytes that leave stand where they began to."""
    begun: dict[str, tuple[str, int]] = {}
    count = 0
    for line in lines:
        thread, rest = line.rstrip("\n").split(maxsplit=1)
        start = count
        if rest.endswith(" <unfinished ...>"):
            begun[thread] = rest.removesuffix(" <unfinished ...>"), count
            if not rest.startswith("send"):
                continue
            rest = begun.pop(thread)[0] + ") = 1"
        elif rest.startswith("<... "):
            if thread not in begun:
                continue
            first, start = begun.pop(thread)
            rest = first + rest.partition(" resumed>")[2]
        found = _CALL.fullmatch(f"{thread} {rest}")
        if found is not None and (call := _call(found[2], found[3], start)) is not None:
            count += 1
            yield call


def _call(name: str, arguments: str, begun: int) -> Call | None:
    file = found[1] if (found := _FILE.match(arguments)) else ""
    where = _bytes(file).decode()
    strings = [_bytes(string) for string in _STRING.findall(arguments)]
    numbers = [int(number) for number in re.findall(r", (\d+)\b", arguments)]
    call: Call | None = None
    match name:
        case "openat" if "O_CREAT" in arguments:
            call = Made(strings[0].decode())
        case "unlink":
            call = Removed(strings[0].decode())
        case "pwrite64":
            call = Written(where, numbers[-1], strings[0])
        case "ftruncate":
            call = Truncated(where, numbers[-1])
        case "fdatasync" | "fsync":
            call = Synced(where, begun)
        case "sendto" | "sendmsg":
            call = Left(b"".join(strings))
        case "write" | "writev" | "pwritev":
            call = Said(where, b"".join(strings))
    return call


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))
