"""How a process of ours runs and ends: its event loop, a wish to stop that is heard between two messages and not in the
middle of one, and what the processes that it starts owe to it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_kernel = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def run(work: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, on uvloop, which takes a tenth less of the processor for each message."""
    collect_less()
    import uvloop  # noqa: PLC0415

    return uvloop.run(work)


def collect_less() -> None:
    """What has been imported until now stays: the garbage collector looks at it no more."""
    gc.freeze()


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of ours in a process of its own. `-P`: what lies in the folder that it is started
    in, a package `flows` of somebody else's for instance, is not taken for ours."""
    return (sys.executable, "-P", "-m", module, *arguments)


LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""What this machine calls itself."""


def spare_loopback(environment: MutableMapping[str, str]) -> None:
    """Keeps a proxy that the environment names out of talks within this machine: there it leads nowhere. Whatever else
    is asked for goes through it as before."""
    named = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    given = [part.strip() for part in named.split(",") if part.strip()]
    spared = ",".join([*given, *(name for name in LOOPBACK if name not in given)])
    if named.strip() != "*":  # nothing at all goes through it
        environment["NO_PROXY"] = environment["no_proxy"] = spared


def die_with_the_parent() -> None:
    """To be called in a new process: one that is killed outright can stop nobody, so that on Linux the kernel asks
    its children to stop (prctl(2), PR_SET_PDEATHSIG)."""
    if _kernel is not None:
        _kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def stopping(*numbers: signal.Signals) -> Iterator[asyncio.Event]:
    """An event that these signals set instead of what they do otherwise, which they do again afterwards."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


async def apart(work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Does `work` in a thread with an event loop of its own, where nothing interrupts it in the middle of a message.

    Prefect ends a run by an exception out of its signal handler, which strikes whatever the main thread is at, or by
    cancelling. Either sets the event that `work` is given, is held back until it has ended, and goes on then.
    """
    loop = asyncio.get_running_loop()
    begun: asyncio.Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = loop.create_future()

    async def main() -> T:
        stop = asyncio.Event()
        loop.call_soon_threadsafe(begun.set_result, (asyncio.get_running_loop(), stop))
        return await work(stop)

    with ThreadPoolExecutor(1, "apart") as thread:
        doing = thread.submit(lambda: run(main()))
        try:
            return await asyncio.shield(asyncio.wrap_future(doing))
        except BaseException:
            if not doing.done():
                there, stop = await begun
                there.call_soon_threadsafe(stop.set)
                await asyncio.wait([asyncio.wrap_future(doing)])
            raise
