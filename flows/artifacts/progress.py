"""A delivery in Prefect's UI: a bar and a table that are renewed while it goes on, and the report at its end, whatever
ended it. One version of each for a delivery, so that the artifact's history is that of the deliveries."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Unpack
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate

from flows.artifacts.delivery_words import Look, going_on, report, sentence
from flows.artifacts.markdown import key
from flows.artifacts.pace_picture import picture
from flows.context import Context, Say, report_link
from flows.delivery.run import Deliver, Delivered, How, deliver
from flows.storage.editions import Frozen

EVERY = 4.0
"""Seconds between two looks, at first: a delivery that goes on for long is looked at ever less often."""
SHARE = 50
"""A look may cost so small a part of the time: one that takes a second comes after fifty."""
SLOWER = 1.02
LAST_WORD = 10.0
"""Seconds for the report: who cancels a run waits, and Prefect ends its process after half a minute."""


def in_sight(run: str, *, every: float = EVERY) -> Deliver:
    """`deliver`, seen under that run of Prefect's; as it is where there is none."""

    async def deliver_in_sight(context: Context, frozen: Frozen, say: Say, **how: Unpack[How]) -> Delivered:
        if not run:
            return await deliver(context, frozen, say, **how)
        async with get_client() as client:
            shown = _Shown(context, frozen, say, client, UUID(run))
            renewing = asyncio.create_task(shown.go_on(every))
            delivered = None
            try:
                delivered = await deliver(context, frozen, shown.hear, **how)
                return delivered
            finally:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)
                stop = how.get("stop")
                await shown.end(delivered, stopped=stop is not None and stop.is_set())

    return deliver_in_sight


class _Shown:
    """What is shown of one delivery. Prefect's server may be away: mail does not depend on it."""

    def __init__(self, context: Context, frozen: Frozen, say: Say, client: PrefectClient, run: UUID) -> None:
        self._context, self._frozen, self._say, self._client, self._run = context, frozen, say, client, run
        self._looks: list[Look] = []
        self._began = time.monotonic()
        self._made: dict[str, UUID] = {}
        self._heard = ""
        self._failed = False

    def hear(self, words: str) -> None:
        """Says it on, and shows it as the last thing said."""
        self._heard = words
        self._say(words)

    async def go_on(self, every: float) -> None:
        before = time.monotonic()
        await self._first()
        while True:
            await asyncio.sleep(max(every, SHARE * (time.monotonic() - before)))
            every, before = every * SLOWER, time.monotonic()
            await self._renew()

    async def _look(self) -> None:
        ledger, now = self._context.ledger, self._context.now()
        due = await ledger.waiting(self._frozen.id, now)
        counts = await ledger.counts(self._frozen.id)
        self._looks.append(Look(seconds=time.monotonic() - self._began, counts=counts, due=due))

    async def _first(self) -> None:
        """What was there before: nothing is shown of a delivery that is over in a moment but its report."""
        try:
            await self._look()
        except Exception as error:
            self._tell(error)

    async def _renew(self) -> None:
        try:
            await self._look()
            words = going_on(self._looks, self._heard, self._context.now())
            await self._show("delivery", "markdown", words, sentence(self._looks))
            await self._bar(f"{sentence(self._looks)}.")
        except Exception as error:  # whatever keeps the ledger or Prefect from answering: the next look may succeed
            self._tell(error)

    async def end(self, delivered: Delivered | None, *, stopped: bool) -> None:
        """The last word; without a result, an error ended it."""
        try:
            async with asyncio.timeout(LAST_WORD):
                await self._last_word(delivered, stopped=stopped)
        except Exception as error:  # the mails are out and kept, whoever can't show it
            self._tell(error)

    async def _last_word(self, delivered: Delivered | None, *, stopped: bool) -> None:
        await self._look()
        if delivered is None:
            words = f"**It ended with an error**, which the run's log tells. {sentence(self._looks)}."
            await self._show("delivery", "markdown", words, words)
            return
        found = self._context.report
        words = report(
            delivered,
            await found.summary(self._frozen.id),
            await found.domains(self._frozen.id),
            picture(self._looks),
            report_link(self._context, *self._of),
            stopped=stopped,
        )
        await self._show("delivery", "markdown", words, delivered.sentence)
        await self._bar(delivered.sentence)

    @property
    def _of(self) -> tuple[Any, Any, Any]:
        edition = self._frozen.edition
        return edition.newsletter, edition.kind, edition.day

    async def _bar(self, words: str) -> None:
        await self._show("progress", "progress", round(self._looks[-1].done, 1), words)

    async def _show(self, what: str, type_: str, data: object, description: str) -> None:
        """Makes an artifact, or writes it anew: `client.update_artifact` would make an event of each time."""
        if (made := self._made.get(what)) is not None:
            body = {"data": data, "description": description}
            await self._client.request("PATCH", "/artifacts/{id}", path_params={"id": made}, json=body)
            return
        newsletter, kind, _ = self._of
        more = "correction-" if self._frozen.correction else ""
        wanted = ArtifactCreate(
            key=more + key(what, newsletter, kind),
            type=type_,
            data=data,
            description=description,
            flow_run_id=self._run,
        )
        self._made[what] = (await self._client.create_artifact(wanted)).id

    def _tell(self, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            self._say(f"How the delivery stands could not be shown in Prefect ({type(error).__name__}); it goes on.")
