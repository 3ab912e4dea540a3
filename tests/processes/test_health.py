"""A part that hangs is started again."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from flows.processes.health import keep_answering, keep_current
from flows.processes.supervisor import supervising
from tests.conftest import free_port
from tests.running_processes import processes_of


async def test_what_lives_and_answers_nothing_is_ended_and_started_again(tmp_path: Path) -> None:
    # a start takes longer than the patience: it comes up all the same
    home, port, said = tmp_path / "home", free_port(), asyncio.Queue[str]()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERROUND_")}
    environment |= {"PAPERROUND_HOME_DIR": str(home), "PAPERROUND_MAIL_URL": f"maildir://{tmp_path / 'outbox'}"}
    url = f"http://127.0.0.1:{port}/healthz"
    async with supervising(tmp_path / "logs", tmp_path) as supervisor:
        await supervisor.start("web", "web", "--port", str(port), environment=environment)
        await supervisor.ready("web app", url)
        supervisor.keep(said.put_nowait)
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_answering(supervisor, "web", url, every=0.2, patience=0.5))
            first = processes_of(home)
            for pid in first:
                os.kill(pid, signal.SIGSTOP)
            async with asyncio.timeout(180):
                reason = await said.get()
                await supervisor.ready("web app", url)
            supervisor.stopping.set()
        assert not {*first} & {*processes_of(home)}
    assert reason.startswith("The web has answered nothing for ")


async def test_a_part_is_started_anew_when_what_it_reads_at_its_start_has_changed(tmp_path: Path) -> None:
    home, port, said = tmp_path / "home", free_port(), asyncio.Queue[str]()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERROUND_")}
    environment |= {"PAPERROUND_HOME_DIR": str(home), "PAPERROUND_MAIL_URL": f"maildir://{tmp_path / 'outbox'}"}
    url, file = f"http://127.0.0.1:{port}/healthz", home / "from_prefect.json"
    async with supervising(tmp_path / "logs", tmp_path) as supervisor:
        await supervisor.start("web", "web", "--port", str(port), environment=environment)
        await supervisor.ready("web app", url)
        supervisor.keep(said.put_nowait)
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_current(supervisor, "web", file, every=0.2))
            first = processes_of(home)
            await asyncio.sleep(1)
            assert said.empty()
            file.write_text("{}")
            async with asyncio.timeout(180):
                reason = await said.get()
                await supervisor.ready("web app", url)
            supervisor.stopping.set()
        assert not {*first} & {*processes_of(home)}
    assert reason == "What is set in Prefect has changed: the web takes it over. It is started again in 1 s."
