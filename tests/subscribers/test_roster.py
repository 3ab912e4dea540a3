from __future__ import annotations

import datetime as dt
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.database import Database
from flows.outcomes import Problem
from subscribers.model import Frequency, SubscriptionState
from subscribers.roster import COLUMNS, BadLine, Known, read, write
from subscribers.store import Change, Subscribers
from tests.factories import HASHING_KEY

KNOWN = Known(newsletters={"daily", "arxiv"}, topics={"agents", "code", "video"})
NOW = dt.datetime(2026, 6, 9, tzinfo=dt.UTC)


def lines(text: str) -> list[Change | BadLine]:
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
    assert line == Change(email="a@example.org", newsletter="daily", columns={})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("email\nnobody\n", "email is not an address"),
        ("email\na@example.org\\nBcc: x\n", "email is not an address"),
        (
            "email,topics\na@example.org,agents;knitting\n",
            "topic 'knitting' is not known: use one of agents, code, video",
        ),
        ("email,newsletter\na@example.org,weekly\n", "newsletter 'weekly' is not known: use one of arxiv, daily"),
        ("email,hour\na@example.org,25\n", "hour '25' should be a whole number from 0 to 23"),
        ("email,hour\na@example.org,²\n", "hour '²' should be"),
        ("email,zone\na@example.org,Mars/Base\n", "zone 'Mars/Base' is not known"),
        ("email,zone\na@example.org,../../etc/passwd\n", "zone '../../etc/passwd' is not known"),
        (
            "email,frequency\na@example.org,hourly\n",
            "frequency 'hourly' is not known: use one of daily, weekdays, weekly",
        ),
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


@pytest.mark.parametrize("text", ["", "name\nAda\n", "email,password\na@example.org,x\n"])
def test_a_header_that_cannot_be_used_is_a_problem(text: str) -> None:
    with pytest.raises(Problem, match="column"):
        lines(text)


@given(st.text())
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for line in lines("email,topics,hour,zone,consent_at\n" + text):
        assert isinstance(line, Change) or line.reason


async def test_what_is_exported_and_imported_is_the_same_file(database: Database) -> None:
    people = Subscribers(database, HASHING_KEY)
    text = io.StringIO()
    text.write(",".join(COLUMNS) + "\n")
    for n in range(30):
        text.write(
            f'r{n}@example.org,daily,{"agents;code" if n % 2 else ""},"a ""b"", c;d",,'
            f"{'weekly' if n % 3 else 'daily'},{n % 24 if n % 4 else ''},Europe/Berlin,"
            f"{'unsubscribed' if n % 5 else 'confirmed'},x;y,2026-01-02T03:04:05+00:00,form\n"
        )
    first = [line for line in lines(text.getvalue()) if isinstance(line, Change)]
    assert (await people.keep(first, NOW)).added == 30
    exported = await export(people)
    again = await people.keep([line for line in lines(exported) if isinstance(line, Change)], NOW)
    assert (again.added, again.changed, again.unchanged, again.refused) == (0, 0, 30, [])
    assert await export(people) == exported
    assert exported == text.getvalue()


async def export(people: Subscribers) -> str:
    out = io.StringIO()
    one = write(out)
    async for subscription in people.walk(size=7):
        one(subscription)
    return out.getvalue()
