"""The list of who is never mailed, in and out, and domains."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.commands.calls import Run


def test_the_list_of_suppressions_goes_in_and_out(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@one.example")
    md5 = hashlib.md5(b"eve@none.example", usedforsecurity=False).hexdigest()
    (home / "list.csv").write_text(f"email,md5,reason\nnobody,,\nADA@one.example,,complaint\n,{md5},\n")
    checked = run("suppressions", "import", "list.csv", "--check").out
    ended = run("suppressions", "import", "list.csv")
    assert checked.split(";")[0].split(" would")[0] == ended.out.split(";")[0], checked
    assert "Nothing was changed: this was a check." in checked
    assert ended.out == "2 new suppressions; 1 subscriber of ours gets no more mail. 1 line could not be read.\n"
    assert (ended.status, ended.err) == (1, "Line 2: 'nobody' is no address.\n")
    assert run("suppressions", "import", "list.csv").out.startswith("0 new suppressions; 0 subscribers")
    assert "suppressed (complaint)" in run("subscribers", "list").out
    first, *rows = run("suppressions", "export", "-").out.splitlines()
    assert first == "email,sha256,key,reason,at"
    assert rows[0].startswith(f"ada@one.example,{hashlib.sha256(b'ada@one.example').hexdigest()},")
    assert "@" not in run("suppressions", "export", "--hashed", "-").out
    lift = ("suppressions", "lift", "--reason", "complaint")
    assert run(*lift, "--dry-run").out == "1 address is suppressed so. Nothing was changed.\n"
    assert run(*lift).out.startswith("1 address is mailed again")
    assert "suppressed" not in run("subscribers", "list").out


def test_a_domain_is_blocked_allowed_and_forgotten(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@one.example")
    assert "1 subscriber until now" in run("suppressions", "block", "@One.example").out
    assert run("suppressions", "domains").out == "blocked  one.example\n"
    refused = run("subscribers", "add", "ben@mail.one.example")
    assert (refused.status, "blocked" in refused.err) == (2, True)
    assert "1 subscriber is mailed again." in run("suppressions", "allow", "one.example").out
    assert run("suppressions", "domains").out == "allowed  one.example\n"
    run("suppressions", "forget", "one.example")
    assert run("suppressions", "domains").out == "No domain is blocked or allowed.\n"
    assert "suppressed" not in run("subscribers", "list").out
