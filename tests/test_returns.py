"""The flow `returns`, under a real Prefect server. What it shows is tested in `tests/artifacts/test_reputation.py`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from flows.context import utc_now
from flows.returns import returns
from subscribers.model import SubscriptionState
from subscribers.tokens import Purpose, sign
from tests.prefect_server import Installation, as_planned

KEY = "a key of sixteen letters or more"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def mailbox(installation: Installation, tmp_path: Path) -> Path:
    folder = tmp_path / "returns"
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    installation.sets(returns_url=f"maildir://{folder}", secret_key=KEY)
    return folder


async def leaves(installation: Installation, mailbox: Path) -> int:
    """A reader asks by mail to be unsubscribed; their subscription."""
    await installation.subscribes("ada")
    async with installation.context() as context:
        found = await context.subscribers.by_address("ada@example.org", "daily")
    assert found
    token = sign(Purpose.UNSUBSCRIBE, found.id, KEY.encode())
    mail = f"From: ada@example.org\r\nTo: leave@example.org\r\nSubject: unsubscribe {token}\r\n\r\n\r\n"
    (mailbox / "new" / "1.m").write_text(mail)
    return found.id


async def test_what_came_is_done_once(installation: Installation, mailbox: Path) -> None:
    identity = await leaves(installation, mailbox)
    first: Any = await returns(return_state=True)
    assert (first.type.value, "1 unsubscription" in first.message) == ("COMPLETED", True), first.message
    async with installation.context() as context:
        found = await context.subscribers.get(identity)
    assert found
    assert found.state is SubscriptionState.UNSUBSCRIBED
    again: Any = await returns(return_state=True)
    assert "1 unsubscription" not in again.message


@pytest.mark.parametrize(("ago", "skipped"), [(6 * MINUTE, True), (4 * MINUTE, False)], ids=["late", "in time"])
async def test_of_many_that_were_missed_the_newest_does_the_work(
    installation: Installation, mailbox: Path, ago: dt.timedelta, skipped: bool
) -> None:
    await leaves(installation, mailbox)
    _, words = await as_planned(returns, utc_now() - ago)
    assert words.startswith("skipped: planned for") == skipped
    assert (mailbox / "new" / "1.m").exists() == skipped


async def test_a_mailbox_that_is_not_there_makes_the_run_red(installation: Installation, tmp_path: Path) -> None:
    installation.sets(returns_url=f"maildir://{tmp_path / 'nowhere'}")
    ended: Any = await returns(return_state=True)
    assert ended.type.value == "FAILED"
    assert "nowhere" in ended.message
