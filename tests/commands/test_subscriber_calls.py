"""`paperround subscribers …`: what its options mean together, and what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.calls import DAY, Run

ADA = "ada@example.org"
ONE = "Name an address, or with --lift an --edition or the day --on which it was: one of them."
LIFT = "--edition and --on say what to lift: say --lift with them."


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("suppress",), ONE),
        (("suppress", ADA, "--lift", "--on", DAY), ONE),
        (("suppress", "--lift", "--edition", f"sample/{DAY}", "--on", DAY), ONE),
        (("suppress", "--edition", f"sample/{DAY}"), LIFT),
        (("suppress", "--on", DAY), LIFT),
        (("suppress", "--lift", "--on", "soon"), "'soon' is no date"),
        (("suppress", "--lift", "--edition", f"sample/{DAY}"), "Paperround sample has no daily edition of 2026-06-09"),
        (("import", "in.csv", "--map", "=email"), "--map '=email' names no column: write it as"),
        (("import", "in.csv", "--map", "x" * 99), f"--map '{'x' * 40}' names no column"),
        (("forget", ADA), "Nothing was done: say --yes where nobody can be asked."),
    ],
)
def test_options_that_say_nothing_together_are_told_in_one_sentence(
    run: Run, home: Path, call: tuple[str, ...], words: str
) -> None:
    (home / "in.csv").write_text("email\nada@example.org\n")
    assert words in run("subscribers", *call).error


def test_what_is_not_named_is_left_as_it_was_and_an_empty_value_is_one(run: Run) -> None:
    given = {
        "topics": "agents",
        "keywords": "a;b",
        "authors": "Ada Brook",
        "leave_out": "c",
        "frequency": "weekdays",
        "hour": "7",
        "zone": "Europe/Berlin",
        "language": "de",
    }
    options = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
    run("subscribers", "add", ADA, *options)

    def kept() -> dict[str, object]:
        (found,) = json.loads(run("subscribers", "list", "--json").out)
        return dict(found)

    first = kept()
    assert (first["topics"], first["keywords"], first["authors"], first["leave_out"]) == (
        ["agents"],
        ["a", "b"],
        ["Ada Brook"],
        ["c"],
    )
    assert (first["frequency"], first["hour"], first["zone"], first["language"]) == (
        "weekdays",
        7,
        "Europe/Berlin",
        "de",
    )
    run("subscribers", "add", ADA)
    assert kept() == first
    run("subscribers", "add", ADA, "--hour", "", "--language", "", "--keywords", "")
    assert kept() == first | {"hour": None, "language": "", "keywords": []}


def test_a_list_is_of_one_newsletter_or_state_alone(run: Run) -> None:
    run("subscribers", "add", ADA, "-n", "sample")
    run("subscribers", "add", "ben@example.org")
    run("subscribers", "suppress", "ben@example.org", "--reason", "complaint")
    for asked, addresses in (
        ((), [ADA, "ben@example.org"]),
        (("-n", "sample"), [ADA]),
        (("--state", "suppressed"), ["ben@example.org"]),
        (("--state", "confirmed", "-n", "daily"), []),
    ):
        assert [one["email"] for one in json.loads(run("subscribers", "list", "--json", *asked).out)] == addresses


def test_an_operators_own_suppression_is_lifted_by_its_address_alone(run: Run) -> None:
    run("subscribers", "suppress", ADA)
    assert run("subscribers", "suppress", "--lift", "--on", "today").out.startswith("Nobody was suppressed then")
    assert run("subscribers", "suppress", ADA, "--lift").out.startswith(f"{ADA} may be mailed again")


def test_a_bad_line_is_told_by_the_status_and_bytes_for_a_pipe_by_nothing_else(run: Run, home: Path) -> None:
    (home / "bad.csv").write_text("email\nnobody\n")
    (home / "good.csv").write_text("email\nada@example.org\n")
    assert [run("subscribers", "import", name).status for name in ("bad.csv", "good.csv")] == [1, 0]
    exported = run("subscribers", "export", "-")
    assert (exported.out.count(ADA), exported.err) == (1, "1 subscription written.\n")
    assert run("subscribers", "forget", ADA, "--yes").status == 0
    assert ADA not in run("subscribers", "export", "-").out
