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
from subscribers.ledger.model import Claim, Due
from subscribers.model import DeliveryState
from tests.crashes.scene import Hasty, Place, go_on, opened


class TellingLedger(Ledger):
    """Writes `STATE SUBSCRIPTION` into the file that the process was given, a line for each change that it confirms."""

    told: ClassVar[int]

    def mark(self, claim: Claim, item: Due, now: dt.datetime) -> asyncio.Future[bool]:
        marking = super().mark(claim, item, now)
        marking.add_done_callback(partial(self._tell, DeliveryState.SENDING, item))
        return marking

    def record(
        self, claim: Claim, item: Due, outcome: Outcome, now: dt.datetime, *, marked: bool = True
    ) -> asyncio.Future[bool]:
        recording = super().record(claim, item, outcome, now, marked=marked)
        if outcome.verdict is Verdict.SENT:
            recording.add_done_callback(partial(self._tell, DeliveryState.SENT, item))
        return recording

    def _tell(self, state: DeliveryState, item: Due, changing: asyncio.Future[bool]) -> None:
        if changing.result():
            os.write(self.told, f"{state} {item.subscription_id}\n".encode())


class Telling(Hasty):
    ledger_type = TellingLedger


async def main(database: str, port: str, file: str) -> None:
    TellingLedger.told = os.open(file, os.O_WRONLY | os.O_CREAT)
    async with opened(Place(database=database, port=int(port)), Telling) as context:
        await go_on(context)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
