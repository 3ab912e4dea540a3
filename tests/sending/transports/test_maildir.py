"""Mail into a folder: byte for byte, and what is wrong with the folder in a sentence."""

from __future__ import annotations

import mailbox
from pathlib import Path

import pytest

from flows.outcomes import Verdict
from flows.sending.transports import CantConnect, transport
from tests.sending.transports.test_smtp import message, send


async def test_a_folder_keeps_messages_byte_for_byte(tmp_path: Path) -> None:
    folder = tmp_path / "with space" / "outbox"
    sent = message("good@example.org")
    (outcome,) = await send(f"maildir://{str(folder).replace(' ', '%20')}", sent)
    assert outcome.verdict is Verdict.SENT
    (kept,) = mailbox.Maildir(folder)
    assert kept["Subject"] == "Papers"
    assert next((folder / "new").iterdir()).read_bytes() == sent.content


async def test_an_empty_folder_that_is_there_already_will_do(tmp_path: Path) -> None:
    (outcome,) = await send(f"maildir://{tmp_path}", message("good@example.org"))
    assert outcome.verdict is Verdict.SENT


async def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CantConnect, match="PAPERROUND_MAIL_URL") as told:
        await send(f"maildir://{tmp_path / 'file' / 'outbox'}")
    assert told.value.lasting


async def test_a_folder_that_vanishes_is_nobodys_failed_delivery(tmp_path: Path) -> None:
    connection = await transport(f"maildir://{tmp_path}/outbox")()
    for part in ("tmp", "new", "cur"):
        (tmp_path / "outbox" / part).rmdir()
    outcome = await connection.send(message("good@example.org"))
    assert outcome.verdict is Verdict.UNSENT
