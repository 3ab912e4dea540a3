from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import typer
from typer.main import get_command

from flows.commands.cli import app
from tests.commands.calls import DAY, SAMPLE, Run, in_a_process


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
        (
            ["subscribers", "import", "file"],
            "The CSV's column 'something' is not known: say --map 'something=' to leave it out",
        ),
        (["subscribers", "export", "file/x"], "file/x can't be written (Not a directory): name another file"),
        (["subscribers", "add", "ada"], "email 'ada' is not an address (An email address must have an @-sign)."),
        (["subscribers", "add", "a@example.org", "--topics", "knitting"], "topic 'knitting' is not known: use some of"),
        (["subscribers", "add", "a@example.org", "--topics", "agents;-video"], "topics 'agents;-video' has chosen and"),
        (["subscribers", "list", "--state", "gone"], "There is no state 'gone': use one of unconfirmed, confirmed,"),
        (["subscribers", "import", "semicolons"], "The CSV has no column email"),
        (["subscribers", "import", "headerless"], "The CSV begins with an address, but its first line should name the"),
        (["subscribers", "suppress", "ada"], "email 'ada' is not an address"),
        (
            ["subscribers", "suppress", "a@example.org", "--reason", "erased"],
            "There is no reason 'erased': use one of ",
        ),
        (["subscribers", "forget", "a@example.org"], "Nothing was done: say --yes where nobody can be asked."),
        (["demo", "--date", "nonsense", "--home", "here"], "'nonsense' is no date: write it as 2026-06-09"),
        (["returns"], "PAPERROUND_RETURNS_URL is not set: name the mailbox of PAPERROUND_RETURN_PATH, such as"),
        (["subscribers", "add", "a@example.org", "--zone", "Mars"], "zone 'Mars' is not known: use a name such as"),
        (["topics", "explain", "what"], "'what' is not an arXiv identifier such as 2606.10651, nor the address"),
        (["topics", "explain", "2606.10651"], "The paper 2606.10651 is not stored: collect its day first, with `"),
        (["topics", "evaluate", "nope.jsonl"], "nope.jsonl can't be read (No such file or directory)"),
        (["topics", "evaluate", "file"], "Line 1 is not JSON"),
        (["gists", "evaluate", "nope.jsonl"], "nope.jsonl can't be read (No such file or directory)"),
        (["gists", "evaluate", "file"], "Line 1 is not JSON"),
    ],
)
def test_what_was_asked_wrongly_is_told_in_one_sentence(run: Run, home: Path, arguments: list[str], words: str) -> None:
    (home / "file").write_text("something\n")
    (home / "semicolons").write_text("topics;hour\nagents;7\n")
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
    assert said.replace(f"{home}/", "").startswith(words)
    assert ":secret" not in said


def test_what_the_command_line_gets_wrong_is_known_by_its_message() -> None:
    """What `main` knows an error of the command line by, in whichever library its class lies."""
    assert callable(typer.BadParameter("x").format_message)


def test_help_loads_nothing_that_only_work_needs() -> None:
    """Database, templates and Prefect take a second to import, which whoever asks for help should not wait."""
    code = (
        "import sys, flows.commands.cli; "
        "print([m for m in ('sqlalchemy', 'httpx', 'jinja2', 'lxml', 'prefect', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("typed", "near"),
    [(("subscribers", "imprt"), "Did you mean 'import'? See"), (("doctr",), "Did you mean 'doctor'? See")],
)
def test_a_mistyped_call_names_the_near_one(run: Run, typed: tuple[str, ...], near: str) -> None:
    assert near in run(*typed).error


def test_what_machines_read_is_json(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@example.org", "-n", "sample", "--keywords", "a;b")
    (ada,) = json.loads(run("subscribers", "list", "--json").out)
    assert (ada["email"], ada["keywords"], ada["state"]) == ("ada@example.org", ["a", "b"], "confirmed")
    assert json.loads(run("subscribers", "list", "--json", "--state", "paused").out) == []

    made = json.loads(run("preview", *SAMPLE, "--out", "out", "--json").out)
    assert made["draft"] is True
    assert len(made["papers"]) > 5
    assert Path(made["files"]["eml"]).stat().st_size == made["bytes"]
    why = json.loads(run("topics", "explain", made["papers"][0], "--json").out)
    assert why["topic"] == next(iter(why["scores"]))
    assert why["because"]

    run("deliver", *SAMPLE, "--all-hours")
    got = json.loads(run("deliveries", "--edition", f"sample/{DAY}", "--json").out)
    assert got["states"] == {"sent": 1}
    assert [(one["email"], one["state"], one["came_back"]) for one in got["deliveries"]] == [
        ("ada@example.org", "sent", None)
    ]
    found = json.loads(run("doctor", "--json").out)
    assert {"about", "grade", "words"} == set(found[0])
    assert "Mail server" in {one["about"] for one in found}


def test_a_level_of_logs_is_known_or_refused(run: Run, home: Path) -> None:
    assert (
        run("--log-level", "loud", "upkeep").error
        == ("--log-level 'loud' is not known: use one of debug, info, warning, error") + "."
    )
    assert run("--log-level", "error", "upkeep").status == 0


@pytest.mark.parametrize("name", ["why?", "50% #1", "a [b] ü", "x;y&z=1"])
def test_a_home_may_have_any_name(run: Run, home: Path, name: str) -> None:
    place, mail = home / name, home / name / "mail"
    settings = {"HOME_DIR": place, "MAIL_URL": f"maildir://{quote(str(mail))}"}
    run("subscribers", "add", "ada@example.org", "-n", "sample", **settings)
    assert "1 sent" in run("deliver", *SAMPLE, "--all-hours", **settings).out
    assert (place / "paperround.db").is_file()
    assert len(list((mail / "new").iterdir())) == 1
    assert sorted(one.name for one in home.iterdir() if one.is_file()) == []


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_any_locale_shows_any_name(home: Path, encoding: str) -> None:
    """A pipe gets UTF-8; a terminal that can't show a letter shows that there is one."""
    command = [sys.executable, "-m", "flows", "subscribers"]
    given = os.environ | {"PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONUTF8": "0", "TERM": "dumb"}
    add = [*command, "add", "ada@example.org", "--authors", "Łukasz Wronek;渡辺"]
    subprocess.run(add, env=given, check=True, capture_output=True)
    piped = subprocess.run([*command, "list"], env=given, check=True, capture_output=True)
    assert "Łukasz Wronek" in piped.stdout.decode("utf-8")
    leader, follower = os.openpty()
    subprocess.run([*command, "list"], env=given, check=True, stdout=follower, stderr=follower)
    os.close(follower)
    shown = os.read(leader, 4000)
    os.close(leader)
    # who claims to know ASCII alone gets UTF-8 from Click: nearly every such terminal reads it
    assert ("Łukasz Wronek".encode() if encoding == "ascii" else b"?ukasz Wronek") in shown
