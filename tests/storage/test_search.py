"""What is kept can be found, on both databases alike."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

import flows.storage.database
from flows.editions import maths
from flows.papers.model import Collected, Paper
from flows.storage.archive import Archive
from flows.storage.database import Database, connect, migrate
from flows.storage.editions import Store, edition, edition_paper, sighting
from flows.storage.query import Phrase, Query, parse
from flows.storage.search import PAGE, FoundPapers, Search, Wanted, paper
from tests import factories
from tests.context import NOON
from tests.factories import DAY

LATER = DAY + dt.timedelta(days=1)


async def keep(database: Database, *papers: Paper, day: dt.date = DAY, source: str = "huggingface") -> None:
    await Store(database).keep(Collected(source=source, day=day, papers=papers), NOON)


async def search(database: Database, words: str = "", **wanted: object) -> FoundPapers:
    return await Search(database).find(Wanted(query=parse(words), **wanted))  # type: ignore[arg-type]


async def found(database: Database, words: str = "", **wanted: object) -> list[str]:
    return list((await search(database, words, **wanted)).papers)


ONE = factories.paper(
    1, title="The Quiet Compiler", abstract="It says nothing of GPUs at all.", keywords=("loop tiling",)
)
TWO = factories.paper(
    2, title="Bridges", abstract="A compiler of bridges, and quantised loads.", authors=("Zoë Marsh",)
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("compilers", {1, 2}),
        ("quiet compiler", {1}),
        ('"compiler of bridges"', {2}),
        ('"bridges compiler"', set()),
        ("compiler-of-bridges", {2}),
        ("zoe", {2}),
        ("Zoë MARSH", {2}),
        ("gpu", {1}),
        ("quanti*", {2}),
        ("quantized", {2}),
        ("quant", set()),
        ("load*", {2}),
        ('"loop tiling"', {1}),
        ("2606.00002", {2}),
        ('"compiler it"', set()),
        ("nothing bridges", set()),
    ],
)
async def test_words_phrases_and_beginnings_find_papers(database: Database, words: str, expected: set[int]) -> None:
    await keep(database, ONE, TWO)
    assert set(await found(database, words)) == {f"2606.{n:05d}" for n in expected}


async def test_a_title_counts_more_than_an_abstract_and_of_equals_the_newest_comes_first(database: Database) -> None:
    plain = {"abstract": "Nothing.", "authors": ()}
    await keep(database, *(factories.paper(n, title=f"Map {n}", day=DAY, **plain) for n in (1, 2)))
    await keep(database, factories.paper(3, title="Map 3", day=LATER, **plain), day=LATER)
    await keep(database, factories.paper(4, title="Chart", abstract="A map.", authors=(), day=LATER), day=LATER)
    assert await found(database, "map") == ["2606.00003", "2606.00002", "2606.00001", "2606.00004"]


async def test_topics_and_days_narrow_the_search_and_alone_list_the_newest(database: Database) -> None:
    await keep(database, *factories.papers(6))
    await keep(database, factories.paper(9, day=LATER), day=LATER)
    await Store(database).freeze(factories.edition(factories.papers(6)), b"", NOON)
    agents = ["2606.00006", "2606.00001"]
    assert await found(database, topic="agents") == agents
    assert await found(database, "islands", topic="agents") == agents
    assert await found(database, "microphone", topic="agents") == []
    assert await found(database, "islands", first=LATER) == ["2606.00009"]
    assert len(await found(database, "islands", last=DAY)) == 6
    assert await found(database, first=LATER, last=LATER) == ["2606.00009"]
    assert (await search(database, "islands", topic="agents")).papers["2606.00001"] == "agents"  # type: ignore[index]


async def test_what_is_found_is_shown_in_pages(database: Database) -> None:
    await keep(database, *factories.papers(PAGE + 3))
    first, second, third = [await search(database, "islands", page=page) for page in (1, 2, 3)]
    assert (len(first.papers), len(second.papers), len(third.papers)) == (PAGE, 3, 0)
    assert not set(first.papers) & set(second.papers)
    assert (first.total, first.pages, third.total) == (PAGE + 3, 2, PAGE + 3)


async def test_a_draft_gives_topics_too_and_the_edition_composed_last_counts(database: Database) -> None:
    listed = factories.papers(2)
    await keep(database, *listed)
    store = Store(database)
    await store.keep_draft(factories.edition(listed), NOON)
    assert await found(database, topic="code") == ["2606.00002"]
    await store.freeze(factories.edition(list(reversed(listed))), b"", NOON)
    assert await found(database, topic="code") == ["2606.00001"]


async def test_a_paper_is_found_by_what_is_known_of_it_now_and_by_all_its_sources(database: Database) -> None:
    short = replace(ONE, abstract="Short.")
    await keep(database, short)
    await keep(database, replace(short, title="The Loud Compiler"))
    assert (await found(database, "quiet"), await found(database, "loud")) == ([], [ONE.id])
    await keep(database, replace(ONE, sources=("arxiv",)), source="arxiv")
    assert await found(database, "gpu") == [ONE.id]
    # what another source says in fewer words takes nothing away
    await keep(database, replace(short, title="The Soft Compiler"))
    assert await found(database, "gpu") == [ONE.id]
    assert (await search(database)).total == 1


async def test_hostile_papers_are_kept_and_found(database: Database) -> None:
    hostile = factories.paper(
        1,
        title="nul\0 'quote' \"double\" \\ back' & | ! <-> :* NEAR( \ud7ff \U0001e922",
        abstract="again " * 1000 + "word" * 5000,
        authors=("O'Brien", "x" * 5000),
        keywords=("",) * 3,
    )
    await keep(database, hostile)
    for words in ("quote", "back", "near", "again", "o'brien", "x" * 5000, "\U0001e922 quote"):
        assert await found(database, words) in ([hostile.id], []), words
    assert await found(database, "quote double back again o'brien") == [hostile.id]


hostile_text = st.text(st.sampled_from("ab\"*'\\:&|!<>()^-+{}~@#%;, \0é²張\U0001e922") | st.characters(), max_size=60)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile_text)
async def test_no_query_is_an_error(database: Database, typed: str) -> None:
    await search(database, typed)


def encodable(text: str) -> bool:
    """No source gives a lone surrogate: they are taken out where an answer is read."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(hostile_text.filter(encodable), min_size=1, max_size=3), st.data())
