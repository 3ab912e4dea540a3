"""Collect, compose and freeze against a real HTTP server and both databases."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import pipeline
from flows.context import Context
from flows.editions.model import Edition, Kind, NoEdition
from flows.outcomes import Problem
from flows.storage.database import Database
from flows.storage.editions import Frozen
from tests.context import context_of
from tests.papers.server import Reply, Server, running
from tests.papers.shapes import listed

TUESDAY = dt.date(2026, 6, 9)
ALL_KNOWN = Reply(b'<feed xmlns="http://www.w3.org/2005/Atom"></feed>')


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as found:
        yield found


@pytest.fixture
def context(database: Database, tmp_path: Path, server: Server) -> Context:
    return context_of(
        database,
        tmp_path,
        huggingface_url=server.url,
        arxiv_url=f"{server.url}/api/query",
        arxiv_rss_url=f"{server.url}/rss",
    )


def silent(sentence: str) -> None:
    pass


def lists(server: Server, day: dt.date, *entries: dict[str, Any]) -> None:
    """Hugging Face lists these for a day, and arXiv knows nothing more of them."""
    path = f"/api/daily_papers?date={day}&limit=100"
    server.says(f"{path}&p=0", Reply(json.dumps(entries).encode()))
    server.says(f"{path}&p=1", Reply(b"[]"))
    ids = ",".join(str(entry["paper"].get("id")) for entry in entries)
    server.says(f"/api/query?id_list={ids}&start=0&max_results={len(entries)}", ALL_KNOWN)


async def collect(context: Context, day: dt.date, newsletter: str = "daily") -> None:
    await pipeline.collect(context, context.newsletter(newsletter), Kind.DAILY, day, silent)


async def compose(context: Context, day: dt.date) -> Edition:
    composed = await pipeline.compose(context, context.newsletter("daily"), Kind.DAILY, day)
    assert isinstance(composed, Edition), composed
    return composed


async def freeze(context: Context, day: dt.date) -> Frozen:
    frozen = await pipeline.freeze(context, context.newsletter("daily"), Kind.DAILY, day)
    assert isinstance(frozen, Frozen), frozen
    return frozen


def ids(edition: Edition) -> set[str]:
    return {entry.paper.id for entry in edition.entries}


async def test_the_first_edition_takes_its_own_day_alone(context: Context, server: Server) -> None:
    lists(server, TUESDAY - dt.timedelta(days=1), listed(1))
    lists(server, TUESDAY, listed(2))
    await collect(context, TUESDAY - dt.timedelta(days=1))
    await collect(context, TUESDAY)
    assert ids(await compose(context, TUESDAY)) == {"2606.00002"}


async def test_what_came_to_the_last_editions_day_later_stands_in_the_next_and_nothing_twice(
    context: Context, server: Server
) -> None:
    lists(server, TUESDAY, listed(1))
    await collect(context, TUESDAY)
    await freeze(context, TUESDAY)
    wednesday = TUESDAY + dt.timedelta(days=1)
    lists(server, TUESDAY, listed(1), listed(2))
    lists(server, wednesday, listed(1), listed(3))
    await collect(context, wednesday)
    assert ids(await compose(context, wednesday)) == {"2606.00002", "2606.00003"}


async def test_what_rose_since_it_was_shown_is_shown_once_more_with_the_votes_that_it_gained(
    context: Context, server: Server
) -> None:
    wednesday, thursday = (TUESDAY + dt.timedelta(days=days) for days in (1, 2))
    lists(server, TUESDAY, listed(1, upvotes=2), listed(2, upvotes=10))
    await collect(context, TUESDAY)
    await freeze(context, TUESDAY)
    lists(server, TUESDAY, listed(1, upvotes=42), listed(2, upvotes=19))
    lists(server, wednesday, listed(3, upvotes=5))
    await collect(context, wednesday)
    frozen = (await freeze(context, wednesday)).edition
    assert {entry.paper.id: (entry.rose, entry.paper.upvotes) for entry in frozen.entries} == {
        "2606.00001": (40, 42),
        "2606.00003": (0, 5),
    }
    lists(server, wednesday, listed(1, upvotes=420), listed(3, upvotes=6))
    lists(server, thursday, listed(4))
    await collect(context, thursday)
    assert ids(await compose(context, thursday)) == {"2606.00004"}


async def test_a_shown_paper_does_not_come_again_under_another_id(context: Context, server: Server) -> None:
    text = " ".join(f"Lamp {n} of coast {n} was lit in {1900 + n}." for n in range(12))
    lists(server, TUESDAY, listed(1, title="Lamps", summary=text))
    await collect(context, TUESDAY)
    await freeze(context, TUESDAY)
    wednesday = TUESDAY + dt.timedelta(days=1)
    lists(server, wednesday, listed(2, title="Lamps, Revised", summary=f"{text} All is told again.", upvotes=90))
    await collect(context, wednesday)
    none = await pipeline.compose(context, context.newsletter("daily"), Kind.DAILY, wednesday)
    assert isinstance(none, NoEdition)
    assert none.reason == "Every paper of this day has stood in an earlier edition."


async def test_an_edition_reaches_back_three_days_at_most(context: Context, server: Server) -> None:
    lists(server, TUESDAY, listed(1))
    await collect(context, TUESDAY)
    await freeze(context, TUESDAY)
    next_week = TUESDAY + dt.timedelta(days=7)
    for age in range(4, -1, -1):
        day = next_week - dt.timedelta(days=age)
        lists(server, day, listed(10 + age))
    await collect(context, next_week)
    assert ids(await compose(context, next_week)) == {f"2606.0001{age}" for age in range(4)}


async def test_a_later_edition_does_not_change_an_earlier_one(context: Context, server: Server) -> None:
    """Days may be composed in any order: a paper of two days stands in the earlier day's edition all the same."""
    wednesday = TUESDAY + dt.timedelta(days=1)
    lists(server, wednesday, listed(1), listed(2))
    await collect(context, wednesday)
    await freeze(context, wednesday)
    lists(server, TUESDAY, listed(1))
    await collect(context, TUESDAY)
    assert ids(await compose(context, TUESDAY)) == {"2606.00001"}


