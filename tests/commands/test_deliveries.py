from __future__ import annotations

import asyncio
import csv
import io
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from flows.storage.database import Database
from tests.benchmarks.deliveries_million import made
from tests.benchmarks.import_million import measured
from tests.commands.calls import DAY, SAMPLE, Run, outbox, rows

REPORT = ("deliveries", "--edition", f"sample/{DAY}")


def became(home: Path, name: str, **columns: object) -> None:
    """What the ledger holds of a reader's delivery, once so much has happened."""
    whose = (
        "subscription_id = (SELECT s.id FROM subscription s JOIN subscriber p ON p.id = s.subscriber_id"
        " WHERE p.email = ? AND s.newsletter = 'sample')"
    )
    changes = ", ".join(f"{column} = ?" for column in columns)
    with closing(sqlite3.connect(home / "home/paperround.db")) as connection:
        values = (*columns.values(), f"{name}@example.org")
        assert connection.execute(f"UPDATE delivery SET {changes} WHERE {whose}", values).rowcount == 1
        connection.commit()


def delivered(run: Run, *names: str) -> None:
    for name in names:
        run("subscribers", "add", f"{name}@example.org", "-n", "sample")
    assert run("deliver", *SAMPLE).status == 0


AT = 1_781_000_000_123  # 2026-06-09 10:13:20.123 UTC
ESCAPES = "5.7.1 \x1b[31mred\x1b[0m \x9b2J \r\n\u202eback <script> [bold]"


def test_who_got_an_edition_is_told_by_state_and_then_by_reader(run: Run, home: Path) -> None:
    delivered(run, "ada", "ben", "cleo", "dov", "eve")
    became(home, "ada", changed_at=AT, first_at=AT, words="2.0.0 taken", code=250)
    became(home, "ben", state="deferred", attempts=2, changed_at=AT, first_at=AT, due_at=AT + 900_000, words="later")
    became(home, "cleo", state="rejected", changed_at=AT, first_at=AT, words=ESCAPES, code=554)
    became(home, "dov", state="uncertain", changed_at=AT, first_at=AT, words="connection lost", code=None)
    became(home, "eve", state="pending", attempts=0, changed_at=None, first_at=None, words="", code=None)
    run("subscribers", "forget", "ada@example.org", "--yes")
    ended = run(*REPORT)
    assert (ended.status, ended.err) == (0, "")
    summary, held, lines = ended.out.split("\n\n")
    head, *states = summary.splitlines()
    assert head == f"Paperround sample, {DAY}: 5 deliveries (times are UTC)"
    assert [line.split()[:2] for line in states if line[2] != " "] == [
        ["sent", "1"],
        ["pending", "1"],
        ["deferred", "1"],
        ["uncertain", "1"],
        ["rejected", "1"],
    ]
    assert "1 delivery is uncertain and held for you" in held
    assert f"`paperround {' '.join(REPORT)} --state uncertain --resend`" in held
    titles, *readers = lines.splitlines()
    assert titles.split("  ")[0] == "email"
    ada, ben, cleo, dov, eve = (re.split(r"  +", line) for line in readers)
    assert ada == ["(erased)", "sent", "1", "250", "2026-06-09 10:13", "2026-06-09 10:13"]
    assert ben[:3] == ["ben@example.org", "deferred", "2"]
    assert ben[-2:] == ["2026-06-09 10:28", "later"]
    assert cleo[:4] == ["cleo@example.org", "rejected", "1", "554"]
    assert dov[-2:] == ["held for you", "connection lost"]
    assert eve == ["eve@example.org", "pending", "0", "at once"]
    starts = {line.index(column) for line, column in zip(readers[1:3], ("deferred", "rejected"), strict=True)}
    assert starts == {titles.index("state")}
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", ended.out)
    assert "<script> [bold]" in ended.out


