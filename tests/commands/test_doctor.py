"""The doctor finds what would keep mail from its readers, says what to do, and sends nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import dns.asyncresolver
import pytest
import sqlalchemy as sa

from flows.commands.dkim_new import new as new_key
from flows.commands.dns_records import Finding, Grade
from flows.commands.doctor import examine
from flows.config.settings import Settings
from flows.context import open_context
from flows.delivery.clock_jumps import look, remember
from flows.sending.dkim import read_key
from subscribers.people.store import Change
from tests.conftest import free_port
from tests.crashes.outages import small_disk
from tests.names import Records, name_server
from tests.papers.server import Reply, running
from tests.sending.smtp import MailServer, mail_server

DOMAIN = "lab.example.org"
PUBLISHED: Records = {
    (DOMAIN, "TXT"): ['"v=spf1 include:relay.example.net ~all"', '"other"'],
    ("relay.example.net", "TXT"): ['"v=spf1 ip4:11.22.33.44 -all"'],
    (DOMAIN, "MX"): ["10 mx.lab.example.org."],
    ("_dmarc.example.org", "TXT"): ['"v=DMARC1; " "p=quarantine"'],
}


def settings(folder: Path, **given: Any) -> Settings:
    fresh: dict[str, Any] = {"home_dir": folder / "home", "cache_dir": folder / "cache"}
    fresh |= {"sender": f"Paperround <digest@{DOMAIN}>", "postal_address": "1 Example Street, Sampletown"}
    return Settings(_env_file=None, **(fresh | given))


async def found(
    settings: Settings, records: Records | None = None, failing: str = ""
) -> dict[str, list[tuple[Grade, str]]]:
    async with name_server(PUBLISHED if records is None else records, failing) as resolver:
        return by_thing([finding async for finding in examine(settings, resolver)])


def by_thing(findings: list[Finding]) -> dict[str, list[tuple[Grade, str]]]:
    things: dict[str, list[tuple[Grade, str]]] = {}
    for finding in findings:
        things.setdefault(finding.about, []).append((finding.grade, finding.words))
    return things


def grades(things: dict[str, list[tuple[Grade, str]]]) -> dict[str, str]:
    return {about: " ".join(grade for grade, _ in told) for about, told in things.items()}


async def test_where_everything_is_well(tmp_path: Path) -> None:
    """But for the web app's address, which can't be this machine's own."""
    key = tmp_path / "june.pem"
    new_key(settings(tmp_path), "june", DOMAIN, "rsa", key)
    place, text = read_key(key.read_bytes(), "june", DOMAIN).record
    records = {**PUBLISHED, (place, "TXT"): [" ".join(f'"{text[i : i + 200]}"' for i in range(0, len(text), 200))]}
    async with open_context(settings(tmp_path)) as context:
        assert context.settings.keys
        assert context.settings.hashing_key
    box = tmp_path / "box"
    for part in ("new", "cur", "tmp"):
        (box / part).mkdir(parents=True)
    with running() as web:
        web.says("/healthz", Reply(b"ok\n"))
        async with mail_server() as server:
            things = await found(
                settings(
                    tmp_path,
                    mail_url=server.url,
                    public_url=web.url,
                    dkim_key=str(key),
                    dkim_selector="june",
                    returns_url=f"maildir://{box}",
                ),
                records,
            )
            assert (server.taken, server.breaches) == ([], [])
    assert list(things) == [
        *(
            "Installation",
            "Newsletters",
            "Languages",
            "Database",
            "Keys",
            "Files",
            "Clock",
            "Public address",
            "Proxies",
            "Mail server",
            "Sender",
            "Bounces",
        ),
        *("Returned mail", "SPF", "DKIM", "DMARC"),
    ]
    assert {about for about, grade in grades(things).items() if grade != "ok"} == {"Public address"}
    ((grade, words),) = things["Public address"]
    assert (grade, "set PAPERROUND_PUBLIC_URL" in words) == (Grade.WRONG, True)
    assert things["DMARC"] == [(Grade.OK, "_dmarc.example.org says p=quarantine.")]


async def test_nothing_is_made(tmp_path: Path) -> None:
    """Neither a database nor keys: whose they were, and that they were lost, could not be told any more."""
    things = await found(settings(tmp_path))
    assert (grades(things)["Database"], grades(things)["Keys"]) == ("look", "look")
    assert os.listdir(tmp_path) == []


async def test_a_setting_that_is_none_is_named_with_the_one_that_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERROUND_MIAL_RATE", "5")
    ((grade, words),) = (await found(settings(tmp_path)))["Installation"]
    assert (grade, "PAPERROUND_MAIL_RATE is meant: correct its name." in words) == (Grade.LOOK, True)


async def test_a_key_that_was_lost_is_told(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path)) as context:
        change = Change(email="ada@example.net", newsletter="daily", columns={})
        await context.subscribers.keep([change], context.now())
        assert context.settings.keys
    (tmp_path / "home" / "suppression_key").unlink()
    ((grade, words),) = (await found(settings(tmp_path)))["Keys"]
    assert (grade, "suppression_key is missing: bring it back from your backups" in words) == (Grade.WRONG, True)


