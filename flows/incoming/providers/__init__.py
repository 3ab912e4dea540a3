"""The providers whose webhooks are understood, a file each: `Provider` says what all of them promise."""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Protocol

from flows.incoming.webhooks import Call, Fetch, Notice


class Provider(Protocol):
    TITLE: str
    RELAYS: Sequence[str]
    """What the names of its mail servers end in."""
    SETTING: str
    """What the operator sets for it."""
    NEEDS: str
    """What its relay needs of the operator, in a sentence or two."""

    async def read(self, call: Call, secret: str, now: dt.datetime, fetch: Fetch) -> Notice:
        """What a call tells, once it is verified. Raises CallRefused for every other call."""


@cache
def providers() -> Mapping[str, Provider]:
    """Every provider by its name, the file's."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}") for name in found}
