"""What is asked of us in the mailbox is done, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.context import Context
from flows.incoming.handle import read_returns
from flows.storage.database import Database
from subscribers.tokens import Purpose, sign
from tests.benchmarks.returns import measure
from tests.context import NOON, context_of
from tests.incoming.test_mailboxes import BOUNCE, KEY, Folder, left, message, readers, token, url_of


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "returns ü")


@pytest.fixture
def context(database: Database, tmp_path: Path, folder: Folder) -> Context:
    return context_of(database, tmp_path, secret_key=f"{KEY},an older key of theirs", returns_url=url_of(folder.place))


async def test_who_unsubscribes_by_mail_is_unsubscribed_and_nobody_else(context: Context, folder: Folder) -> None:
    ada, ben, _, dov = await readers(context, "ada", "ben", "cleo", "dov")
    folder.put("1.a", message(f"unsubscribe {token(ada)}"))
    folder.put("2.b", message(f"Re: Unsubscribe {token(ben, 'an older key of theirs')}"))
    folder.put("3.c", BOUNCE)
    folder.put("4.d", message(f"unsubscribe {token(dov, 'somebody else, who forges')}"))
    folder.put("5.e", message(f"unsubscribe {sign(Purpose.MANAGE, dov, KEY.encode(), NOON)}"))
    folder.put("6.f", b"\xff\x00")
    done = await read_returns(context)
    assert done.sentence == "Returned mail: 2 unsubscriptions, 4 left unread in the mailbox."
    assert await left(context) == ["ada@example.org", "ben@example.org"]
    assert folder.listed("new") == []
    assert folder.listed("cur") == ["1.a:2,S", "2.b:2,S", "3.c:2,", "4.d:2,", "5.e:2,", "6.f:2,"]
    assert (folder.place / "cur" / "3.c:2,").read_bytes() == BOUNCE
    assert (await read_returns(context)).sentence == "Nothing has come back."


async def test_the_same_message_twice_unsubscribes_once(context: Context, folder: Folder) -> None:
    (ada,) = await readers(context, "ada")
    for name in ("1.a", "2.a"):
        folder.put(name, message(f"unsubscribe {token(ada)}"))
    folder.put("3.nobody", message(f"unsubscribe {token(4_000_000)}"))
    first = await read_returns(context)
    assert (first.unsubscribed, first.left) == (3, 0)
    was = await context.subscribers.get(ada)
    # as after a crash between the unsubscription and the mark
    (folder.place / "cur" / "1.a:2,S").rename(folder.place / "new" / "1.a")
    assert (await read_returns(context)).unsubscribed == 1
    assert await context.subscribers.get(ada) == was


async def test_a_reader_that_is_killed_in_the_middle_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """As `tests.benchmarks.returns` measures with 10,000."""
    found = await measure(400)
    assert 0 < found.marked_before_the_kill < 400
    assert found.rows == 400