async def test_keys_that_others_can_read_are_told(tmp_path: Path) -> None:
    """Where every folder above lets them through: pytest's own does not."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)  # noqa: ASYNC240
    try:
        async with open_context(settings(folder)) as context:
            assert context.settings.keys
        assert grades(await found(settings(folder)))["Files"] == "ok"
        (folder / "home").chmod(0o755)
        (folder / "home" / "secret_key").chmod(0o644)
        ((grade, words),) = (await found(settings(folder)))["Files"]
        assert grade == Grade.WRONG
        assert words.endswith(f"`chmod go-rwx {folder / 'home'} {folder / 'home' / 'secret_key'}`.")
    finally:
        shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
async def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    things = await found(settings(tmp_path))
    assert any("can't be written by this user" in words for _, words in things["Files"])


async def test_a_disk_that_is_nearly_full_is_told(tmp_path: Path) -> None:
    with small_disk(tmp_path, 5000) as disk:
        if disk is None:
            pytest.skip("only root may have a disk of its own")
        home = disk / "home"
        home.mkdir(mode=0o700)
        ((grade, words),) = (await found(settings(tmp_path, home_dir=home)))["Disk"]
        assert grade == Grade.WRONG
        assert words == f"4 MB are free where {home} lies: make room, before nothing can be recorded."


@pytest.mark.parametrize("trusted", ["0.0.0.0/0", "::/0", "127.0.0.1, 0.0.0.0/1"])
async def test_a_proxy_that_is_everybody_is_told(tmp_path: Path, trusted: str) -> None:
    ((grade, words),) = (await found(settings(tmp_path, trusted_proxies=trusted)))["Proxies"]
    assert (grade, "Name the proxy's own address" in words) == (Grade.WRONG, True)


async def test_a_database_of_another_version_is_left_as_it_is(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path)) as context, context.database.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = 'older'"))
    things = await found(settings(tmp_path))
    assert things["Database"][0][1] == "SQLite, empty or of another version: `paperround up` brings it up to date."


async def test_a_server_that_puts_mail_off_may_take_it_later(tmp_path: Path) -> None:
    async with mail_server() as server:
        things = await found(settings(tmp_path, mail_url=server.url, return_path="grey-1@lab.example.org"))
    ((grade, words),) = things["Mail server"]
    assert (grade, "(451: " in words) == (Grade.LOOK, True)


async def test_where_nothing_is_published_each_line_says_what_to_do(tmp_path: Path) -> None:
    key = tmp_path / "june.pem"
    new_key(settings(tmp_path), "june", DOMAIN, "ed25519", key)
    things = await found(settings(tmp_path, dkim_key=str(key), dkim_selector="june"), {})
    assert "add a TXT record" in things["SPF"][0][1]
    assert "add it as TXT record" in things["DKIM"][0][1]
    assert "add the TXT record _dmarc.lab.example.org" in things["DMARC"][0][1]
    assert things["Bounces"][0][1].startswith("lab.example.org is not known to DNS")
    assert things["Mail server"][0][1].startswith("PAPERROUND_MAIL_URL is not set: ")
    assert {grade for about in ("SPF", "DKIM", "DMARC", "Bounces") for grade, _ in things[about]} == {Grade.WRONG}


async def test_a_name_server_that_fails_is_no_missing_record(tmp_path: Path) -> None:
    things = await found(settings(tmp_path), failing="example.org")
    assert grades(things)["SPF"] == grades(things)["DMARC"] == grades(things)["Bounces"] == "look"
    assert "could not be looked up" in things["SPF"][0][1]


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (MailServer(refuses_sender="digest@lab.example.org"), "would take no mail from and to digest@lab.example.org"),
        (MailServer(closed=True), "can't be used (421"),
        (MailServer(login=("ada", "secret")), "530"),
    ],
)
async def test_a_mail_server_that_would_take_nothing(tmp_path: Path, server: MailServer, words: str) -> None:
    async with mail_server(server):
        things = await found(settings(tmp_path, mail_url=server.url))
        assert server.taken == []
    ((grade, told),) = things["Mail server"]
    assert (grade, words in told) == (Grade.WRONG, True)


async def test_a_server_that_is_not_there_and_a_web_app_that_is_another(tmp_path: Path) -> None:
    with running() as web:
        things = await found(
            settings(
                tmp_path, mail_url=f"smtp://127.0.0.1:{free_port()}", public_url=web.url, returns_url="maildir:///no"
            )
        )
    assert "check PAPERROUND_MAIL_URL" in things["Mail server"][0][1]
    assert "answers 404, and not as our web app does" in things["Public address"][1][1]
    assert things["Returned mail"] == [
        (Grade.WRONG, "/no is no maildir (it has no folder new): check PAPERROUND_RETURNS_URL.")
    ]


STRICT: Records = {**PUBLISHED, ("_dmarc.example.org", "TXT"): ['"v=DMARC1;p=reject;aspf=s;adkim=s"']}


@pytest.mark.parametrize(
    ("return_path", "signs", "records", "asks"),
    [
        ("", "", PUBLISHED, False),
        ("bounces@other.example.org", "", PUBLISHED, False),  # of the same organisation
        ("bounces@bounces.lab.example.org", "", STRICT, True),
        ("bounces@example.com", "", PUBLISHED, True),
        ("bounces@example.com", "mail.example.org", PUBLISHED, False),
        ("bounces@example.com", "mail.example.org", STRICT, True),
        ("bounces@example.com", DOMAIN, STRICT, False),
        ("bounces@example.com", "example.net", PUBLISHED, True),
    ],
)
async def test_mail_that_a_policy_would_turn_away_is_told(
    tmp_path: Path, return_path: str, signs: str, records: Records, asks: bool
) -> None:
    given: dict[str, Any] = {"return_path": return_path}
    if signs:
        key = tmp_path / "june.pem"
        new_key(settings(tmp_path), "june", signs, "ed25519", key)
        given |= {"dkim_key": str(key), "dkim_selector": "june", "dkim_domain": signs}
    told = (await found(settings(tmp_path, **given), records))["DMARC"]
    assert [grade for grade, _ in told] == [Grade.OK, Grade.LOOK][: 1 + asks]
    assert not asks or "it wants mail from lab.example.org signed for that domain" in told[1][1]


async def test_a_domain_that_takes_no_mail_is_none_for_bounces(tmp_path: Path) -> None:
    things = await found(settings(tmp_path), {**PUBLISHED, (DOMAIN, "MX"): ["0 ."]})
    assert grades(things)["Bounces"] == "wrong"
    things = await found(settings(tmp_path), {(DOMAIN, "A"): ["192.0.2.1"]})
    assert grades(things)["Bounces"] == "look"


async def test_nothing_raises_where_nothing_is_set(tmp_path: Path) -> None:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = free_port()
    file = tmp_path / "file"
    file.touch()
    bad = Settings(
        _env_file=None,
        home_dir=file,
        dkim_key="/no/key",
        dkim_selector="a",
        database_url="mysql://x",
        public_url="https://[abc",
        mail_url="smtp://user:pa℀ssword@mail.example.org",
    )
    things = by_thing([finding async for finding in examine(bad, resolver)])
    assert "use sqlite:///FILE" in things["Database"][0][1]
    assert "which can't be read" in things["DKIM"][0][1]
    assert "ValueError" in things["Public address"][0][1]
    assert things["Mail server"][0][1].startswith("PAPERROUND_MAIL_URL is no URL: ")
    assert things["Sender"][0][0] is Grade.WRONG
    assert "SPF" not in things


def test_the_command_tells_each_thing_in_a_line_and_ends_with_1_if_one_is_wrong(tmp_path: Path) -> None:
    # nothing answers there, whatever else runs on this machine
    given = {"PAPERROUND_HOME_DIR": str(tmp_path), "PAPERROUND_PUBLIC_URL": f"http://127.0.0.1:{free_port()}"}
    done = subprocess.run(
        [sys.executable, "-m", "flows", "doctor"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **given},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    *lines, last = done.stdout.splitlines()
    assert all(line.startswith(("ok    ", "look  ", "wrong ")) for line in lines)
    assert "wrong Sender: PAPERROUND_SENDER is Paperround <paperround@localhost>: set it" in done.stdout
    assert last == "4 are wrong, 4 to look at."


async def test_a_prefect_server_that_lets_anybody_in_is_told(tmp_path: Path) -> None:
    kept = tmp_path / "home" / "prefect" / "address"
    kept.parent.mkdir(parents=True)
    cases = (
        (200, Grade.WRONG, "runs code as you"),
        (401, Grade.OK, "a login"),
        (503, Grade.LOOK, "is busy (503)"),
        (404, Grade.LOOK, "answers 404"),
    )
    for status, grade, words in cases:
        with running() as server:
            kept.write_text(f"{server.url}/api")
            server.says("/api/admin/version", Reply(b"0", status))
            ((told, said),) = (await found(settings(tmp_path)))["Prefect"]
            assert told is grade
            assert words in said


async def test_keys_of_another_installation_are_told_and_none_are_made(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path)):
        pass
    other = settings(tmp_path, home_dir=tmp_path / "other", database_url=f"sqlite:///{tmp_path / 'home/paperround.db'}")
    told = (await found(other))["Database"]
    assert (told[1][0], "copy the file secret_key" in told[1][1]) == (Grade.WRONG, True)
    assert not (tmp_path / "other").exists()


async def test_a_clock_that_jumped_is_told(tmp_path: Path) -> None:
    async with open_context(settings(tmp_path)) as context:
        home = context.settings.home_dir
    seen = look()
    if not seen.boot:
        pytest.skip("this system does not say when it was started")
    remember(home, replace(seen, wall=seen.wall - 3 * 86400))
    ((grade, words),) = (await found(settings(tmp_path)))["Clock"]
    assert (grade, "jumped by +72.0 hours" in words) == (Grade.LOOK, True)