def test_a_program_gets_csv_in_which_every_word_is_as_the_server_said_it(run: Run, home: Path) -> None:
    delivered(run, "ada", "ben")
    became(home, "ada", state="rejected", changed_at=AT, first_at=AT - 123, words=ESCAPES, code=554)
    became(home, "ben", state="deferred", due_at=AT + 900_000, words='=1+1, "later"', code=None)
    run("subscribers", "forget", "ben@example.org", "--yes")
    became_words = rows(home, "(SELECT words FROM delivery ORDER BY subscription_id)")
    ended = run(*REPORT, "--csv")
    assert (ended.status, ended.err) == (0, "")
    ada, ben = csv.DictReader(io.StringIO(ended.out, newline=""))
    columns = ["email", "state", "attempts", "code", "words", "first_attempt", "last_change", "due", "came_back"]
    assert list(ada) == columns
    assert list(ada.values())[:4] == ["ada@example.org", "rejected", "1", "554"]
    assert (ada["words"],) == became_words[0] == (ESCAPES,)
    assert (ada["first_attempt"], ada["last_change"]) == (
        "2026-06-09T10:13:20.000+00:00",
        "2026-06-09T10:13:20.123+00:00",
    )
    assert (ben["email"], ben["state"], ben["words"]) == ("", "deferred", "")
    assert ben["due"] == "2026-06-09T10:28:20.123+00:00"
    only = run(*REPORT, "--csv", "--state", "deferred").out
    assert [row["state"] for row in csv.DictReader(io.StringIO(only))] == ["deferred"]
    assert "2 deliveries" in run(*REPORT, "--state", "rejected").out
    assert "deferred" not in run(*REPORT, "--state", "rejected").out.split("email")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--edition", "sample"], "--edition 'sample' names no edition: write it as daily/2026-06-09."),
        (["--edition", f"nope/{DAY}"], "There is no newsletter 'nope': choose one of"),
        (["--edition", "sample/soon"], "'soon' is no date"),
        (["--edition", f"sample/{DAY}", "--state", "gone"], "There is no state 'gone': use one of sent, pending,"),
        (["--edition", f"sample/{DAY}"], f"Paperround sample has no daily edition of {DAY}: choose another date, or"),
        (["--edition", f"sample/{DAY}", "--weekly"], f"Paperround sample has no weekly edition of {DAY}: choose"),
        (["--edition", f"sample/{DAY}", "--resend"], "--resend is about uncertain or rejected deliveries: say --state"),
        (
            ["--edition", f"sample/{DAY}", "--settle", "--state", "sent"],
            "--settle decides about uncertain deliveries alone",
        ),
        (
            ["--edition", f"sample/{DAY}", "--state", "uncertain", "--settle", "--resend"],
            "--csv, --json, --link, --resend and --settle exclude each other",
        ),
    ],
)
def test_a_report_that_can_not_be_made_says_why(run: Run, arguments: list[str], words: str) -> None:
    assert run("deliveries", *arguments).error.startswith(words)


def test_what_was_not_delivered_or_had_no_readers_is_told_apart(run: Run, home: Path) -> None:
    run("deliver", *SAMPLE)
    nobody = f"Paperround sample, {DAY} was delivered to nobody: it had no readers.\n"
    assert run(*REPORT).out == nobody
    as_csv = run(*REPORT, "--csv")
    assert (len(as_csv.out.splitlines()), as_csv.err) == (1, nobody)
    for changes, words in (
        ("opened_at = NULL", "is made and its delivery has not begun: `paperround deliver --newsletter sample"),
        ("state = 'draft'", f"The daily edition of {DAY} is a draft and nobody has got it"),
        ("state = 'none', reason = 'Nothing is new.'", "so nobody got one: Nothing is new."),
    ):
        with closing(sqlite3.connect(home / "home/paperround.db")) as connection:
            connection.execute(f"UPDATE edition SET {changes}")
            connection.commit()
        ended = run(*REPORT)
        assert words in ended.out + ended.err