async def test_a_frozen_edition_is_the_same_whatever_is_collected_afterwards(context: Context, server: Server) -> None:
    lists(server, TUESDAY, listed(1))
    await collect(context, TUESDAY)
    first = await freeze(context, TUESDAY)
    lists(server, TUESDAY, listed(1, upvotes=900), listed(2))
    await collect(context, TUESDAY)
    assert await freeze(context, TUESDAY) == first
    assert await compose(context, TUESDAY) == first.edition
    await pipeline.draft(context, context.newsletter("daily"), Kind.DAILY, TUESDAY)
    assert await context.store.find("daily", Kind.DAILY, TUESDAY) == first


async def test_collecting_again_brings_fresher_votes_and_loses_nothing(context: Context, server: Server) -> None:
    lists(server, TUESDAY, listed(1, upvotes=3))
    await collect(context, TUESDAY)
    lists(server, TUESDAY, listed(1, upvotes=30, ai_summary=None), listed(2))
    await collect(context, TUESDAY)
    lists(server, TUESDAY, listed(1, upvotes=30, ai_summary=None))
    await collect(context, TUESDAY)
    papers = {entry.paper.id: entry.paper for entry in (await compose(context, TUESDAY)).entries}
    assert set(papers) == {"2606.00001", "2606.00002"}
    assert papers[next(iter(sorted(papers)))].upvotes == 30
    assert papers[next(iter(sorted(papers)))].ai_summary == "Lamps are counted."


async def test_looking_at_an_edition_stores_none(context: Context, server: Server) -> None:
    lists(server, TUESDAY, listed(1))
    await collect(context, TUESDAY)
    await compose(context, TUESDAY)
    assert await context.store.find("daily", Kind.DAILY, TUESDAY) is None


async def test_nothing_new_is_no_edition_with_a_reason(context: Context, server: Server) -> None:
    sunday = dt.date(2026, 6, 7)
    lists(server, sunday)
    await collect(context, sunday)
    none = await pipeline.freeze(context, context.newsletter("daily"), Kind.DAILY, sunday)
    assert isinstance(none, NoEdition)
    assert none.reason == "Hugging Face lists no papers at weekends."
    assert await context.store.find("daily", Kind.DAILY, sunday) == none


