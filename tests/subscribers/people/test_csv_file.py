from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

import pytest
import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from flows.editions.model import EVERY, Interests
from flows.outcomes import Problem
from flows.storage.database import Database
from subscribers.model import Frequency, SubscriptionState
from subscribers.people.csv_file import BadLine, Known, Read, address, read, write
from subscribers.people.store import Change, Subscribers
from subscribers.preferences import Preferences
from subscribers.tables import subscriber
from tests.benchmarks.import_million import rows
from tests.factories import HASHING_KEY

KNOWN = Known(newsletters={"daily", "arxiv"}, topics={"agents", "code", "video"})
NOW = dt.datetime(2026, 6, 9, tzinfo=dt.UTC)


def lines(text: str) -> list[Read]:
    return list(read(io.StringIO(text, newline=""), KNOWN))


def reason(text: str) -> str:
    (line,) = lines(text)
    assert isinstance(line, BadLine)
    return line.reason


def test_a_line_may_name_everything() -> None:
    (line,) = lines(
        "Email,newsletter,topics,keywords,authors,frequency,hour,zone,state,tags,consent_at,consent_source\n"
        "Ada@Example.ORG,arxiv,agents;code,tensor; graph network ,Ada Brook,weekdays,7,Europe/Berlin,confirmed,lab,"
        "2026-01-02T03:04:05+01:00,a form\n"
    )
    assert isinstance(line, Change)
    assert line.email == "Ada@example.org"
    assert line.newsletter == "arxiv"
    assert line.columns == {
        "topics": ("agents", "code"),
        "keywords": ("tensor", "graph network"),
        "authors": ("Ada Brook",),
        "frequency": Frequency.WEEKDAYS,
        "hour": 7,
        "zone": "Europe/Berlin",
        "state": SubscriptionState.CONFIRMED,
        "tags": ("lab",),
        "consent_at": dt.datetime(2026, 1, 2, 2, 4, 5, tzinfo=dt.UTC),
        "consent_source": "a form",
    }


def test_a_missing_column_changes_nothing() -> None:
    (line,) = lines("\ufeffemail\na@example.org\n")
    assert line == Change(email="a@example.org", newsletter="daily", columns={}, line=2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("email\nnobody\n", "email is not an address"),
        ("email\na@example.org\\nBcc: x\n", "email is not an address"),
        (
            "email,topics\na@example.org,agents;knitting\n",
            "topic 'knitting' is not known: use some of agents, code, video",
        ),
        ("email,topics\na@example.org,agents;-video\n", "topics 'agents;-video' has chosen and muted ones (-video)"),
        ("email,topics\na@example.org,-knitting\n", "topic '-knitting' is not known"),
        ("email,topics\na@example.org,*\n", "topic '*' is not known"),
        ("email,keywords\na@example.org," + ";".join(map(str, range(51))), "keywords has 51 values: leave 50 of them"),
        ("email,authors\na@example.org," + "x" * 81, "which is too long: leave 80 letters of it"),
        ("email,newsletter\na@example.org,weekly\n", "newsletter 'weekly' is not known: use one of arxiv, daily"),
        ("email,hour\na@example.org,25\n", "hour '25' should be a whole number from 0 to 23"),
        ("email,hour\na@example.org,²\n", "hour '²' should be"),
        ("email,zone\na@example.org,Mars/Base\n", "zone 'Mars/Base' is not known"),
        ("email,language\na@example.org,German please\n", "language 'German please' is no tag"),
        ("email,zone\na@example.org,../../etc/passwd\n", "zone '../../etc/passwd' is not known"),
        (
            "email,frequency\na@example.org,hourly\n",
            "frequency 'hourly' is not known: use one of daily, weekdays, weekly",
        ),
        ("email,frequency\na@example.org,weekly:someday\n", "frequency 'weekly:someday' has no day of the week: use"),
        ("email,frequency\na@example.org,daily:mon\n", "frequency 'daily:mon' is not known"),
        ("email,state\na@example.org,paused:soon\n", "state 'paused:soon' has no date: write it as paused:2026-07-01"),
        ("email,state\na@example.org,confirmed:2026-07-01\n", "state 'confirmed:2026-07-01' is not known"),
        ("email,topics\na@example.org,ada@example.org\n", "topic '(address)' is not known"),
        ("email,consent_at\na@example.org,0001-01-01T00:00:00+14:00\n", "lies out of all times"),
        ("email,zone\na@example.org," + "x" * 300, "zone 'xxx"),
        ("email,state\na@example.org,__proto__\n", "state '__proto__' is not known"),
        ("email,consent_at\na@example.org,yesterday\n", "consent_at 'yesterday' should be a time such as"),
        ("email,tags\na@example.org,x,y\n", "more fields than the first line"),
        ("email\ngrüße@example.org\n", "letters outside of ASCII before the @"),
    ],
)
def test_a_bad_line_is_left_out_with_the_field_the_value_and_the_remedy(text: str, words: str) -> None:
    assert words in reason(text)


