"""A delivery whose ledger writes down what it has confirmed, when it has: the process that is traced.

python -m tests.crashes.telling DATABASE PORT FILE
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import sys
from functools import partial
from typing import ClassVar

from flows.outcomes import Outcome, Verdict
from subscribers.ledger.ledger import Ledger
from subscribers.ledger.model import Delivery
from subscribers.model import DeliveryState
from tests.crashes.scene import Hasty, Place, go_on, opened


class TellingLedger(Ledger):
    """Writes `STATE SUBSCRIPTION` into the file that the process was given, a line for each change that it confirms."""

    told: ClassVar[int]

    def mark(self, delivery: Delivery, now: dt.datetime) -> asyncio.Future[bool]:
        marking = super().mark(delivery, now)
        marking.add_done_callback(partial(self._tell, DeliveryState.SENDING, delivery))
        return marking

    def record(
        self,
        delivery: Delivery,
        outcome: Outcome,
        now: dt.datetime,
        *,
        marked: bool = True,
        not_before: dt.datetime | None = None,
    ) -> asyncio.Future[bool]:
        recording = super().record(delivery, outcome, now, marked=marked, not_before=not_before)
        if outcome.verdict is Verdict.SENT:
            recording.add_done_callback(partial(self._tell, DeliveryState.SENT, delivery))
        return recording

    def _tell(self, state: DeliveryState, delivery: Delivery, changing: asyncio.Future[bool]) -> None:
        if not changing.cancelled() and changing.result():
            os.write(self.told, f"{state} {delivery.subscription_id}\n".encode())


class Telling(Hasty):
    ledger_type = TellingLedger


async def main(database: str, port: str, file: str) -> None:
    TellingLedger.told = os.open(file, os.O_WRONLY | os.O_CREAT)
    async with opened(Place(database=database, port=int(port)), Telling) as context:
        await go_on(context)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
