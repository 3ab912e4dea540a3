"""A wish to stop that is heard between two messages, not in the middle of one."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flows import loops

T = TypeVar("T")


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
        doing = thread.submit(lambda: loops.run(main()))
        try:
            return await asyncio.shield(asyncio.wrap_future(doing))
        except BaseException:
            if not doing.done():
                there, stop = await begun
                there.call_soon_threadsafe(stop.set)
                await asyncio.wait([asyncio.wrap_future(doing)])
            raise
