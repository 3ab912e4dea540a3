"""A wish to stop that is heard between two messages, not in the middle of one."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def stopping(*numbers: signal.Signals) -> Iterator[asyncio.Event]:
    """An event that these signals set instead of what they do otherwise, which they do again afterwards. Outside of the
    main thread, which alone hears signals, it is never set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