async def test_a_day_that_had_no_edition_gets_one_when_there_is_something(context: Context, server: Server) -> None:
    lists(server, TUESDAY)
    await collect(context, TUESDAY)
    assert isinstance(await pipeline.freeze(context, context.newsletter("daily"), Kind.DAILY, TUESDAY), NoEdition)
    lists(server, TUESDAY, listed(1))
    await collect(context, TUESDAY)
    assert ids((await freeze(context, TUESDAY)).edition) == {"2606.00001"}


async def test_a_source_that_fails_is_the_reason_and_stops_no_other(
    context: Context, server: Server, database: Database
) -> None:
    """Hugging Face is down, arXiv's feed of the day is there: the edition says what is missing."""
    server.says(f"/api/daily_papers?date={TUESDAY}&limit=100&p=0", Reply(b"", 404))
    server.says("/rss/cs.RO", Reply(RSS.encode()))
    server.says("/api/query?id_list=2606.00077&start=0&max_results=1", ALL_KNOWN)
    both = replace(context.newsletter("daily"), sources=("huggingface", "arxiv"), categories=("cs.RO",))
    await pipeline.collect(context, both, Kind.DAILY, TUESDAY, silent)
    edition = await pipeline.compose(context, both, Kind.DAILY, TUESDAY)
    assert isinstance(edition, Edition)
    assert ids(edition) == {"2606.00077"}
    assert edition.missing == (
        "Some of Hugging Face's papers of 9 June 2026 could not be had; they follow in the next edition.",
    )
    alone = await pipeline.compose(context, context.newsletter("daily"), Kind.DAILY, TUESDAY)
    assert isinstance(alone, NoEdition)
    assert "Hugging Face answered 404" in alone.reason


RSS = """<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0">
<channel><title>cs.RO updates on arXiv.org</title><pubDate>Tue, 09 Jun 2026 00:00:00 -0400</pubDate>
<item><title>A Robot That Waters Ferns</title><link>https://arxiv.org/abs/2606.00077</link>
<description>arXiv:2606.00077v1 Announce Type: new
Abstract: We water ferns with a robot arm.</description><category>cs.RO</category>
<arxiv:announce_type>new</arxiv:announce_type><dc:creator>Ada Brook</dc:creator></item></channel></rss>"""

SATURDAY = dt.date(2026, 6, 13)


async def week(context: Context, day: dt.date = SATURDAY) -> Edition | NoEdition:
    daily = context.newsletter("daily")
    await pipeline.collect(context, daily, Kind.WEEKLY, day, silent)
    return await pipeline.compose(context, daily, Kind.WEEKLY, day)


async def test_a_weekly_edition_draws_on_its_seven_days_and_on_nothing_that_a_weekly_one_has_shown(
    context: Context, server: Server
) -> None:
    for age in range(9):
        day = SATURDAY - dt.timedelta(days=age)
        lists(server, day, listed(10 + age, upvotes=10 * age))
    found = await week(context)
    assert isinstance(found, Edition)
    # they are of one topic, and the oldest days are the best
    assert ids(found) == {f"2606.0001{age}" for age in range(2, 7)}

    # what a daily edition has shown stands in the weekly one all the same, what a weekly one has shown does not
    await freeze(context, SATURDAY - dt.timedelta(days=1))
    frozen = await pipeline.freeze(context, context.newsletter("daily"), Kind.WEEKLY, SATURDAY)
    assert isinstance(frozen, Frozen)
    assert (frozen.edition, frozen.edition.number) == (replace(found, number=1), 1)
    following = await week(context, SATURDAY + dt.timedelta(days=2))
    assert isinstance(following, Edition)
    assert ids(following) == {"2606.00010", "2606.00011"}


async def test_a_week_is_collected_again_for_its_votes_as_they_are_now(context: Context, server: Server) -> None:
    lists(server, TUESDAY, listed(1, upvotes=3))
    await collect(context, TUESDAY)
    lists(server, TUESDAY, listed(1, upvotes=300))
    found = await week(context)
    assert isinstance(found, Edition)
    assert [entry.paper.upvotes for entry in found.entries] == [300]


