"""What the command does about an edition before its readers get it, and about one that went wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from flows.commands import approving, subscribers, without_prefect
from flows.config.settings import load_settings
from flows.context import open_context
from flows.editions.decisions import Decisions, EditionDecision, decisions
from flows.editions.model import Kind
from flows.outcomes import Problem
from tests.approval.scene import silent
from tests.commands.calls import DAY, outbox

pytestmark = pytest.mark.usefixtures("home")

LINK = f"\nSee it at http://127.0.0.1:8180/preview/sample/{DAY}"
AS_IT_IS = Decisions()
WORDS = decisions("", "A link was wrong.", (), "")


async def decided(verdict: str = "", reason: str = "", made: Decisions = AS_IT_IS, kind: Kind = Kind.DAILY) -> str:
    return await approving.approve("sample", DAY, verdict, made, reason, kind=kind)


async def deliver() -> str:
    return await without_prefect.deliver("sample", DAY, 0, silent, all_hours=True)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which Ada reads the sample, whose papers are stored, and nothing is frozen."""
    folder = tmp_path_factory.mktemp("stored")

    async def made() -> None:
        await subscribers.add({"email": "ada@example.org", "newsletter": "sample"})
        await without_prefect.preview("sample", DAY, "", folder / "out", silent)

    with pytest.MonkeyPatch.context() as given, ThreadPoolExecutor(1) as thread:
        given.setenv("PAPERROUND_HOME_DIR", str(folder / "home"))
        given.setenv("PAPERROUND_CACHE_DIR", str(folder / "cache"))
        thread.submit(lambda: asyncio.run(made())).result()
    return folder / "home"


@pytest.fixture
def collected(home: Path, stored: Path) -> Path:
    shutil.copytree(stored, home / "home")
    return home


async def asked() -> None:
    """As a delivery asks that wants an approval."""
    async with open_context(load_settings()) as context:
        wanted = replace(context.newsletter("sample"), approval="wait")
        moment = dt.datetime(2026, 6, 9, 9, 30, tzinfo=dt.UTC)
        await context.approvals.ask(
            wanted.slug,
            Kind.DAILY,
            moment.date(),
            otherwise=EditionDecision.HOLD,
            deadline=moment,
            run="",
            now=moment,
        )


async def test_how_an_edition_stands_is_told_at_each_step(collected: Path) -> None:
    first = await decided()
    assert first.startswith(f"The daily edition of {DAY}: nobody was asked about it.")
    assert LINK in first
    await asked()
    assert f"The daily edition of {DAY} waits for you until 2026-06-09 09:30 UTC; then: hold." in await decided()
    assert "is held: nothing leaves until you allow it." in await decided("hold", "the lead is wrong")
    assert f"{DAY}: hold, decided by the operator (the lead is wrong)." in await decided()
    assert not (collected / "outbox").exists()


async def test_what_is_allowed_says_how_it_leaves_and_too_late_is_too_late(collected: Path) -> None:
    at_once = f"or at once by `paperround deliver --newsletter sample --date {DAY}"
    assert f"{at_once}`." in await decided("send", made=decisions("A subject of ours", "", (), ""))
    assert f"{at_once} --weekly`." in await decided("send", kind=Kind.WEEKLY)
    with pytest.raises(Problem, match=f"Paperround sample has no delivered daily edition of {DAY}: nobody has to be"):
        await approving.who_got("sample", DAY, kind=Kind.DAILY)
    await deliver()
    (mail,) = outbox(collected)
    assert mail["Subject"] == "A subject of ours"
    assert await decided() == f"The daily edition of {DAY} is being delivered or was: see `paperround deliveries`."
    late = await decided("send")
    assert late.startswith("Too late: ")
    assert "at once" not in late


async def test_a_test_goes_to_the_operator_alone_and_needs_their_address(
    collected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Problem, match="PAPERROUND_OPERATOR_ADDRESS"):
        await approving.test("sample", DAY, silent, kind=Kind.DAILY)
    monkeypatch.setenv("PAPERROUND_OPERATOR_ADDRESS", "editor@example.org")
    await approving.test("sample", DAY, silent, kind=Kind.DAILY)
    (mail,) = outbox(collected)
    assert mail["To"] == "editor@example.org"
    assert mail["Subject"].startswith("[Test] ")


async def test_a_correction_that_no_server_takes_says_how_it_goes_on_and_does(
    collected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deliver()
    await subscribers.add({"email": "late@example.org", "newsletter": "sample"})
    counted = await approving.who_got("sample", DAY, kind=Kind.DAILY)
    assert counted == "1 reader would get a correction; nothing was sent."
    with monkeypatch.context() as away:
        away.setenv("PAPERROUND_MAIL_URL", "smtp://127.0.0.1:9")
        away.setenv("PAPERROUND_MAIL_WAIT", "0")
        with pytest.raises(Problem, match=r"1 pending.* Nobody was lost: say the same again when it is mended"):
            await approving.correct("sample", DAY, WORDS, silent, whole=False, kind=Kind.DAILY)
    said = await approving.correct("sample", DAY, WORDS, silent, whole=False, kind=Kind.DAILY)
    assert said.startswith("Deliveries: 1 sent")
    first, second = sorted((mail["Subject"], mail["To"]) for mail in outbox(collected))
    assert first[0].startswith("Ask Before You Book")
    assert second == ("Correction: Paperround sample, 9 June", "ada@example.org")
