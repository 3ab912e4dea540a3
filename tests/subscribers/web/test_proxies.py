from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from flows.config.settings import Settings
from tests.conftest import free_port


@contextmanager
def serving(folder: Path, trusted: str) -> Iterator[str]:
    """The web process as `paperround up` starts it, with these proxies trusted."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERROUND_")}
    environment |= {
        "PAPERROUND_HOME_DIR": str(folder),
        "PAPERROUND_MAIL_URL": f"maildir://{folder / 'outbox'}",
        "PAPERROUND_TRUSTED_PROXIES": trusted,
    }
    code = f"import asyncio; from flows.processes.serve import serve_web; asyncio.run(serve_web('127.0.0.1', {port}))"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=folder)
    try:
        until = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
                break
            except httpx.TransportError:
                assert time.monotonic() < until
                assert process.poll() is None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)


def asked(site: str, number: int, forwarded: str) -> httpx.Response:
    return httpx.post(
        f"{site}/subscribe",
        data={"address": f"reader{number}@example.org", "newsletter": "daily"},
        headers={"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"},
        trust_env=False,
    )


@pytest.mark.parametrize(
    ("trusted", "believed"), [("127.0.0.0/8", True), ("127.0.0.1,::1", True), ("10.0.0.0/8", False), ("none", False)]
)
def test_a_visitor_is_known_by_what_a_trusted_proxy_says_alone(tmp_path: Path, trusted: str, believed: bool) -> None:
    with serving(tmp_path, trusted) as site:
        answers = [asked(site, number, f"198.51.100.{number}") for number in range(11)]
        assert {answer.status_code for answer in answers[:10]} == {200}
        assert answers[10].status_code == (200 if believed else 429)
        assert ("Strict-Transport-Security" in answers[0].headers) == believed


def test_nobody_is_trusted_where_the_setting_is_none_or_empty() -> None:
    for given in ("", "none", " None "):
        assert Settings(_env_file=None, trusted_proxies=given).proxies == []
    assert Settings(_env_file=None, trusted_proxies="10.0.0.0/8, ::1").proxies == ["10.0.0.0/8", "::1"]
