"""`paperround up` as a process: production's own start, and its end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.conftest import free_port
from tests.processes.hostile_folder import environment_of, hostile_folder, unchanged
from tests.running_processes import processes_of

START = 180
"""Seconds that a start may take on a busy machine; on a quiet one it takes a third of a minute."""


def test_it_serves_every_newsletter_refuses_a_second_one_and_leaves_no_process_behind(tmp_path: Path) -> None:
    home, web, prefect = tmp_path / "home", free_port(), free_port()
    elsewhere = hostile_folder(tmp_path / "elsewhere")
    environment = environment_of(elsewhere)
    environment |= {"PAPERROUND_HOME_DIR": str(home), "PAPERROUND_MAIL_URL": f"maildir://{tmp_path / 'outbox'}"}
    environment["PAPERROUND_RETURNS_URL"] = f"maildir://{tmp_path / 'outbox'}"
    command = [sys.executable, "-P", "-m", "flows", "up", "--port", str(web), "--prefect-port", str(prefect)]
    with subprocess.Popen(
        command, cwd=elsewhere, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            wanted = [
                "daily/daily",
                "daily/arxiv",
                "weekly/daily",
                "deliver-due/daily",
                "upkeep/nightly",
                "returns/mailbox",
                "collect/by-hand",
            ]
            deadline = time.monotonic() + START
            while not all(_is_served(prefect, home, name) for name in wanted):
                assert process.poll() is None, process.communicate()[0]
                assert time.monotonic() < deadline
                time.sleep(0.5)
            assert httpx.get(f"http://127.0.0.1:{web}/healthz").text == "ok\n"

            second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert second.returncode == 2
            assert "is up already" in second.stderr
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        said = process.stdout.read()
        assert "`paperround prefect login` prints it" in said
        assert (home / "operator_login").read_text() not in said  # it is no terminal but may be a journal
        assert unchanged(elsewhere)
        assert not processes_of(home)


def _is_served(port: int, home: Path, deployment: str) -> bool:
    try:
        login = (home / "operator_login").read_text().split(":")
        path = f"http://127.0.0.1:{port}/api/deployments/name/{deployment}"
        assert httpx.get(path).status_code == 401
        return httpx.get(path, auth=(login[0], login[1])).status_code == 200
    except (httpx.TransportError, FileNotFoundError):
        return False
