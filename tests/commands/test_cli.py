from __future__ import annotations

import asyncio
import csv
import email
import email.policy
import io
import json
import mailbox
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from flows.commands.cli import app, main
from flows.storage.database import Database
from tests.benchmarks.deliveries_million import made
from tests.benchmarks.import_million import measured
from tests.benchmarks.import_million import rows as rows_of

DAY = "2026-06-09"
SAMPLE = ("--newsletter", "sample", "--date", DAY)


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one sentence of an error."""
        assert self.status == 2, self
        assert "Traceback" not in self.err
        assert "unexpected" not in self.err
        *_, last = self.err.splitlines()
        assert last.startswith("Error: ")
        assert last.endswith(".")
        return last.removeprefix("Error: ")


Run = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder and settings of the test's own; nothing can reach a service."""
    for name in [name for name in os.environ if name.startswith("PAPERROUND_")]:
        monkeypatch.delenv(name)
    given = {
        "HOME_DIR": tmp_path / "home",
        "CACHE_DIR": tmp_path / "cache",
        "MAIL_URL": f"maildir://{tmp_path / 'outbox'}",
        "HUGGINGFACE_URL": "http://127.0.0.1:9",
        "ARXIV_URL": "http://127.0.0.1:9",
        "ARXIV_RSS_URL": "http://127.0.0.1:9",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"PAPERROUND_{name}", str(value))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: a new one takes a second to start."""

    def call(*arguments: object, **environment: object) -> Ended:
        with monkeypatch.context() as during:
            for name, value in environment.items():
                during.setenv(f"PAPERROUND_{name}", str(value))
            with pytest.raises(SystemExit) as ended:
                main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, captured.out, captured.err)

    return call


def in_a_process(*arguments: str, given: bytes = b"") -> Ended:
    command = [sys.executable, "-m", "flows", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def outbox(home: Path) -> list[Any]:
    box = mailbox.Maildir(home / "outbox", create=False)
    return [email.message_from_bytes(bytes(message), policy=email.policy.default) for message in box]


# --- help and errors


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    if path:
        yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, *path, name)


@pytest.mark.parametrize(
    ("path", "command"), [pytest.param(*one, id=" ".join(one[0])) for one in commands(get_command(app))]
)
def test_every_command_and_every_option_is_explained(run: Run, path: tuple[str, ...], command: Any) -> None:
    ended = run(*path, "--help")
    assert (ended.status, ended.err) == (0, "")
    assert "Usage" in ended.out
    assert command.help
    unexplained = [param.name for param in command.params if not getattr(param, "help", None)]
    assert command.hidden or not unexplained


def test_the_real_command_shows_its_version_and_its_help_without_a_call(home: Path) -> None:
    assert re.fullmatch(r"paperround \d+\.\d+\.\d+\n", in_a_process("--version").out)
    bare = in_a_process()
    assert (bare.status, bare.err) == (2, "")
    assert "paperround demo" in bare.out


def test_the_real_command_ends_with_one_sentence_over_an_error(home: Path) -> None:
    ended = in_a_process("preview", "--date", "soon", "--out", "x")
    assert ended.error == "'soon' is no date: write it as 2026-06-09, or today, or yesterday."
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["preview", "--date", DAY, "--out", "x", "--newsletter", "nope"], "There is no newsletter 'nope': choose one"),
        (["preview", "--date", "2026-02-30", "--out", "x"], "'2026-02-30' is no date: write it as"),
        (["preview", "--date", "2999-01-01", "--out", "x"], "2999-01-01 lies in the future: choose a day up to"),
        (["preview", "--out", "x"], "Name the day with --date: today, yesterday, or a date such as 2026-06-09."),
        (["preview", *SAMPLE], "Say either --out with the folder to write to, or --watch to see it in the browser."),
        (["preview", *SAMPLE, "--out", "x", "--watch"], "Say either --out with the folder to write to, or --watch"),
        (["preview", "--watch", "--newsletter", "nope"], "There is no newsletter 'nope': choose one"),
        (["preview", *SAMPLE, "--watch", "--as", "ada@example.org"], "ada@example.org is not subscribed to sample:"),
        (["preview", *SAMPLE, "--out", "x", "--as", "ada@example.org"], "ada@example.org is not subscribed to sample:"),
        (["preview", *SAMPLE, "--out", "file"], "file can't be written (File exists): name another folder with --out."),
        (["deliver", "--date", DAY, "--wait", "-1"], "Invalid value for '--wait'"),
        (["nope"], "No such command 'nope'. See `"),
        (["subscribers", "list", "-n", "nope"], "There is no newsletter 'nope'"),
        (
            ["subscribers", "import", "nope.csv"],
            "nope.csv can't be read (No such file or directory): name another file",
        ),
        (["subscribers", "import", "."], ". can't be read (Is a directory): name another file"),
        (["subscribers", "import", "file"], "The CSV's column 'something' is not known: use email, newsletter,"),
        (["subscribers", "export", "file/x"], "file/x can't be written (Not a directory): name another file"),
        (["subscribers", "add", "ada"], "email 'ada' is not an address (An email address must have an @-sign)."),
        (["subscribers", "add", "a@example.org", "--topics", "knitting"], "topic 'knitting' is not known: use some of"),
        (["subscribers", "add", "a@example.org", "--topics", "agents;-video"], "topics 'agents;-video' has chosen and"),
        (["subscribers", "list", "--state", "gone"], "There is no state 'gone': use one of unconfirmed, confirmed,"),
        (["subscribers", "import", "semicolons"], "The CSV's columns are separated by semicolons: save it with commas"),
        (["subscribers", "import", "headerless"], "The CSV begins with an address, but its first line should name the"),
        (["subscribers", "suppress", "ada"], "email 'ada' is not an address"),
        (
            ["subscribers", "suppress", "a@example.org", "--reason", "erased"],
            "There is no reason 'erased': use one of ",
        ),
        (["subscribers", "forget", "a@example.org"], "Nothing was erased: say --yes where nobody can be asked."),
        (["demo", "--date", "nonsense", "--home", "here"], "'nonsense' is no date: write it as 2026-06-09"),
        (["returns"], "PAPERROUND_RETURNS_URL is not set: name the mailbox of PAPERROUND_RETURN_PATH, such as"),
        (["subscribers", "add", "a@example.org", "--zone", "Mars"], "zone 'Mars' is not known: use a name such as"),
        (["topics", "explain", "what"], "'what' is not an arXiv identifier such as 2606.10651, nor the address"),
        (["topics", "explain", "2606.10651"], "The paper 2606.10651 is not stored: collect its day first, with `"),
        (["topics", "evaluate", "nope.jsonl"], "nope.jsonl can't be read (No such file or directory)"),
        (["topics", "evaluate", "file"], "Line 1 is not JSON"),
    ],
)
def test_what_was_asked_wrongly_is_told_in_one_sentence(run: Run, home: Path, arguments: list[str], words: str) -> None:
    (home / "file").write_text("something\n")
    (home / "semicolons").write_text("email;topics\na@example.org;\n")
    (home / "headerless").write_text("a@example.org,agents\n")
    assert run(*arguments).error.startswith(words)
    assert not (home / "here").exists()


DELIVER = ("deliver", *SAMPLE)
LIST = ("subscribers", "list")


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (DELIVER, {"MAIL_URL": ""}, "PAPERROUND_MAIL_URL is not set: name your mail server, such as"),
        (DELIVER, {"MAIL_URL": "gopher://x"}, "PAPERROUND_MAIL_URL begins with 'gopher': use one of"),
        (DELIVER, {"SECRET_KEY": "short"}, "PAPERROUND_SECRET_KEY has a key of fewer than 16 characters"),
        (("up",), {"MAIL_URL": ""}, "PAPERROUND_MAIL_URL is not set"),
        (("up",), {"RETURNS_URL": "pop3://u:secret@h"}, "PAPERROUND_RETURNS_URL begins with 'pop3': use imaps://"),
        (("returns",), {"RETURNS_URL": "maildir:///nowhere"}, "/nowhere is no maildir (it has no folder new): check"),
        (
            ("returns",),
            {"RETURNS_URL": "imap://u:secret@h.example.org:1/"},
            "The mailbox h.example.org can't be read (",
        ),
        (LIST, {"MAIL_CONNECTIONS": "many"}, "PAPERROUND_MAIL_CONNECTIONS is 'many', which is not accepted"),
        (LIST, {"SENDER": "nobody"}, "PAPERROUND_SENDER is 'nobody', which is not accepted: should be a name and an"),
        (LIST, {"DATABASE_URL": "mysql://u:secret@x/y"}, "PAPERROUND_DATABASE_URL begins with 'mysql': use sqlite:///"),
        (LIST, {"DATABASE_URL": "sqlite:///file"}, "The database sqlite+aiosqlite:///file can't be used (file is not"),
        (
            LIST,
            {"DATABASE_URL": "sqlite:///file/x.db"},
            "The folder of the database file/x.db can't be made (File exists)",
        ),
        (LIST, {"DATABASE_URL": "postgresql://u:secret@127.0.0.1:9/x"}, "The database postgresql+asyncpg://u:***@127"),
        (LIST, {"NEWSLETTERS_DIR": "nope"}, "The folder "),
        (LIST, {"NEWSLETTERS_DIR": "own"}, "own/mine.toml: this is not valid TOML ("),
        (LIST, {"TOPICS_DIR": "own"}, "own/mine.toml: this is not valid TOML ("),
        (
            LIST,
            {"TEMPLATES_DIR": "nope"},
            "PAPERROUND_TEMPLATES_DIR is 'nope', which is not accepted: should be a folder",
        ),
    ],
)
def test_what_was_set_wrongly_is_told_in_one_sentence(
    run: Run, home: Path, arguments: tuple[str, ...], settings: dict[str, str], words: str
) -> None:
    (home / "file").write_text("something that is no database\n" * 100)
    (home / "own").mkdir()
    (home / "own" / "mine.toml").write_text("title = ")
    said = run(*arguments, **settings).error
    assert said.removeprefix(f"{home}/").startswith(words)
    assert ":secret" not in said


# --- editions


def test_a_preview_writes_three_files_and_stores_no_edition(run: Run, home: Path) -> None:
    ended = run("preview", *SAMPLE, "--out", "out")
    assert ended.status == 0
    assert "25 papers (a draft): out/digest.html" in ended.out
    html, text = (home / "out/digest.html").read_text(), (home / "out/digest.txt").read_text()
    message = email.message_from_bytes((home / "out/digest.eml").read_bytes(), policy=email.policy.default)
    assert message["Subject"].startswith("Paperround sample, 9 June: ")
    assert message.get_body(("html",)).get_content().replace("\r\n", "\n") == html  # type: ignore[union-attr]
    assert "PAPERROUND SAMPLE" in text
    assert "invented" in html
    assert not (home / "outbox").exists()
    assert not rows(home, "edition")
    assert not rows(home, "delivery")
    assert run("preview", *SAMPLE, "--out", "out").out == ended.out


def rows(home: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(home / "home/paperround.db")) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


def test_a_preview_as_a_reader_is_their_digest(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@example.org", "-n", "sample", "--topics", "video")
    assert run("preview", *SAMPLE, "--as", "Ada@Example.org", "--out", "out").status == 0
    assert "Video" in (home / "out/digest.txt").read_text()
    assert "Robotics" not in (home / "out/digest.txt").read_text()
    run("subscribers", "add", "ada@example.org", "-n", "sample", "--topics", "other", "--keywords", "")
    assert "No mail for ada@example.org" in run("preview", *SAMPLE, "--as", "ada@example.org", "--out", "two").out
    assert not (home / "two").exists()


def test_a_delivery_sends_each_reader_one_mail_and_a_second_one_nothing(run: Run, home: Path) -> None:
    for name in ("ada", "ben"):
        run("subscribers", "add", f"{name}@example.org", "-n", "sample")
    first = run("deliver", *SAMPLE)
    assert (first.status, first.out) == (0, "Deliveries: 2 sent.\n")
    assert sorted(message["To"] for message in outbox(home)) == ["ada@example.org", "ben@example.org"]
    second = run("deliver", *SAMPLE)
    assert (second.status, second.out) == (0, "Deliveries: 2 sent (2 of them before this run).\n")
    assert len(outbox(home)) == 2
    assert "papers: " in run("preview", *SAMPLE, "--out", "out").out


# --- who got it


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
    assert list(ada) == [
        "email",
        "state",
        "attempts",
        "code",
        "words",
        "first_attempt",
        "last_change",
        "due",
        "came_back",
    ]
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
        (["--edition", f"sample/{DAY}", "--resend"], "--resend decides about uncertain deliveries alone: say --state"),
        (
            ["--edition", f"sample/{DAY}", "--settle", "--state", "sent"],
            "--settle decides about uncertain deliveries alone",
        ),
        (
            ["--edition", f"sample/{DAY}", "--state", "uncertain", "--settle", "--resend"],
            "--csv, --link, --resend and --settle exclude each other",
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
    assert run(*decide, "--settle").out == "1 delivery counts as sent from now on, by your decision.\n"
    assert "counted as sent by the operator: connection lost" in run(*REPORT, "--state", "sent").out
    assert run(*decide, "--settle").out == nothing
    assert len(outbox(home)) == 3


def test_a_link_to_the_page_is_printed(run: Run, home: Path) -> None:
    delivered(run, "ada")
    said = run(*REPORT, "--link", PUBLIC_URL="https://papers.example.org").out
    assert re.fullmatch(
        rf"https://papers\.example\.org/report/sample/{DAY}\?until=\d{{4}}-\d\d-\d\d&seal=\S{{22}}\n", said
    )


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


# --- subscribers


def test_adding_says_what_it_did_and_changes_what_is_given_alone(run: Run, home: Path) -> None:
    add = ("subscribers", "add", "ada@example.org")
    first = run(*add, "--topics", "code;agents", "--hour", "7").out
    assert first == "ada@example.org is added to daily: confirmed, daily at 7:00 UTC, agents, code.\n"
    assert run(*add).out == first.replace("added to", "already on")
    assert run(*add, "--zone", "Europe/Berlin", "--keywords", "slow telescope;tensor").out == (
        "ada@example.org is changed on daily: confirmed, daily at 7:00 Europe/Berlin, agents, code, "
        "keywords slow telescope, tensor.\n"
    )
    assert run("subscribers", "list").out == (
        "ada@example.org\tdaily\tconfirmed\tdaily at 7:00 Europe/Berlin\tagents, code\t"
        "keywords slow telescope, tensor\n"
        "1 subscription\n"
    )
    run(*add, "--topics", "-video;-audio", "--hour", "", "--frequency", "weekly:fri", "--authors", "Ada Brook")
    listed = run("subscribers", "list", "-n", "daily").out
    assert "\tconfirmed\tweekly:fri\tall topics but audio, video\tkeywords " in listed
    assert "\tauthors Ada Brook\n" in listed
    assert "only what is followed" in run(*add, "--topics", "-*").out


def test_adding_somebody_again_ends_no_pause_of_theirs(run: Run, home: Path) -> None:
    (home / "in.csv").write_text("email,state\na@example.org,paused:2999-07-01\nb@example.org,unconfirmed\n")
    run("subscribers", "import", "in.csv")
    assert run("subscribers", "add", "a@example.org", "--hour", "7").out.startswith(
        "a@example.org is changed on daily: paused:2999-07-01, daily at 7:00 UTC"
    )
    assert run("subscribers", "list", "--state", "paused").out.splitlines()[-1] == "1 subscription"
    assert "confirmed, daily" in run("subscribers", "add", "b@example.org").out
    assert run("subscribers", "list", "--state", "unconfirmed").out == "0 subscriptions\n"


def test_an_import_takes_what_is_good_and_names_the_lines_that_are_not(run: Run, home: Path) -> None:
    (home / "in.csv").write_text("email,topics\na@example.org,agents\nnobody,\nb@example.org,[/red]\nc@example.org,\n")
    first = run("subscribers", "import", "in.csv")
    assert (first.status, first.out) == (1, "2 added, 0 changed, 0 unchanged, 2 lines left out.\n")
    assert "Line 3 was left out: email is not an address" in first.err
    assert "Line 4 was left out: topic '[/red]' is not known" in first.err
    assert len(first.err.splitlines()) == 2
    again = run("subscribers", "import", "in.csv")
    assert (again.status, again.out) == (1, "0 added, 0 changed, 2 unchanged, 2 lines left out.\n")


def test_what_was_exported_is_imported_without_a_change(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@example.org", "--topics", "agents;code", "--keywords", 'a "b", c;d', "--hour", "7")
    run("subscribers", "add", "ben@example.org", "-n", "arxiv", "--frequency", "weekdays")
    exported = run("subscribers", "export", "out.csv")
    assert (exported.status, exported.out, exported.err) == (0, "", "2 subscriptions written.\n")
    written = (home / "out.csv").read_text()
    assert [row["email"] for row in csv.DictReader(io.StringIO(written))] == ["ada@example.org", "ben@example.org"]
    again = run("subscribers", "import", "out.csv")
    assert (again.status, again.out) == (0, "0 added, 0 changed, 2 unchanged, 0 lines left out.\n")
    assert run("subscribers", "export", "-").out == written
    assert "1 subscription written." in run("subscribers", "export", "-", "-n", "arxiv").err


def test_a_pipe_is_read_whatever_its_bytes(home: Path) -> None:
    ended = in_a_process(
        "subscribers", "import", "-", given=b"\xef\xbb\xbfemail\r\na@example.org\r\n\xff@example.org\r\n"
    )
    assert (ended.status, ended.out) == (1, "1 added, 0 changed, 0 unchanged, 1 line left out.\n")
    assert ended.err.startswith("Line 3 was left out: ")


def test_the_memory_of_an_import_does_not_grow_with_its_file(home: Path) -> None:
    (home / "few.csv").write_text("".join(rows_of(2_000)))
    (home / "many.csv").write_text("".join(rows_of(20_000)))
    few, many = (measured(home, "subscribers", "import", file) for file in ("few.csv", "many.csv"))
    assert many < few + 24
    assert len(rows(home, "subscription")) == 20_000


def test_who_has_left_stays_away_until_it_is_said_otherwise(run: Run, home: Path) -> None:
    (home / "gone.csv").write_text("email,state\na@example.org,unsubscribed\n")
    (home / "back.csv").write_text("email,state\na@example.org,confirmed\n")
    run("subscribers", "import", "gone.csv")
    refused = run("subscribers", "import", "back.csv")
    assert (refused.status, refused.out) == (0, "0 added, 0 changed, 0 unchanged, 1 refused, 0 lines left out.\n")
    assert refused.err == (
        "Line 2 was refused: its address has unsubscribed and stays so: if they want it back, say --resubscribe.\n"
    )
    assert run("subscribers", "import", "back.csv", "--resubscribe").out.startswith("0 added, 1 changed")


def test_the_second_line_of_an_address_is_left_out_and_named(run: Run, home: Path) -> None:
    (home / "in.csv").write_text(
        "email,newsletter,hour\na@example.org,daily,7\n"
        + "".join(f"r{n}@example.org,,\n" for n in range(1500))
        + "A@Example.org,,8\na@example.org,arxiv,9\n"
    )
    first = run("subscribers", "import", "in.csv")
    assert first.err == "Line 1503 was left out: its address stands in line 2 already.\n"
    assert first.out == "1502 added, 0 changed, 0 unchanged, 1 line left out.\n"
    assert run("subscribers", "import", "in.csv").out.startswith("0 added, 0 changed, 1502 unchanged")


def test_who_is_suppressed_is_not_brought_in_by_anything(run: Run, home: Path) -> None:
    (home / "in.csv").write_text("email,hour\na@example.org,7\nb@example.org,7\n")
    said = run("subscribers", "suppress", "A@example.org", "--reason", "hard-bounce")
    assert said.out == "A@example.org is never mailed again (hard bounce), until you say `suppress --lift`.\n"
    imported = run("subscribers", "import", "in.csv", "--resubscribe")
    assert imported.out == "1 added, 0 changed, 0 unchanged, 1 refused, 0 lines left out.\n"
    assert imported.err.startswith("Line 2 was refused: its address is never mailed again (hard bounce): `paperround")
    assert "a@example.org" not in imported.err
    assert "is never mailed again (hard bounce)" in run("subscribers", "add", "a@example.org").error
    assert run("subscribers", "suppress", "a@example.org", "--lift").out.startswith("a@example.org may be mailed again")
    assert run("subscribers", "suppress", "a@example.org", "--lift").out == "a@example.org was not suppressed.\n"
    assert run("subscribers", "add", "a@example.org").status == 0
    run("subscribers", "suppress", "a@example.org")
    listed = run("subscribers", "list", "--state", "suppressed").out
    assert listed == "a@example.org\tdaily\tsuppressed (operator)\tdaily\tall topics\n1 subscription\n"


def test_who_is_forgotten_is_gone_and_no_list_brings_them_back(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@example.org")
    run("subscribers", "add", "ada@example.org", "-n", "arxiv")
    assert run("subscribers", "forget", "ada@example.org").status == 2
    assert len(rows(home, "subscription")) == 2
    assert run("subscribers", "forget", "ada@example.org", "--yes").out.startswith(
        "Everything about ada@example.org is "
    )
    assert not rows(home, "subscription")
    assert b"ada@example.org" not in (home / "home/paperround.db").read_bytes() or not rows(home, "subscriber")
    assert "had everything erased: they themselves" in run("subscribers", "add", "ada@example.org").error
    assert run("subscribers", "forget", "ada@example.org", "--yes").out == "Nothing was known about ada@example.org.\n"


def test_a_terminal_is_asked_before_somebody_is_forgotten(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@example.org")
    command = [sys.executable, "-m", "flows", "subscribers", "forget", "ada@example.org"]
    for answer, words in (("n", "Nothing was erased."), ("y", "Everything about ada@example.org is erased")):
        mine, theirs = os.openpty()
        with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asked:
            os.write(mine, f"{answer}\n".encode())
            out, err = asked.communicate(timeout=60)
        os.close(mine)
        os.close(theirs)
        assert "Erase everything about ada@example.org (subscribed to daily)? It can't be undone." in err.decode()
        assert words in out.decode()


def test_the_mailbox_is_read_by_hand(run: Run, home: Path) -> None:
    for part in ("new", "cur"):
        (home / "returns" / part).mkdir(parents=True)
    run("subscribers", "add", "ada@example.org", "-n", "sample")
    (home / "returns/new/1.x").write_bytes(b"Subject: hello\n\n")
    ended = run("returns", RETURNS_URL=f"maildir://{home / 'returns'}")
    assert ended.out == (
        "Returned mail: 1 left unread in the mailbox. Left unread: 1 no report, and nothing that is asked of us.\n"
    )


# --- topics


def test_a_stored_paper_s_topic_is_explained(run: Run, home: Path) -> None:
    run("preview", *SAMPLE, "--out", "out")
    (identity, *_), *_ = rows(home, "(SELECT paper_id FROM sighting ORDER BY 1)")
    ended = run("topics", "explain", f"arXiv:{identity}v3")
    assert ended.status == 0
    assert ended.out.startswith(f"{identity}  ")
    for word in ("\nTopic ", "\nRunner-up ", "\nBecause ", "\nScores "):
        assert word in ended.out
    scores = [float(score) for score in re.findall(r"  (\d+\.\d+)$", ended.out, re.MULTILINE)]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)


LABELLED = (
    {"id": "1", "title": "Agents that use tools in a browser", "abstract": "LLM agents.", "label": "agents"},
    {"id": "2", "title": "Text-to-video diffusion", "abstract": "Video generation.", "label": "video"},
    {
        "id": "3",
        "title": "Galaxies at high redshift",
        "abstract": "Stars.",
        "categories": ["astro-ph.GA"],
        "label": "3d",
    },
)


def test_labelled_papers_are_evaluated_for_people_and_for_programs(run: Run, home: Path) -> None:
    (home / "labels.jsonl").write_text("".join(json.dumps(paper) + "\n" for paper in LABELLED))
    shown = run("topics", "evaluate", "labels.jsonl")
    assert shown.status == 0
    assert "exact       0.667  (" in shown.out
    assert "   1  3d → astronomy" in shown.out
    found = json.loads(run("topics", "evaluate", "labels.jsonl", "--json").out)
    assert (found["papers"], round(found["exact"], 3), round(found["acceptable"], 3)) == (3, 0.667, 0.667)
    assert found["confusions"] == [{"label": "3d", "given": "astronomy", "count": 1}]
    assert found["intervals"]["macro_f1"][0] <= found["macro_f1"] <= found["intervals"]["macro_f1"][1]


def test_a_label_that_is_no_topic_is_told_with_its_line(run: Run, home: Path) -> None:
    (home / "labels.jsonl").write_text(json.dumps({**LABELLED[0], "label": "knitting"}))
    assert run("topics", "evaluate", "labels.jsonl").error.startswith("Line 1: the topic 'knitting' is unknown")


def test_what_the_command_line_gets_wrong_is_known_by_its_message() -> None:
    """What `main` knows an error of the command line by, in whichever library its class lies."""
    assert callable(typer.BadParameter("x").format_message)


def test_who_has_unsubscribed_is_not_added_again_without_saying_so(run: Run, home: Path) -> None:
    (home / "gone.csv").write_text("email,state\nada@example.org,unsubscribed\n")
    run("subscribers", "import", "gone.csv")
    assert "has unsubscribed and stays so: if they want it back" in run("subscribers", "add", "ada@example.org").error
    assert run("subscribers", "add", "ada@example.org", "--resubscribe").status == 0


# --- weekly editions, upkeep


def test_the_week_is_previewed_and_delivered_to_who_reads_weekly(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@example.org", "--newsletter", "sample", "--frequency", "weekly")
    run("subscribers", "add", "ben@example.org", "--newsletter", "sample")
    shown = run("preview", *SAMPLE, "--weekly", "--out", "out")
    assert shown.out.startswith("Paperround sample, week to 2026-06-09, 25 papers (a draft): ")
    assert f"/archive/sample/week/{DAY}" in (home / "out" / "digest.txt").read_text()
    assert run("deliver", *SAMPLE, "--weekly").out == "Deliveries: 1 sent.\n"
    (mail,) = outbox(home)
    assert mail["To"] == "ada@example.org"
    assert run("deliver", *SAMPLE).out == "Deliveries: 1 sent.\n"


def test_a_newsletter_without_a_weekly_edition_is_told(run: Run, home: Path) -> None:
    own = home / "newsletters"
    own.mkdir()
    (own / "bees.toml").write_text('title = "Bees"\ndescription = "Bees."\nsources = ["sample"]\nweekly_cron = ""\n')
    said = run("preview", "-n", "bees", "-d", DAY, "--weekly", "--out", "out", NEWSLETTERS_DIR=own)
    assert said.error == "Bees has no weekly edition: give its file a weekly_cron if it is to have one."


def test_upkeep_says_how_many_it_forgot(run: Run) -> None:
    assert run("upkeep").out == "Forgotten: 0 unconfirmed sign-ups; 0 wait to be confirmed.\n"
