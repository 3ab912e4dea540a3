from __future__ import annotations

import email
import email.policy
from pathlib import Path

from tests.commands.calls import DAY, SAMPLE, Run, outbox, rows


def test_a_preview_writes_three_files_and_stores_no_edition(run: Run, home: Path) -> None:
    ended = run("preview", *SAMPLE, "--out", "out")
    assert ended.status == 0
    assert "25 papers (a draft): out/digest.html" in ended.out
    html, text = (home / "out/digest.html").read_text(), (home / "out/digest.txt").read_text()
    message = email.message_from_bytes((home / "out/digest.eml").read_bytes(), policy=email.policy.default)
    assert message["Subject"].endswith("and 23 more · 9 June")
    assert message.get_body(("html",)).get_content().replace("\r\n", "\n") == html  # type: ignore[union-attr]
    assert "PAPERROUND SAMPLE" in text
    assert "invented" in html
    assert not (home / "outbox").exists()
    assert not rows(home, "edition")
    assert not rows(home, "delivery")
    assert run("preview", *SAMPLE, "--out", "out").out == ended.out


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


def test_the_week_is_previewed_and_delivered_to_who_reads_weekly(run: Run, home: Path) -> None:
    run("subscribers", "add", "ada@example.org", "--newsletter", "sample", "--frequency", "weekly")
    run("subscribers", "add", "ben@example.org", "--newsletter", "sample")
    shown = run("preview", *SAMPLE, "--weekly", "--out", "out")
    assert shown.out.startswith("Paperround sample, week to 2026-06-09, 20 papers (a draft): ")
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


def test_a_correction_can_be_counted_before_it_is_sent(run: Run, home: Path) -> None:
    counted = ("correct", "-n", "sample", "-d", DAY, "--note", "It was wrong.", "--dry-run")
    assert "nobody has to be corrected" in run(*counted).error
    run("subscribers", "add", "ada@example.org", "-n", "sample")
    run("deliver", *SAMPLE, "--all-hours")
    assert run(*counted).out == "1 reader would get a correction; nothing was sent.\n"
    assert len(outbox(home)) == 1
