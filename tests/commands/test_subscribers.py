from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.import_million import measured
from tests.benchmarks.import_million import rows as rows_of
from tests.commands.calls import Run, in_a_process, rows


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
    assert (home / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")  # so that Excel takes it for UTF-8
    written = (home / "out.csv").read_text("utf-8-sig")
    assert [row["email"] for row in csv.DictReader(io.StringIO(written))] == ["ada@example.org", "ben@example.org"]
    again = run("subscribers", "import", "out.csv")
    assert (again.status, again.out) == (0, "0 added, 0 changed, 2 unchanged, 0 lines left out.\n")
    assert run("subscribers", "export", "-").out == written
    assert "1 subscription written." in run("subscribers", "export", "-", "-n", "arxiv").err


def test_a_pipe_is_read_whatever_its_bytes(home: Path) -> None:
    marked = b"\xef\xbb\xbfemail\r\na@example.org\r\n"
    ended = in_a_process("subscribers", "import", "-", given=marked)
    assert (ended.status, ended.out) == (0, "1 added, 0 changed, 0 unchanged, 0 lines left out.\n")
    broken = in_a_process("subscribers", "import", "-", given=marked + b"\xff@example.org\r\n")
    assert broken.error == "Line 3 of - can't be read as UTF-8-SIG: save the file as CSV UTF-8."
    # what no mark calls UTF-8 may be what Excel saves
    other = in_a_process("subscribers", "import", "-", given=b"email;tags\r\na@example.org;Z\xfcrich\r\n")
    assert (other.status, other.out) == (0, "0 added, 1 changed, 0 unchanged, 0 lines left out.\n")
    assert other.err.startswith("The file is not UTF-8 (line 2) and is read as Windows-1252")
    assert "Zürich" in in_a_process("subscribers", "export", "-").out


def test_columns_of_any_name_are_mapped_or_left_out(run: Run, home: Path) -> None:
    (home / "in.csv").write_text("Address;Full Name;Groups\nada@example.org;Ada Brook;lab\n")
    assert "say --map 'Address=' to leave it out" in run("subscribers", "import", "in.csv").error
    mapped = ("--map", "Address=email", "--map", "full name=", "--map", "Groups=tags")
    assert run("subscribers", "import", "in.csv", *mapped).out.startswith("1 added")
    assert ",lab," in run("subscribers", "export", "-").out
    assert (
        "which the CSV has not: it has Address, Full Name, Groups."
        in run("subscribers", "import", "in.csv", *mapped, "--map", "Phone=").error
    )
    assert (
        "'mail', which is no column: use email,"
        in run("subscribers", "import", "in.csv", "--map", "Address=mail").error
    )
    assert "--map 'Address' names no column" in run("subscribers", "import", "in.csv", "--map", "Address").error


def test_a_check_says_what_would_be_and_changes_nothing(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@example.org")
    run("subscribers", "suppress", "eve@example.org")
    (home / "in.csv").write_text(
        "email,hour\nada@example.org,7\nben@example.org,\ncy@example.org,25\neve@example.org,\nada@example.org,8\n"
    )
    before = run("subscribers", "export", "-").out
    checked = run("subscribers", "import", "in.csv", "--check")
    assert checked.status == 1
    assert checked.out == (
        "1 would be added, 1 changed, 0 unchanged, 1 refused, 2 lines left out. "
        "Nothing was changed: this was a check.\n"
    )
    assert run("subscribers", "export", "-").out == before
    assert (
        run("subscribers", "import", "in.csv").out == "1 added, 1 changed, 0 unchanged, 1 refused, 2 lines left out.\n"
    )


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


def test_who_has_unsubscribed_is_not_added_again_without_saying_so(run: Run, home: Path) -> None:
    (home / "gone.csv").write_text("email,state\nada@example.org,unsubscribed\n")
    run("subscribers", "import", "gone.csv")
    assert "has unsubscribed and stays so: if they want it back" in run("subscribers", "add", "ada@example.org").error
    assert run("subscribers", "add", "ada@example.org", "--resubscribe").status == 0
