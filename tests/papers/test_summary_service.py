"""Summaries by a model: asked of a real HTTP server, kept by paper, and never in an edition's way. On SQLite and
PostgreSQL."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from pathlib import Path

import pytest

from flows import pipeline
from flows.context import Context
from flows.editions import summary
from flows.editions.model import Edition, Kind
from flows.papers.model import Collected, Paper
from flows.papers.summary_service import CONNECTIONS, PATIENCE, Summariser
from flows.storage.database import Database
from flows.storage.editions import Frozen, Store
from tests import factories
from tests.chat import Chat, chatting, slowly
from tests.context import NOON, context_of

GOOD = "A small model draws its own charts of eleven invented islands, good enough to sail by."
MODEL = "a-model"


def papers(count: int) -> list[Paper]:
    return [factories.paper(n, title=f"Paper {n}") for n in range(1, count + 1)]


def summariser(chat: Chat, **given: float) -> Summariser:
    return Summariser(chat.url, "a-key", MODEL, summary.messages, summary.read, **given)


async def test_each_paper_is_asked_for_once_with_model_key_and_a_bound() -> None:
    with chatting(lambda title: GOOD) as chat:
        found = await summariser(chat).write(papers(20))
    assert found.texts == {one.id: GOOD for one in papers(20)}
    assert found.sentence == "Summaries: 20 written."
    assert sorted(chat.titles) == sorted(one.title for one in papers(20))
    assert {(one["path"], one["key"], one["model"], one["max_tokens"]) for one in chat.asked} == {
        ("/v1/chat/completions", "Bearer a-key", MODEL, 200)
    }


async def test_without_a_key_none_is_sent() -> None:
    with chatting(lambda title: GOOD) as chat:
        await Summariser(f"{chat.url}/chat/completions", "", MODEL, summary.messages, summary.read).write(papers(1))
    assert [(one["path"], one["key"]) for one in chat.asked] == [("/v1/chat/completions", None)]


async def test_a_model_that_knows_the_newer_bound_alone_is_asked_with_that() -> None:
    def answer(title: str) -> str | bytes:
        old = "max_tokens" in chat.asked[-1]
        return b"400 Unsupported parameter: use max_completion_tokens instead." if old else GOOD

    with chatting(answer) as chat:
        found = await summariser(chat).write(papers(1))
    assert list(found.texts.values()) == [GOOD]


async def test_one_failure_costs_one_summary() -> None:
    odd: dict[str, str | int | bytes] = {"Paper 2": 500, "Paper 5": "no", "Paper 7": b"<html>"}
    with chatting(lambda title: odd.get(title, GOOD)) as chat:
        found = await summariser(chat).write(papers(20))
    assert sum(map(bool, found.texts.values())) == 17
    assert found.free == {factories.paper(2).id}
    assert found.sentence == (
        "Summaries: 17 written, 1 failed (an answer that is no chat completion: check PAPERROUND_SUMMARY_URL), "
        "1 failed (the service answered 500), 1 of no use."
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "the service answered 401: check PAPERROUND_SUMMARY_KEY"), (429, "the service answered 429")],
)
async def test_a_service_that_refuses_is_left_alone(status: int, words: str) -> None:
    with chatting(lambda title: status) as chat:
        found = await summariser(chat).write(papers(60))
    assert len(chat.asked) <= PATIENCE + CONNECTIONS
    assert found.texts == {}
    assert len(found.free) == 60
    assert words in found.sentence
    assert f"{60 - len(chat.asked)} left out" in found.sentence


async def test_a_service_that_is_not_there_costs_no_time() -> None:
    with chatting(lambda title: GOOD) as chat:
        pass
    began = time.monotonic()
    found = await summariser(chat).write(papers(60))
    assert time.monotonic() - began < 2
    assert "failed (ConnectError: check PAPERROUND_SUMMARY_URL)" in found.sentence
    assert len(found.free) == 60


async def test_a_service_that_is_silent_is_not_waited_for() -> None:
    with chatting(lambda title: "") as chat:
        began = time.monotonic()
        found = await summariser(chat, timeout=0.3).write(papers(60))
        assert time.monotonic() - began < 2
    assert (
        found.sentence
        == f"Summaries: 0 written, {len(chat.asked)} failed (no answer in time), {60 - len(chat.asked)} left out."
    )
    assert len(found.free) == 60 - len(chat.asked)


async def test_what_came_in_time_is_kept_and_the_rest_left_out() -> None:
    with chatting(lambda title: slowly(0.2, GOOD)) as chat:
        began = time.monotonic()
        found = await summariser(chat, budget=1.0).write(papers(60))
        assert time.monotonic() - began < 2
    assert 0 < len(found.texts) < 60
    assert "failed (not within 1 s)" in found.sentence


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with chatting(lambda title: b"{" * 30_000_000) as chat:
        found = await summariser(chat).write(papers(1))
    assert found.texts == {}


# --- as a part of a round


def at(database: Database, folder: Path, chat: Chat) -> Context:
    return context_of(database, folder, summary_url=chat.url, summary_key="a-key", summary_model=MODEL)


async def collected(context: Context, count: int) -> None:
    """Papers of different texts, the first without a summary of its own."""
    listed = [
        replace(one, abstract=one.abstract.replace(" ", f" {n}x"), ai_summary="Its own." if n else "")
        for n, one in enumerate(papers(count))
    ]
    await context.store.keep(Collected(source="huggingface", day=factories.DAY, papers=tuple(listed)), NOON)


async def summaries(context: Context, said: list[str]) -> set[str]:
    daily = context.newsletter("daily")
    frozen = await pipeline.freeze(context, daily, Kind.DAILY, factories.DAY, said.append)
    assert isinstance(frozen, Frozen)
    return {entry.paper.ai_summary for entry in frozen.edition.entries}


def words_of(title: str) -> str:
    return "It draws 0xits own charts of 0xeleven 0xinvented 0xislands 0xand 0xkeeps 0xcharts."


async def test_a_draft_is_summarised_and_frozen_without_asking_again(database: Database, tmp_path: Path) -> None:
    said: list[str] = []
    with chatting(words_of) as chat:
        context = at(database, tmp_path, chat)
        await collected(context, 4)
        draft = await pipeline.draft(context, context.newsletter("daily"), Kind.DAILY, factories.DAY, said.append)
        assert isinstance(draft, Edition)
        assert await summaries(context, said) == {"Its own.", words_of("")}
    assert chat.titles == ["Paper 1"]
    assert said == ["Summaries: 1 written."]


async def test_looking_at_an_edition_asks_for_nothing(database: Database, tmp_path: Path) -> None:
    with chatting(words_of) as chat:
        context = at(database, tmp_path, chat)
        await collected(context, 4)
        await pipeline.compose(context, context.newsletter("daily"), Kind.DAILY, factories.DAY)
    assert chat.asked == []


async def test_a_service_that_fails_costs_the_edition_nothing(database: Database, tmp_path: Path) -> None:
    said: list[str] = []
    with chatting(lambda title: 500) as chat:
        context = at(database, tmp_path, chat)
        await collected(context, 4)
        assert await summaries(context, said) == {"Its own.", ""}
    assert said == ["Summaries: 0 written, 1 failed (the service answered 500)."]


async def test_none_is_asked_for_unless_a_service_is_set(database: Database, tmp_path: Path) -> None:
    context = context_of(database, tmp_path)
    await collected(context, 2)
    assert context.summariser is None
    assert await summaries(context, []) == {"Its own.", ""}


async def test_a_day_has_its_limit_over_all_processes_and_each_paper_its_turn(database: Database) -> None:
    stores = [Store(database), Store(database)]
    ids = [one.id for one in papers(7)]
    assert await stores[0].reserve_summaries(ids[:4], 6, NOON) == ids[:4]
    assert await stores[1].reserve_summaries(ids, 6, NOON) == ids[4:6]
    assert await stores[1].reserve_summaries(ids, 6, NOON + dt.timedelta(hours=11)) == []
    # one was written, one was of no use, one was given back
    await stores[0].keep_summaries({ids[0]: GOOD, ids[1]: ""}, {ids[2]})
    assert await stores[0].reserve_summaries(ids, 6, NOON) == [ids[2]]
    assert await stores[0].summaries(ids) == {ids[0]: GOOD}
    tomorrow = NOON + dt.timedelta(hours=12)
    assert await stores[0].reserve_summaries(ids[1:], 6, tomorrow) == ids[1:]
    assert await stores[0].reserve_summaries(ids, 0, tomorrow + dt.timedelta(days=1)) == []
    await stores[0].keep_summaries({}, set(ids))
    assert await stores[0].summaries(ids) == {ids[0]: GOOD}
