"""Machines with a home each, the same keys and one list: processes of ours that run there."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.config.settings import Settings
from flows.context import open_context
from flows.storage.editions import Frozen
from subscribers.model import DeliveryState
from tests.prefect_server import Prefect

KEYS = {"secret_key": "a key of sixteen letters or more", "suppression_key": "another key of sixteen letters"}


@dataclass(kw_only=True)
class Homes:
    """`given` are the settings of all; `namespaces` the homes that stand in a network namespace of their name, and the
    address that this machine has for each of them."""

    prefect: Prefect
    folder: Path
    given: dict[str, Any]
    namespaces: Mapping[str, str] = field(default_factory=dict)
    started: ExitStack = field(default_factory=ExitStack)
    """Closed, it ends all that was started."""

    def start(self, home: str, *command: str, **other: object) -> subprocess.Popen[bytes]:
        """A process of ours on one of the machines; `other` are settings that it alone has."""
        folder = self.folder / home
        folder.mkdir(exist_ok=True)
        settings = {f"PAPERROUND_{name.upper()}": str(value) for name, value in (self.given | other).items()}
        environment = self.prefect.environment | settings
        whole = [sys.executable, *command]
        if address := self.namespaces.get(home):
            whole = ["ip", "netns", "exec", home, *whole]
            environment = {name: value.replace("127.0.0.1", address) for name, value in environment.items()}
        environment |= {"PAPERROUND_HOME_DIR": str(folder), "PREFECT_HOME": str(folder / "prefect")}
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(whole, env=environment, cwd=folder, stdout=log, stderr=log)
        self.started.callback(process.wait, 60)
        self.started.callback(process.terminate)
        return process

    def worker(self, home: str) -> subprocess.Popen[bytes]:
        """A worker of the pool, with one run at a time."""
        name = ("--name", home, "--pool", "paperround", "--type", "process", "--limit", "1")
        return self.start(home, "-m", "prefect", "worker", "start", *name)

    def deliver(self, day: dt.date, **other: object) -> subprocess.Popen[bytes]:
        """A run of the flow `deliver`."""
        order = f"KindOfDay(newsletter='daily', date='{day}', kind='daily')"
        code = f"import asyncio; from flows.deliver import deliver, KindOfDay; print(asyncio.run(deliver({order})))"
        return self.start("first", "-c", code, **other)

    def log(self, home: str) -> str:
        return (self.folder / home / "log").read_text()

    async def states(self, frozen: Frozen) -> dict[DeliveryState, int]:
        async with open_context(self.settings) as context:
            return dict(await context.ledger.counts(frozen.id))

    @property
    def settings(self) -> Settings:
        return Settings(_env_file=None, home_dir=self.folder / "test", **self.given)
