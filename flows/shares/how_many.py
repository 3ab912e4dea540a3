"""How many shares pay: decided from what is left, how fast one process brings it, and what limits allow."""

from __future__ import annotations

import math

START = 20.0
"""Seconds until the first message of a share leaves: a worker looks every ten, and Prefect takes its time to start."""
PAYS = 20.0
"""Seconds of sending that must be left for each process then, or one more is not worth its start."""

SLOWEST = 0.01
"""Messages a second: what is slower stands still."""


def how_many(left: int, each: float, *, rate: float, room: int | None, most: int) -> int:
    """How many shares beside the process that asks make a delivery end sooner; 0 to `most`.

    `left`: readers that wait; `each`: messages a second that one process brings, as measured; `rate`: messages a second
    that all together may send, 0: no limit; `room`: how many messages windows leave room for, None: no limit.
    """
    if each < SLOWEST:  # nothing leaves: the mail server is away, and more of us would not bring it back
        return 0
    rest = (left if room is None else min(left, room)) / each - START
    processes = math.floor(rest / PAYS)
    if rate:
        processes = min(processes, math.ceil(rate / each))
    return max(min(processes - 1, most), 0)