def test_a_weekly_edition_has_a_report_of_its_own(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@example.org", "--newsletter", "sample", "--frequency", "weekly")
    run("subscribers", "add", "ben@example.org", "--newsletter", "sample")
    run("deliver", *SAMPLE, "--weekly")
    said = run(*REPORT, "--weekly").out
    assert said.startswith(f"Paperround sample, week to {DAY}: 1 delivery (times are UTC)\n  sent       1\n")
    assert "ada@example.org" in said
    assert "ben@example.org" not in said


def test_what_a_mail_server_rejected_and_suppressed_wrongly_is_mended(run: Run, home: Path) -> None:
    delivered(run, "ada", "ben")
    run("subscribers", "add", "cleo@example.com", "-n", "sample")
    for name in ("ada", "ben"):
        became(home, name, state="rejected", code=550, words="no such user")
        run("subscribers", "suppress", f"{name}@example.org", "--reason", "hard-bounce")
    run("subscribers", "suppress", "cleo@example.com", "--reason", "complaint")
    rejected = (*REPORT, "--state", "rejected")
    assert f"`paperround {' '.join(rejected)} --resend`" in run(*REPORT).out
    assert run(*rejected, "--resend", "--dry-run").out == "2 deliveries would be due again; nothing was changed.\n"
    assert "to other.org was rejected: nothing" in run(*rejected, "--resend", "--domain", "other.org").out
    lift = ("subscribers", "suppress", "--lift", "--edition", f"sample/{DAY}")
    assert run(*lift).out.startswith("2 addresses may be mailed again.")
    assert run(*lift).out.startswith("Nobody was suppressed then")
    assert run(*rejected, "--resend", "--domain", "Example.org").out.startswith("2 deliveries are due again")
    assert "2 sent" in run("deliver", *SAMPLE).out
    assert "cleo@example.com" in run("subscribers", "list", "--state", "suppressed").out


def test_what_a_day_suppressed_is_lifted_but_for_whom_it_was_not_a_server(run: Run) -> None:
    for name, reason in (("ada", "hard-bounce"), ("ben", "operator"), ("cleo", "complaint")):
        run("subscribers", "add", f"{name}@example.org", "-n", "sample")
        run("subscribers", "suppress", f"{name}@example.org", "--reason", reason)
    run("subscribers", "suppress", "nobody@example.org", "--reason", "hard-bounce")
    assert run("subscribers", "suppress", "--lift", "--on", "2020-01-01").out.startswith("Nobody was suppressed then")
    assert run("subscribers", "suppress", "--lift", "--on", "today").out.startswith("2 addresses may be mailed again.")
    left = run("subscribers", "list", "--state", "suppressed").out
    assert [name for name in ("ada", "ben", "cleo") if name in left] == ["ben", "cleo"]


def test_a_suppression_needs_somebody(run: Run) -> None:
    assert run("subscribers", "suppress").error.startswith("Name an address, or with --lift")
    assert run("subscribers", "suppress", "--on", "today").error.startswith("--edition and --on say what to lift")
    assert run(*REPORT, "--domain", "example.org").error.startswith("--domain belongs to --resend")


def test_what_is_held_is_sent_again_under_its_message_id_or_counts_as_sent(run: Run, home: Path) -> None:
    delivered(run, "ada", "ben")
    first = {message["To"]: message["Message-ID"] for message in outbox(home)}
    uncertain = {"state": "uncertain", "due_at": None, "first_at": AT, "words": "connection lost", "code": None}
    became(home, "ada", **uncertain)
    decide = (*REPORT, "--state", "uncertain")
    again = run(*decide, "--resend")
    assert again.out.startswith("1 delivery is due again, under the same Message-ID: `paperround deliver --newsletter")
    assert run("deliver", *SAMPLE).out == "Deliveries: 2 sent (1 of them before this run).\n"
    assert [message["Message-ID"] for message in outbox(home) if message["To"] == "ada@example.org"] == [
        first["ada@example.org"]
    ] * 2
    nothing = f"No delivery of the daily edition of {DAY} is held for you: nothing was changed.\n"
    assert run(*decide, "--resend").out == nothing
    became(home, "ben", **uncertain)
    assert run(*decide, "--settle", "--dry-run").out == "1 delivery would count as sent; nothing was changed.\n"
    assert run(*decide, "--settle").out == "1 delivery counts as sent from now on, by your decision.\n"
    assert "counted as sent by the operator: connection lost" in run(*REPORT, "--state", "sent").out
    assert run(*decide, "--settle").out == nothing
    assert len(outbox(home)) == 3


def test_a_link_to_the_page_is_printed(run: Run, home: Path) -> None:
    delivered(run, "ada")
    said = run(*REPORT, "--link", PUBLIC_URL="https://papers.example.org").out
    assert said == f"https://papers.example.org/report/sample/{DAY}\n"


def test_who_got_it_is_told_from_any_database(database: Database, run: Run, home: Path) -> None:
    call = partial(run, DATABASE_URL=database.engine.url.render_as_string(hide_password=False))
    for name in ("ada", "ben"):
        call("subscribers", "add", f"{name}@example.org", "-n", "sample")
    call("deliver", *SAMPLE)
    call("subscribers", "forget", "ada@example.org", "--yes")
    found = list(csv.DictReader(io.StringIO(call(*REPORT, "--csv").out)))
    assert [(row["email"], row["state"]) for row in found] == [("", "sent"), ("ben@example.org", "sent")]
    assert "2 deliveries" in call(*REPORT).out


def test_what_reads_on_no_longer_ends_the_report_in_silence(home: Path) -> None:
    asyncio.run(made(home, 3_000))
    command = [sys.executable, "-m", "flows", "deliveries", "--edition", f"daily/{DAY}"]
    for option in ((), ("--csv",)):
        with subprocess.Popen([*command, *option], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read() == b""


def test_the_memory_of_a_report_does_not_grow_with_the_edition(home: Path) -> None:
    used = []
    for name, readers in (("few", 2_000), ("many", 20_000)):
        (home / name).mkdir()
        asyncio.run(made(home / name, readers))
        used.append(measured(home / name, "deliveries", "--edition", f"daily/{DAY}", "--csv", quiet=True))
    few, many = used
    assert many < few + 24