async def test_every_paper_is_found_by_every_word_of_its_title(
    database: Database, titles: list[str], data: st.DataObject
) -> None:
    papers = [replace(ONE, id=factories.paper(n).id, title=title) for n, title in enumerate(titles)]
    await keep(database, *papers)
    chosen = data.draw(st.sampled_from(papers))
    # as it is read: `cdot` is the sign
    title = maths.text(chosen.title)
    for word in title.split():
        # SQLite knows the scripts of Unicode 6.1 only
        if word.isascii() and word.isalnum() and title.isascii():
            assert chosen.id in await found(database, f'"{word}"', first=DAY), word


async def test_what_was_kept_before_there_was_a_search_becomes_findable(tmp_path: Path) -> None:
    """A database of the version before is migrated: its papers wait to be indexed, its editions' topics are known."""
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}")

    def to_the_version_before(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(flows.storage.database.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")

    listed = factories.papers(3)
    made = factories.edition(listed)
    async with database.write() as connection:
        await connection.run_sync(to_the_version_before)
        from pydantic import TypeAdapter

        for one in listed:
            document = TypeAdapter(Paper).dump_json(one).decode()
            values = {"day": DAY, "source": "huggingface", "paper_id": one.id, "document": document, "seen_at": NOON}
            await connection.execute(sa.insert(sighting).values(values))
        document = TypeAdapter(type(made)).dump_json(made).decode()
        values = {"id": 1, "newsletter": "daily", "kind": "daily", "day": DAY, "state": "frozen", "number": 1}
        values |= {"document": document, "reason": "", "cards": b"", "changed_at": NOON}
        await connection.execute(sa.insert(edition).values(values))
        for one in listed:
            statement = sa.text("INSERT INTO edition_paper (edition_id, paper_id) VALUES (1, :id)")
            await connection.execute(statement, {"id": one.id})
    await migrate(database)
    assert await found(database, "islands") == []
    async with database.read() as connection:
        assert len((await connection.execute(sa.select(paper).where(~paper.c.indexed))).all()) == 3
        topics = (await connection.scalars(sa.select(edition_paper.c.topic).order_by(edition_paper.c.paper_id))).all()
    assert topics == ["agents", "code", "video"]
    for _ in range(2):
        await Store(database).complete_index()
        assert len(await found(database, "islands")) == 3
    assert await found(database, "islands", topic="code") == ["2606.00002"]
    assert [issue.topic for issue in await Archive(database).holding(listed[1].id)] == ["code"]
    await database.close()


ONE_MORE = factories.paper(9, abstract="Bridges and neural nets.")


HYPHEN = "\u00ad"


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        ("Poincaré", "Poincare\u0301"),
        ("Poincare\u0301", "poincaré"),
        ("A\u030angstro\u0308m", "ångström"),
        ("Ångström", "Angstrom"),
        (f"trans{HYPHEN}former", "transformer"),
        ("transformer", f"trans{HYPHEN}form\u200ber"),
        ("ＴＲＡＮＳＦＯＲＭＥＲＳ", "transformer"),
        ("transformer", "Ｔｒａｎｓｆｏｒｍｅｒ"),
        ("Łukasz Sørensen", "lukasz sorensen"),
        ("O’Brien", "OʼBrien"),
        ("パターン", "ハ\u309aターン"),
        ("機械学習 犬", "犬，機械学習"),
        ("Й", "И\u0306"),
        ("quantizer", "quant＊"),
    ],
)
async def test_names_and_words_are_found_in_every_form_that_unicode_has(
    database: Database, kept: str, typed: str
) -> None:
    await keep(database, factories.paper(1, title=kept), factories.paper(2, title="Bridges", authors=(kept,)), ONE_MORE)
    assert set(await found(database, typed)) == {"2606.00001", "2606.00002"}


