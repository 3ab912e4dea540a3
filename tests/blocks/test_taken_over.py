"""A Prefect server that takes connections and says nothing keeps no mail waiting: what it said last counts."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.blocks.taken_over import take_over
from flows.by_hand.pause_all import pauses_all
from flows.config import from_prefect


@pytest.fixture
def silent() -> Iterator[None]:
    server = socket.create_server(("127.0.0.1", 0))
    with server, temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{server.getsockname()[1]}/api"}):
        yield


async def test_what_was_read_last_counts_and_that_is_said(
    silent: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERROUND_HOME_DIR", str(tmp_path))
    from_prefect.keep(tmp_path, {"mail_url": "smtp://of.prefect"})
    said: list[str] = []
    begun = time.monotonic()
    settings = await take_over(said.append, patience=0.5)
    assert time.monotonic() - begun < 20
    assert settings.mail_url.get_secret_value() == "smtp://of.prefect"
    assert said == ["Prefect was not asked for the mail server (TimeoutError): what it said last counts."]


async def test_nothing_is_paused_by_silence(silent: None) -> None:
    begun = time.monotonic()
    assert not await pauses_all(patience=0.5)
    assert time.monotonic() - begun < 20
