"""`paperround up` as a process: production's own start, and its end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.conftest import free_port
from tests.processes.hostile_folder import PASSWORD, environment_of, hostile_folder, unchanged
from tests.running_processes import processes_of

READER = "ada.brook@example.org"
START = 180
"""Seconds that a start may take on a busy machine; on a quiet one it takes a third of a minute."""


def test_it_serves_every_newsletter_refuses_a_second_one_and_leaves_no_process_behind(tmp_path: Path) -> None:
    home, web, prefect = tmp_path / "home", free_port(), free_port()
    elsewhere = hostile_folder(tmp_path / "elsewhere")
    environment = environment_of(elsewhere)
    mail = free_port()
    environment |= {"PAPERROUND_HOME_DIR": str(home), "PAPERROUND_MAIL_URL": f"smtp://ada:{PASSWORD}@127.0.0.1:{mail}"}
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
                "collect/daily",
            ]
            deadline = time.monotonic() + START
            while not all(_is_served(prefect, home, name) for name in wanted):
                assert process.poll() is None, process.communicate()[0]
                assert time.monotonic() < deadline
                time.sleep(0.5)
            assert httpx.get(f"http://127.0.0.1:{web}/healthz").text == "ok\n"

            add = [*command[:4], "subscribers", "add", READER, "-n", "sample"]
            subprocess.run(add, env=environment, check=True)
            with _closed_to_us(mail):
                _deliver_in_vain(prefect, home)

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
    kept = [file for part in ("logs", "prefect") for file in (home / part).rglob("*") if file.is_file()]
    assert {"prefect.db", "runner.log"} <= {file.name for file in kept}
    keys = [(home / name).read_text() for name in ("operator_login", "secret_key", "suppression_key")]
    for canary in (*keys, PASSWORD, READER, "/unsubscribe/", "/manage/"):
        assert [file.name for file in kept if canary.encode() in file.read_bytes()] == [], canary


@contextmanager
def _closed_to_us(port: int) -> Iterator[None]:
    """A mail server that knows nobody's password."""
    refusing = Controller(
        object(),
        hostname="127.0.0.1",
        port=port,
        auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=False, handled=False),
    )
    refusing.start()
    try:
        yield
    finally:
        refusing.stop()


def _deliver_in_vain(port: int, home: Path) -> None:
    """A run that ends with what the mail server says of our login."""
    api = f"http://127.0.0.1:{port}/api"
    user, _, password = (home / "operator_login").read_text().partition(":")
    with httpx.Client(auth=(user, password), timeout=30) as client:
        found = _asked(client, "GET", f"{api}/deployments/name/daily/sample")
        order = {"order": {"newsletter": "sample", "date": "2026-06-09", "dry_run": False}}
        body = {"parameters": order, "idempotency_key": "in vain"}
        run = _asked(client, "POST", f"{api}/deployments/{found['id']}/create_flow_run", body)
        deadline = time.monotonic() + START
        while run["state"]["type"] not in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            assert time.monotonic() < deadline, run["state"]
            time.sleep(0.5)
            run = _asked(client, "GET", f"{api}/flow_runs/{run['id']}")
        lines: list[str] = []
        # they reach the server some seconds after the run's end
        while not any("mail server" in line for line in lines) and time.monotonic() < deadline:
            time.sleep(0.5)
            wanted = {"logs": {"flow_run_id": {"any_": [run["id"]]}}}
            lines = [line["message"] for line in _asked(client, "POST", f"{api}/logs/filter", wanted)]
    assert run["state"]["type"] == "FAILED"
    assert "mail server" in run["state"]["message"], run["state"]
    assert any("mail server" in line for line in lines)
    assert not [line for line in lines if "Traceback" in line]


def _asked(client: httpx.Client, method: str, url: str, body: object = None) -> Any:
    """As Prefect's own clients ask: again, where the server is busy (on SQLite it answers 503 then, or late)."""
    for last in (*[False] * 19, True):
        try:
            answer = client.request(method, url, json=body)
        except httpx.TransportError:
            if last:
                raise
        else:
            if answer.status_code < 500 and answer.status_code != 429:
                break
        time.sleep(1)
    assert answer.is_success, (answer.status_code, answer.text)
    return answer.json()


def _is_served(port: int, home: Path, deployment: str) -> bool:
    try:
        login = (home / "operator_login").read_text().split(":")
        path = f"http://127.0.0.1:{port}/api/deployments/name/{deployment}"
        assert httpx.get(path).status_code == 401
        return httpx.get(path, auth=(login[0], login[1])).status_code == 200
    except (httpx.TransportError, FileNotFoundError):
        return False