async def meant(database: Database, typed: str, **wanted: object) -> str:
    asked = Wanted(query=parse(typed), **wanted)  # type: ignore[arg-type]
    pieces = await Search(database).meant(typed, asked, (await Search(database).find(asked)).total)
    return "".join(f"*{piece.text}*" if piece.found else piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("difusion", "*diffusion*"),
        ("diffusoin", "*diffusion*"),
        ("idffusion", "*diffusion*"),
        ("Diffusiom maps", "*Diffusion* maps"),
        ('"latent difusion"', '"latent *diffusion*"'),
        ("difusion latnt", "*diffusion* *latent*"),
        ("difusions", "*diffusion*"),
        ("Zoe Mrash", "Zoe *Marsh*"),
        ("diffusion", ""),
        ("dif", ""),
        ("difusion*", ""),
        ("difusion xyzzyq", ""),
        ("", ""),
        ("12345678", ""),
    ],
)
async def test_a_misspelt_word_is_told_by_the_words_that_papers_hold(
    database: Database, typed: str, expected: str
) -> None:
    listed = [factories.paper(n, title=f"Latent Diffusion Maps {n}", authors=("Zoë Marsh",)) for n in range(1, 12)]
    await keep(database, *listed)
    assert await meant(database, typed) == expected


async def test_a_slip_that_stands_in_a_paper_is_told_too_and_of_two_words_the_usual_one(database: Database) -> None:
    listed = [factories.paper(n, title="Diffusion") for n in range(1, 12)]
    listed += [factories.paper(20, title="Difusion"), *(factories.paper(n, title="Infusion") for n in (21, 22))]
    await keep(database, *listed)
    assert await meant(database, "difusion") == "*diffusion*"
    # 11 papers are not ten times 2
    assert await meant(database, "infusion") == ""
    # nothing else would be found by it
    assert await meant(database, "difusion", first=LATER) == ""


async def test_however_much_is_typed_the_index_is_asked_a_bounded_number_of_times(database: Database) -> None:
    await keep(database, *(factories.paper(n, title=f"aaaa{chr(96 + n)}bcd") for n in range(1, 20)))
    asked = 0

    def count(*_: object) -> None:
        nonlocal asked
        asked += 1

    sa.event.listen(database.engine.sync_engine, "before_cursor_execute", count)
    await meant(database, " ".join(f"aaaa{letter}bce" for letter in "abcdefghijklmnopqrstuvwxyz" * 3))
    assert asked <= 4 * (1 + 2 + 6) + 8


async def test_what_is_of_late_comes_newest_first_and_is_bounded(database: Database) -> None:
    await keep(database, *factories.papers(3))
    await keep(database, factories.paper(4, day=LATER), day=LATER)
    search = Search(database)
    assert await search.of_late([parse("islands"), parse("nowhere")], DAY, 2) == [["2606.00004", "2606.00003"], []]
    assert await search.of_late([parse("islands")], LATER, 9) == [["2606.00004"]]
    assert (await search.listed(DAY), await search.listed(LATER)) == (4, 1)


async def test_a_name_is_found_among_the_authors_alone(database: Database) -> None:
    await keep(database, ONE, TWO, factories.paper(3, title="A Marsh", abstract="Of marshes.", authors=("Ada Brook",)))
    named = Query(((Phrase(("marsh",), named=True),),))
    assert set((await Search(database).find(Wanted(query=named))).papers) == {TWO.id}
    either = Query(((Phrase(("marsh",), named=True), Phrase(("loop", "tiling"))),))
    assert set((await Search(database).find(Wanted(query=either))).papers) == {ONE.id, TWO.id}