async def test_a_week_that_can_not_be_collected_again_keeps_what_it_had_and_says_so(
    context: Context, server: Server
) -> None:
    lists(server, TUESDAY, listed(1, upvotes=3))
    await collect(context, TUESDAY)
    server.says(f"/api/daily_papers?date={TUESDAY}&limit=100&p=0", Reply(b"", 404))
    found = await week(context)
    assert isinstance(found, Edition)
    assert ids(found) == {"2606.00001"}
    (sentence,) = found.missing
    assert sentence.startswith("Some of Hugging Face's papers or votes of ")
    assert "9 June 2026" in sentence


async def test_a_newsletter_that_looks_back_nowhere_has_a_weekly_edition_of_its_own_day_alone(
    context: Context, server: Server
) -> None:
    first = context.store.first_day
    assert await first(context.newsletter("sample"), Kind.WEEKLY, TUESDAY) == TUESDAY
    assert await first(context.newsletter("daily"), Kind.WEEKLY, TUESDAY) == dt.date(2026, 6, 3)


HOSTILE = [
    listed(
        1,
        title="<script>alert(1)</script> & \"quotes\" 'single' \u202e reversed",
        authors=[{"name": f"Author\r\nBcc: victim{n}@example.org"} for n in range(664)],
        summary=" ".join(["Unbalanced $x^{2 and \\frac{a}{ and more words."] * 450)[:20_000],
    ),
    listed(2, title="🦀 crabs 日本語 עברית كتاب", ai_summary="", summary=None, upvotes=None, authors=None),
    listed(3, title="W" * 175, projectPage="javascript:alert(1)", githubRepo="https://example.org/\r\nX: y"),
    listed(4, **dict.fromkeys(("summary", "authors", "upvotes", "ai_summary", "organization", "publishedAt"), 7)),
    listed(5, **{key: {"a": [None]} for key in ("summary", "authors", "upvotes", "ai_keywords", "githubStars")}),
    {"paper": {"id": "2606.00006", "title": "Only a title"}},
    listed(7, title=None),
    listed(8, title="{{ 7 * 7 }} {% raw %} $\\alpha$"),
    {"paper": None},
    "a string",
    None,
    listed(9, id="../../etc/passwd"),
]


async def test_a_hostile_day_makes_a_correct_mail(context: Context, server: Server) -> None:
    path = f"/api/daily_papers?date={TUESDAY}&limit=100"
    server.says(f"{path}&p=0", Reply(json.dumps(HOSTILE).encode()))
    server.says(f"{path}&p=1", Reply(b"[]"))
    went = await pipeline.collect(context, context.newsletter("daily"), Kind.DAILY, TUESDAY, silent)
    assert len(went[0].papers) == 8
    assert len(went[0].skipped) == 4
    assert all(skipped.reason for skipped in went[0].skipped)
    frozen = await freeze(context, TUESDAY)
    message = made(context, frozen)
    for part in (message["html"], message["text"]):
        assert "Only a title" in part
        assert "alert(1)" in part
        assert "and 661 others" in part.replace("\u00a0", " ")
        assert "7 * 7" in part
        assert "javascript:" not in part
        assert "\\frac" not in part
    assert "<script" not in message["html"]
    assert "\nBcc:" not in message["raw"].split("\r\n\r\n", 1)[0]
    assert message["defects"] == []


