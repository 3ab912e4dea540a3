from __future__ import annotations

from pathlib import Path

from tests.commands.calls import Run


def test_the_mailbox_is_read_by_hand(run: Run, home: Path) -> None:
    for part in ("new", "cur"):
        (home / "returns" / part).mkdir(parents=True)
    run("subscribers", "add", "ada@example.org", "-n", "sample")
    (home / "returns/new/1.x").write_bytes(b"Subject: hello\n\n")
    ended = run("returns", RETURNS_URL=f"maildir://{home / 'returns'}")
    assert ended.out == (
        "Returned mail: 1 left unread in the mailbox. Left unread: 1 no report, and nothing that is asked of us.\n"
    )


def test_upkeep_says_how_many_it_forgot(run: Run) -> None:
    assert run("upkeep").out == "Forgotten: 0 unconfirmed sign-ups; 0 wait to be confirmed.\n"
