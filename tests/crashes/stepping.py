"""An event loop that tells before each step of a task where the task stands; whom it tells may end the process.

Between two steps of its tasks a program that waits for nothing but its loop changes nothing outside of itself, so that
to die before each of them in turn is to die everywhere.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextvars import Context
from typing import Any

Where = tuple[str, int]
"""The file and line at which a task waits."""


class SteppingLoop(asyncio.SelectorEventLoop):
    """Calls `before` with the number of the step, the first is 1, and the task whose step it is."""

    def __init__(self, before: Callable[[int, asyncio.Task[Any]], None]) -> None:
        super().__init__()
        self.steps = 0
        self._before = before

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        # a task asks for its next step by a method of its own
        task = getattr(callback, "__self__", None)
        if not isinstance(task, asyncio.Task):
            return super().call_soon(callback, *args, context=context)
        return super().call_soon(self._step, task, callback, *args, context=context)

    def _step(self, task: asyncio.Task[Any], callback: Callable[..., object], *args: Any) -> None:
        self.steps += 1
        self._before(self.steps, task)
        callback(*args)


def stack(task: asyncio.Task[Any]) -> list[Where]:
    """Where a task waits, from the outside in, through the coroutines that it awaits; nothing if it has not begun."""
    found: list[Where] = []
    waiting: Any = task.get_coro()
    while (frame := getattr(waiting, "cr_frame", None)) is not None:
        if inspect.getcoroutinestate(waiting) == inspect.CORO_CREATED:
            break
        found.append((frame.f_code.co_filename, frame.f_lineno))
        waiting = waiting.cr_await
    return found