def test_a_bad_line_does_not_keep_the_others_out() -> None:
    found = lines("email\na@example.org\nnobody\n\x00\nb@example.org\n")
    assert [line.email for line in found if isinstance(line, Change)] == ["a@example.org", "b@example.org"]
    assert [line.number for line in found if isinstance(line, BadLine)] == [3, 4]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column email: its first line should name the columns, email among them, or say"),
        ("name\nAda\n", "column 'name' is not known: say --map 'name=' to leave it out"),
        ("email,password\na@example.org,x\n", "column 'password' is not known"),
        ("email,Email\na@example.org,x\n", "column email more than once: leave one of them."),
        ("a@example.org,daily\n", "put a line such as email,newsletter,topics before it."),
        ("x" * 140_000, "first line can't be read ("),
    ],
)
def test_a_header_that_cannot_be_used_is_told_with_the_remedy(text: str, words: str) -> None:
    with pytest.raises(Problem) as told:
        lines(text)
    assert words in str(told.value)
    assert "example.org" not in str(told.value)


def test_the_second_line_of_an_address_names_the_first() -> None:
    found = lines(
        "email,newsletter\nnobody,\na@example.org,\nb@example.org,\nA@Example.ORG,daily\na@example.org,arxiv\n"
    )
    assert [line.line for line in found if isinstance(line, Change)] == [3, 4, 6]
    assert [(line.number, line.reason) for line in found if isinstance(line, BadLine)][1:] == [
        (5, "its address stands in line 3 already")
    ]


def column(name: str, text: str) -> Mapping[str, object]:
    (line,) = lines(f"email,{name}\na@example.org,{text}\n")
    assert isinstance(line, Change), line
    return line.columns


@pytest.mark.parametrize(
    ("name", "text", "columns"),
    [
        ("topics", "code;agents;code", {"topics": ("agents", "code")}),
        ("topics", "-video;-agents", {"topics": ("-agents", "-video")}),
        ("topics", "-*", {"topics": ("-*",)}),
        ("topics", "-*;-agents", {"topics": ("-*",)}),
        ("topics", "", {"topics": ()}),
        ("frequency", "weekly", {"frequency": Frequency.WEEKLY, "weekday": None}),
        ("frequency", "Weekly:Mon", {"frequency": Frequency.WEEKLY, "weekday": 0}),
        ("frequency", "weekdays", {"frequency": Frequency.WEEKDAYS}),
        ("frequency", "", {"frequency": Frequency.DAILY}),
        ("state", "paused", {"state": SubscriptionState.PAUSED, "paused_until": None}),
        (
            "state",
            "paused:2026-07-01",
            {"state": SubscriptionState.PAUSED, "paused_until": dt.date(2026, 7, 1)},
        ),
        ("state", "", {"state": SubscriptionState.CONFIRMED}),
        ("keywords", " a\x1b[31mb ; a\u200bc", {"keywords": ("a [31mb", "ac")}),
        ("consent_at", "", {}),
        ("consent_source", " ", {}),
        ("consent_at", "2026-01-02T03:04:05.678901", {"consent_at": dt.datetime(2026, 1, 2, 3, 4, 5, 678000, dt.UTC)}),
    ],
)
def test_what_a_field_means(name: str, text: str, columns: Mapping[str, object]) -> None:
    assert column(name, text) == columns