def made(context: Context, frozen: Frozen) -> dict[str, Any]:
    import email.policy
    from email.message import EmailMessage

    from flows.delivery.messages import reader_of
    from flows.editions.choose import choose
    from flows.editions.model import Interests
    from flows.mail.assemble import assemble
    from flows.mail.cards import unpack

    reader = reader_of(context, frozen.edition, 1, "reader@example.org")
    raw = assemble(unpack(frozen.cards), choose(frozen.edition, Interests()), reader).content
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    html, text = parsed.get_body(("html",)), parsed.get_body(("plain",))
    assert html is not None
    assert text is not None
    return {
        "raw": raw.decode(),
        "html": html.get_content(),
        "text": text.get_content(),
        "defects": [*parsed.defects, *html.defects, *text.defects],
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [*listed()["paper"], "submittedOnDailyBy"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), json_values), min_size=1, max_size=4))
def test_whatever_a_source_says_the_rest_of_the_day_comes_out(
    context: Context, server: Server, entries: list[dict[str, Any]]
) -> None:
    """Any value in any field: the one good paper of the day is in the mail."""
    import asyncio

    async def day() -> None:
        path = f"/api/daily_papers?date={TUESDAY}&limit=100"
        hostile = [listed(n + 2, **changes) for n, changes in enumerate(entries)]
        body = json.dumps([*hostile, listed(1, title="The good one")]).encode()
        server.says(f"{path}&p=0", Reply(body))
        server.says(f"{path}&p=1", Reply(b"[]"))
        await collect(context, TUESDAY)
        edition = await compose(context, TUESDAY)
        cards = await pipeline.cards_of(context, edition, context.newsletter("daily"))
        assert "2606.00001" in cards.papers
        await context.database.engine.dispose()

    asyncio.run(day())


async def test_an_operators_template_may_extend_the_shipped_one_of_the_same_name(
    context: Context, server: Server, tmp_path: Path
) -> None:
    own = tmp_path / "templates" / "email" / "digest" / "classic"
    own.mkdir(parents=True)
    (own / "digest.html").write_text(
        '{% extends "shipped/email/digest/classic/digest.html" %}{% block masthead %}<h1>Ours</h1>{% endblock %}'
    )
    lists(server, TUESDAY, listed(1))
    await collect(context, TUESDAY)
    ours = replace(context, settings=context.settings.model_copy(update={"templates_dir": tmp_path / "templates"}))
    assert "<h1" in made(ours, await freeze(ours, TUESDAY))["html"]
    assert "Ours</h1>" in made(ours, await freeze(ours, TUESDAY))["html"]


async def test_a_template_that_is_wrong_is_a_problem_in_words(context: Context, server: Server, tmp_path: Path) -> None:
    own = tmp_path / "templates" / "email" / "digest" / "classic"
    own.mkdir(parents=True)
    (own / "digest.html").write_text("{% if %}")
    lists(server, TUESDAY, listed(1))
    await collect(context, TUESDAY)
    ours = replace(context, settings=context.settings.model_copy(update={"templates_dir": tmp_path / "templates"}))
    with pytest.raises(Problem, match=r"digest\.html, line 1"):
        await freeze(ours, TUESDAY)
    assert await ours.store.find("daily", Kind.DAILY, TUESDAY) is None


async def test_newsletters_that_follow_other_categories_do_not_get_each_others_papers(
    context: Context, server: Server
) -> None:
    server.says("/rss/cs.RO", Reply(RSS.encode()))
    server.says("/rss/math.AG", Reply(RSS.replace("cs.RO", "math.AG").replace("00077", "00078").encode()))
    for number in ("77", "78"):
        server.says(f"/api/query?id_list=2606.000{number}&start=0&max_results=1", ALL_KNOWN)
    for category, expected in (("cs.RO", "2606.00077"), ("math.AG", "2606.00078"), ("cs.RO", "2606.00077")):
        one = replace(context.newsletter("daily"), sources=("arxiv",), categories=(category,))
        await pipeline.collect(context, one, Kind.DAILY, TUESDAY, silent)
        edition = await pipeline.compose(context, one, Kind.DAILY, TUESDAY)
        assert isinstance(edition, Edition)
        assert ids(edition) == {expected}


async def test_what_came_after_a_draft_was_kept_is_frozen_too(context: Context, server: Server) -> None:
    lists(server, TUESDAY, listed(1))
    await collect(context, TUESDAY)
    await pipeline.draft(context, context.newsletter("daily"), Kind.DAILY, TUESDAY)
    lists(server, TUESDAY, listed(1), listed(2))
    await collect(context, TUESDAY)
    assert ids((await freeze(context, TUESDAY)).edition) == {"2606.00001", "2606.00002"}
