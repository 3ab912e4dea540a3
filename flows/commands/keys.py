"""What the command `keys` does."""

from __future__ import annotations

from collections.abc import Callable

from flows.config.installation import adopt_keys, differing
from flows.config.settings import load_settings
from flows.outcomes import Problem
from flows.storage.database import connect, migrate


async def adopt(agreed: Callable[[str], bool]) -> str:
    """Makes this process's keys the installation's, if that is `agreed`."""
    settings = load_settings()
    database = connect(settings.database)
    try:
        await migrate(database)
        if not await differing(database, settings):
            return "These are the installation's keys already: nothing was changed."
        lost = "Links in mails sent before will open nothing, and suppressions of who is no subscriber be forgotten."
        if not agreed(f"{lost} Go on?"):
            raise Problem("Nothing was changed.")
        await adopt_keys(database, settings)
    finally:
        await database.close()
    return "This machine's keys are the installation's from now on: give them to all others."
