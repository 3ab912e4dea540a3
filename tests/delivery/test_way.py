"""The way of a message, as the README beside the code tells it: what really runs for each is compared with it."""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType

import pytest

from flows.sending import dkim
from flows.storage.database import Database
from tests.delivery.test_run import SENT, Scene, about_the_mail_server_alone, readers
from tests.sending.smtp import mail_server
from tests.test_tree import ROOT

MOST = 14
FOLDERS = ("flows/delivery", "flows/sending", "flows/mail", "subscribers/ledger")
ONCE = {"flows/delivery/run.py"}
"""Passed once for an edition, and not for each message."""
ASKED = {"flows/sending/slots.py", "flows/sending/dkim.py", "flows/sending/sign_pool.py"}
"""What a hop asks on the way: how many connections there may be, and the signature itself."""
VALUES = {"flows/mail/model.py", "subscribers/ledger/model.py"}
READERS = 200
"""More than what is done once for an edition takes calls."""


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with mail_server() as server:
        yield Scene(database, tmp_path, server)


def told() -> list[str]:
    """The files of the table, in its order."""
    text = (ROOT / "flows/delivery/README.md").read_text(encoding="utf-8")
    section = text.split("## The way of a message\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.rsplit("|", 2)[1] for line in section.splitlines() if re.match(r"\| \d", line)]
    links = [link for row in rows for link in re.findall(r"\]\(([^)]+)\)", row)]
    return [(ROOT / "flows/delivery" / link).resolve().relative_to(ROOT).as_posix() for link in links]


def test_the_way_of_a_message_crosses_few_files_of_four_folders() -> None:
    found = told()
    assert len(set(found)) <= MOST, found
    assert {str(Path(file).parent) for file in found} == set(FOLDERS)


@about_the_mail_server_alone
async def test_it_is_told_as_it_runs(scene: Scene, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(dkim.new_key("ed25519"))
    scene.with_settings(dkim_key=str(key), dkim_selector="s1")
    await scene.begin(*readers(READERS))
    calls: dict[str, Counter[str]] = defaultdict(Counter)

    def called(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and not frame.f_code.co_name.startswith("<"):  # of a generator each step is a call
            calls[frame.f_code.co_filename][frame.f_code.co_name] += 1

    sys.setprofile(called)
    threading.setprofile(called)
    try:
        delivered = await scene.deliver()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        scene.context.signer.close()
    assert delivered.counts == {SENT: READERS}
    ran = {Path(file).relative_to(ROOT): most for file, most in calls.items() if file.startswith(f"{ROOT}/")}
    often = {file for file, counts in ran.items() if max(counts.values()) >= READERS}
    each = {file.as_posix() for file in often if file.parent.as_posix() in FOLDERS}
    assert each - ASKED - VALUES - ONCE == set(told()) - ONCE