@given(
    st.emails(domains=st.sampled_from(["example.org", "Mail.Example.ORG", "xn--bcher-kva.example", "bücher.example"]))
)
def test_an_address_is_what_the_whole_validation_makes_of_it(email: str) -> None:
    try:
        whole = validate_email(email, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        with pytest.raises(ValueError, match="email is not an address"):
            address(email)
    else:
        assert address(email) == (whole.ascii_email or whole.normalized)


@given(st.text())
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for line in lines("email,topics,hour,zone,consent_at\n" + text):
        assert isinstance(line, Change) or (isinstance(line, BadLine) and line.reason)


async def test_what_is_exported_and_imported_and_exported_again_is_the_same_file(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    text = "".join(rows(10_000))
    await bring_in(people, text)
    exported = await export(people)
    assert exported == text.replace(",-", ",'-")  # a muted topic begins as a formula does
    again = await bring_in(people, exported)
    assert again == {"unchanged": 10_000}
    async with database.write() as connection:
        await connection.execute(sa.delete(subscriber))
    assert await bring_in(people, exported) == {"added": 10_000}
    assert await export(people) == exported


async def test_settings_that_readers_made_are_exported_and_come_back(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    await people.keep([Change(email=f"r{n}@example.org", newsletter="daily", columns={}) for n in range(3)], NOW)
    first, second, third = [one.id async for one in people.walk()]
    muted = Interests(
        muted=frozenset({EVERY}),
        keywords=("slow telescope", "a, b"),
        authors=("Ada Brook",),
        leave_out=("fern", "Cleo D"),
        size=7,
    )
    wanted = Preferences(interests=muted, frequency=Frequency.WEEKLY, weekday=6, hour=0, language="de")
    await people.change(first, wanted, NOW)
    await people.pause(second, dt.date(2026, 7, 1), NOW)
    await people.pause(third, dt.date(2026, 7, 1), NOW)
    await people.unsubscribe(third, NOW)
    exported = await export(people)
    assert [line.split(",", 2)[2] for line in exported.splitlines()[1:]] == [
        '\'-*,"slow telescope;a, b",Ada Brook,fern;Cleo D,weekly:sun,0,UTC,de,confirmed,,,',
        ",,,,daily,,UTC,,paused:2026-07-01,,,",
        ",,,,daily,,UTC,,unsubscribed,,,",
    ]
    assert await bring_in(people, exported) == {"unchanged": 3}


async def test_a_new_line_begins_as_its_newsletter_has_it_and_alters_nobody(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    early = {"daily": {"frequency": Frequency.WEEKDAYS, "hour": 6, "zone": "Europe/Berlin"}}
    known = replace(KNOWN, beginnings=early)
    text = "email,hour\na@example.org,\n"  # an empty hour is said: at once
    for lines in (text, "email\na@example.org\nb@example.org\n", "email,zone\nc@example.org,Asia/Tokyo\n"):
        changes = [one for one in read(io.StringIO(lines), known) if isinstance(one, Change)]
        await people.keep(changes, NOW)
    assert [(one.frequency, one.hour, one.zone) async for one in people.walk()] == [
        (Frequency.WEEKDAYS, None, "UTC"),
        (Frequency.WEEKDAYS, 6, "Europe/Berlin"),
        (Frequency.WEEKDAYS, None, "Asia/Tokyo"),
    ]


async def test_what_a_reader_typed_is_no_formula_in_an_export_and_comes_back(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    words = ('=HYPERLINK("https://evil.example")', "+1", "@SUM(A1)", "'=x")
    for number, word in enumerate(words):
        columns = {"keywords": (word,), "authors": (word,), "leave_out": (word,), "tags": (word,)}
        await people.keep([Change(email=f"={number}@example.org", newsletter="daily", columns=columns)], NOW)
    exported = await export(people)
    cells = [cell for row in csv.reader(io.StringIO(exported)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert await bring_in(people, exported) == {"unchanged": len(words)}


async def test_a_thousand_lines_that_change_are_changed_together(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    await bring_in(people, "".join(rows(1000)))
    moved = "".join(rows(1000)).replace("Europe/Berlin", "Asia/Tokyo").replace(",weekly:mon,", ",weekdays,")
    later = NOW + dt.timedelta(days=1)
    assert await bring_in(people, moved, later) == {"changed": 1000}
    assert await export(people) == moved.replace(",-", ",'-")
    found = [one async for one in people.walk()]
    assert {(one.revision, one.changed_at) for one in found} == {(1, later)}
    assert {one.frequency_at for one in found} == {None, later}


async def bring_in(people: Subscribers, text: str, now: dt.datetime = NOW) -> Mapping[str, int]:
    """What became of the lines, none of them a bad one."""
    came: Counter[str] = Counter()
    found = read(io.StringIO(text, newline=""), KNOWN)
    while chunk := list(islice(found, 1000)):
        kept = await people.keep([line for line in chunk if isinstance(line, Change)], now)
        assert not kept.refused
        came.update(added=kept.added, changed=kept.changed, unchanged=kept.unchanged)
        came["bad"] += sum(isinstance(line, BadLine) for line in chunk)
    return {what: number for what, number in came.items() if number}


async def export(people: Subscribers) -> str:
    out = io.StringIO()
    one = write(out)
    async for subscription in people.walk():
        one(subscription)
    return out.getvalue()
