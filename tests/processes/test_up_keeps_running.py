"""What happens to `paperround up` while it runs: its parts are killed, its database goes away, and it stays."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from flows.events.outgoing import HEADER, signature
from flows.papers.model import Addresses, Window
from flows.papers.sources import huggingface
from flows.storage.database import connect
from flows.storage.editions import edition
from subscribers.people.store import Change, Subscribers
from subscribers.tables import delivery
from tests.conftest import PostgresqlServer, free_port, own_postgresql
from tests.factories import HASHING_KEY
from tests.papers.server import Asked, Reply, Server, running
from tests.papers.shapes import listed, page
from tests.running_processes import processes_of

KEY = "a key of sixteen letters or more"
ADRIFT = """title = "Adrift"
description = "Its source stays away, and it goes with what is there only by its operator's word."
sources = ["huggingface", "sample"]
active = false
look_back = 0
deadline = "0m"
when_a_source_is_missing = "hold"
"""
MONTHLY = """title = "Monthly"
description = "One edition, at the beginning of the month."
sources = ["sample"]
look_back = 0
cron = "0 5 1 * *"
"""
SOON = 180
"""Seconds that something may take on a busy machine."""


@dataclass
class Up:
    """A running `paperround up`, whose mail server takes connections and says nothing."""

    process: subprocess.Popen[bytes]
    home: Path
    said: Path
    web: str
    api: str
    database: PostgresqlServer
    source: Server

    def call(self, method: str, path: str, body: object = None) -> Any:
        return self._answer(method, path, body).json()

    def _answer(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Asked again where the server is being started, or its SQLite is busy."""
        user, _, password = (self.home / "operator_login").read_text().partition(":")
        for _ in range(30):
            try:
                answer = httpx.request(method, f"{self.api}{path}", json=body, auth=(user, password), timeout=30)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                break
            time.sleep(1)
        assert answer is not None
        assert answer.is_success, (answer.status_code, answer.text)
        return answer

    def deployment(self, name: str) -> Any:
        """As soon as it is there: the first runs can be asked for before all deployments are made."""
        flow, of = name.split("/")
        wanted = {"flows": {"name": {"any_": [flow]}}, "deployments": {"name": {"any_": [of]}}}
        until(lambda: self.call("POST", "/deployments/count", wanted) == 1, self)
        return self.call("GET", f"/deployments/name/{name}")

    def start(self, deployment: str, **parameters: object) -> str:
        """Asks for a run; its id."""
        found = self.deployment(deployment)
        return str(self.call("POST", f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})["id"])

    def begin(self, deployment: str, **parameters: object) -> str:
        """The same, again where a schedule has just begun one of its own: no second goes on beside it."""
        while True:
            until(partial(self._begun, run := self.start(deployment, **parameters)), self)
            if self.state(run) != "CANCELLED":
                return run

    def _begun(self, run: str) -> bool:
        return self.state(run) not in ("SCHEDULED", "PENDING")

    def edition(self, newsletter: str, day: dt.date) -> str:
        return self.start(f"daily/{newsletter}", order={"newsletter": newsletter, "date": str(day), "dry_run": False})

    def state(self, run: str) -> str:
        return str(self.call("GET", f"/flow_runs/{run}")["state"]["type"])

    def message(self, run: str) -> str:
        return str(self.call("GET", f"/flow_runs/{run}")["state"]["message"])

    def listing(self, day: dt.date) -> str:
        """The path of the day's list at Hugging Face."""
        return huggingface.requests(Window(day=day), Addresses(huggingface=""))[0].url

    def told(self, path: str) -> list[Asked]:
        """What came to a webhook."""
        return [one for one in self.source.asked if one.path == path]

    def events(self) -> list[str]:
        return [json.loads(one.body)["event"] for one in self.told("/events")]

    def says(self, words: str) -> bool:
        return words in self.said.read_text()

    def pid(self, part: str) -> int:
        found = [pid for pid in processes_of(self.home) if f"\0flows\0{part}\0" in _command(pid)]
        assert len(found) == 1, (part, found)
        return found[0]

    def runs(self, part: str, but: int) -> bool:
        """Whether another process than this one is the part."""
        return any(pid != but and f"\0flows\0{part}\0" in _command(pid) for pid in processes_of(self.home))

    def put(self, kind: str, data: dict[str, str | dict[str, str]], name: str = "paperround") -> str:
        """A Block; its id."""
        until(lambda: any(one["slug"] == kind for one in self.call("POST", "/block_types/filter", {})), self)
        made = self.call("GET", f"/block_types/slug/{kind}")["id"]
        schema, *_ = self.call("POST", "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [made]}}})
        body = {"name": name, "data": data, "block_schema_id": schema["id"], "block_type_id": made}
        return str(self.call("POST", "/block_documents/", body)["id"])

    def planned(self, newsletter: str) -> list[str]:
        """The runs of `daily` that a schedule has planned, the next one first; their ids."""
        found = self.deployment(f"daily/{newsletter}")
        wanted = {"deployment_id": {"any_": [found["id"]]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
        order = {"flow_runs": wanted, "sort": "EXPECTED_START_TIME_ASC"}
        return [str(one["id"]) for one in self.call("POST", "/flow_runs/filter", order) if one["auto_scheduled"]]

    def shift(self, run: str, column: str, moment: dt.datetime) -> None:
        """Prefect has no call for it: a run was planned for another moment."""
        with closing(sqlite3.connect(self.home / "prefect" / "prefect.db", timeout=30)) as prefect, prefect:
            values = (moment.strftime("%Y-%m-%d %H:%M:%S.%f"), run.replace("-", ""))
            prefect.execute(f"UPDATE flow_run SET {column} = ? WHERE replace(id, '-', '') = ?", values)
            details = "UPDATE flow_run_state SET state_details = json_set(state_details, '$.scheduled_time', ?)"
            wanted = (moment.isoformat(), run.replace("-", ""))
            prefect.execute(f"{details} WHERE replace(flow_run_id, '-', '') = ? AND type = 'SCHEDULED'", wanted)

    def delete(self, path: str) -> None:
        self._answer("DELETE", path)

    def kill(self, part: str) -> None:
        os.kill(self.pid(part), signal.SIGKILL)

    def is_well(self) -> bool:
        try:
            return httpx.get(f"{self.web}/", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def until(true: Callable[[], bool], up: Up | None = None, seconds: float = SOON) -> float:
    """Waits; after how many seconds it was so."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, up and up.said.read_text()
        assert up is None or up.process.poll() is None, up.said.read_text()
        time.sleep(0.3)
    return time.monotonic() - begun


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("up")
    home, web, prefect = folder / "home", free_port(), free_port()
    with own_postgresql() as server, running() as source, socket.create_server(("127.0.0.1", 0)) as silent:
        if server is None:
            pytest.skip("no PostgreSQL programs on this machine")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERROUND_")}
        environment |= {
            "PAPERROUND_HOME_DIR": str(home),
            "PAPERROUND_DATABASE_URL": server.url.replace("+asyncpg", ""),
            "PAPERROUND_MAIL_URL": f"smtp://127.0.0.1:{silent.getsockname()[1]}",
            "PAPERROUND_MIAL_RATE": "5",
            "PAPERROUND_CACHE_DIR": str(folder / "cache"),
            "PAPERROUND_HUGGINGFACE_URL": source.url,
            "PAPERROUND_ARXIV_URL": f"{source.url}/query",
            "PAPERROUND_ALERT_URL": f"{source.url}/alerts",
            "PAPERROUND_EVENTS_URL": f"{source.url}/events",
            "PAPERROUND_EVENTS_KEY": KEY,
            "PAPERROUND_NEWSLETTERS_DIR": str(folder / "newsletters"),
        }
        (folder / "newsletters").mkdir()
        (folder / "newsletters" / "adrift.toml").write_text(ADRIFT)
        (folder / "newsletters" / "monthly.toml").write_text(MONTHLY)
        source.says("/alerts", Reply())
        source.says("/events", Reply())
        command = [sys.executable, "-P", "-m", "flows"]
        add = [*command, "subscribers", "add", "ada.brook@example.org", "-n", "sample"]
        subprocess.run(add, env=environment, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        ports = ["--port", str(web), "--prefect-port", str(prefect)]
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen([*command, "up", *ports], env=environment, cwd=folder, stdout=said, stderr=said)
        addresses = (f"http://127.0.0.1:{web}", f"http://127.0.0.1:{prefect}/api")
        here = Up(process, home, folder / "said", *addresses, server, source)
        try:
            until(lambda: here.says("Paperround is up"), here, 180)
            yield here
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(60)
        assert status == 0
        assert not processes_of(home)


def test_a_mistyped_setting_is_named_with_the_one_that_is_meant(up: Up) -> None:
    assert up.says("PAPERROUND_MIAL_RATE is no setting and does nothing: PAPERROUND_MAIL_RATE is meant?")


def test_a_web_app_that_is_killed_is_started_again_and_the_reason_is_told(up: Up) -> None:
    up.kill("web")
    until(lambda: not up.is_well(), up)
    until(up.is_well, up)
    assert re.search(r"The web stopped by itself \(signal 9\).* started again in 1 s", up.said.read_text())


@pytest.mark.parametrize("all_of_it", [False, True], ids=["alone", "with the run's own process"])
def test_a_run_whose_runner_was_killed_is_crashed_within_a_minute(up: Up, all_of_it: bool) -> None:
    """Else it would be shown as running for ever, or go on where nobody can cancel it."""
    run = up.edition("sample", dt.date(2026, 6, 9))
    until(lambda: up.state(run) == "RUNNING", up)
    runner = up.pid("runner")
    (os.killpg if all_of_it else os.kill)(runner, signal.SIGKILL)
    assert until(lambda: up.state(run) == "CRASHED", up) < 60
    if all_of_it:
        assert "The process of this run is gone" in up.message(run)
    until(lambda: not any("prefect.engine" in _command(pid) for pid in processes_of(up.home)), up)
    until(lambda: up.says(f"The runner stopped by itself (signal {signal.SIGKILL:d})"), up)


def test_a_run_that_was_being_cancelled_when_its_process_was_killed_is_cancelled_and_held(up: Up) -> None:
    """Its operator has said so, and its process did not live to hear it."""
    run = up.edition("sample", dt.date(2026, 6, 11))
    logs = {"logs": {"flow_run_id": {"any_": [run]}}}
    until(lambda: "new to this edition" in str(up.call("POST", "/logs/filter", logs)), up)
    runner = up.pid("runner")
    os.killpg(runner, signal.SIGSTOP)
    up.call("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}, "force": True})
    os.killpg(runner, signal.SIGKILL)
    until(lambda: up.state(run) == "CANCELLED", up)
    due = up.begin("deliver-due/sample", target={"newsletter": "sample"})
    until(lambda: up.state(due) == "COMPLETED", up)
    assert "(its run was cancelled, and its process was gone)" in up.message(due)


AWAY = dt.date(2026, 6, 18)
"""A day of which the source gives nothing."""


Begun = tuple[str, str, str]


@pytest.fixture(scope="module")
def begun(up: Up) -> Begun:
    """What takes its time, begun together: an edition of a source that stays away, a run that is shown as running for
    ten minutes though nothing is at work on it, and an edition one of whose sources stays away."""
    up.source.says(up.listing(AWAY), Reply(b"gone", 404))
    away = up.edition("daily", AWAY)
    upkeep = up.deployment("upkeep/nightly")
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2099-01-01T00:00:00Z"}}
    stale = up.call("POST", f"/deployments/{upkeep['id']}/create_flow_run", {"state": later})["id"]
    up.call("POST", f"/flow_runs/{stale}/set_state", {"state": {"type": "RUNNING"}, "force": True})
    before = (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(sqlite3.connect(up.home / "prefect" / "prefect.db", timeout=30)) as prefect, prefect:
        wanted = (before, str(stale).replace("-", ""))
        prefect.execute(
            "UPDATE flow_run_state SET timestamp = ? WHERE replace(flow_run_id, '-', '') = ? AND type = 'RUNNING'",
            wanted,
        )
    up.shift(up.planned("monthly")[0], "expected_start_time", dt.datetime.now(dt.UTC) - dt.timedelta(hours=2))
    up.begin("watchdog/every-few-minutes")
    return away, stale, up.edition("adrift", AWAY)


def test_a_source_that_is_away_for_twelve_seconds_costs_nothing(up: Up, begun: Begun) -> None:
    day = dt.date(2026, 6, 19)
    up.source.says(up.listing(day), Reply(fault="reset"))
    run = up.edition("daily", day)
    time.sleep(12)
    up.source.says(up.listing(day).replace("p=0", "p=1"), Reply(b"[]"))
    up.source.says(up.listing(day), Reply(page(listed())))
    until(lambda: up.state(run) in ("COMPLETED", "FAILED"), up)
    assert (up.state(run), "no edition" in up.message(run)) == ("COMPLETED", False), up.message(run)


def test_a_source_that_stays_away_makes_the_run_red_and_a_later_one_goes_on(up: Up, begun: Begun) -> None:
    run, _, _ = begun
    until(lambda: up.state(run) == "FAILED", up)
    assert "The sources are asked again at " in up.message(run)
    until(lambda: any(b"The sources are asked again" in one.body for one in up.told("/alerts")), up)
    tasks = up.call("POST", "/task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
    assert [(task["state"]["type"], task["run_count"]) for task in tasks] == [("FAILED", 4)]

    found = up.call("GET", "/deployments/name/daily/daily")
    wanted = {"deployment_id": {"any_": [found["id"]]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
    planned = up.call("POST", "/flow_runs/filter", {"flow_runs": wanted})
    [later] = [one for one in planned if one["parameters"]["order"].get("date") == str(AWAY)]
    wait = dt.datetime.fromisoformat(later["expected_start_time"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=8) < wait < dt.timedelta(minutes=10)

    up.source.says(up.listing(AWAY).replace("p=0", "p=1"), Reply(b"[]"))
    up.source.says(up.listing(AWAY), Reply(page(listed(2))))
    now = {"type": "SCHEDULED", "state_details": {"scheduled_time": dt.datetime.now(dt.UTC).isoformat()}}
    up.call("POST", f"/flow_runs/{later['id']}/set_state", {"state": now, "force": True})
    until(lambda: up.state(later["id"]) == "COMPLETED", up)


def test_an_edition_without_a_source_is_held_where_its_newsletter_wants_that(up: Up, begun: Begun) -> None:
    *_, run = begun
    until(lambda: up.state(run) == "FAILED", up)
    assert re.match(r"held: .* To send what there is, start `deliver` with 2026-06-18\.", up.message(run))
    until(lambda: any(b"paperround.edition.held" in one.body for one in up.told("/alerts")), up)


def test_an_edition_that_is_not_there_by_its_deadline_is_told_of(up: Up, begun: Begun) -> None:
    until(lambda: any(b"paperround.edition.late" in one.body for one in up.told("/alerts")), up)
    until(lambda: "paperround.edition.late" in up.events(), up)
    [late] = [one for one in map(json.loads, _bodies(up, "/events")) if one["event"] == "paperround.edition.late"]
    assert late["payload"]["newsletter"] == "monthly"


def _bodies(up: Up, path: str) -> list[bytes]:
    return [one.body for one in up.told(path)]


def test_after_a_day_of_downtime_the_days_edition_comes_and_none_of_the_days_before(up: Up) -> None:
    """Its scheduler has planned the runs, and nobody was there to start them."""
    now = dt.datetime.now(dt.UTC)
    newer, older = up.planned("monthly")[-2:]
    day = (now - dt.timedelta(hours=1)).date()
    for run, hours in ((older, 25), (newer, 1)):
        for column in ("expected_start_time", "next_scheduled_start_time"):
            up.shift(run, column, now - dt.timedelta(hours=hours))
    until(lambda: {"COMPLETED"} == {up.state(older), up.state(newer)}, up)
    assert "comes 25 hours late; to send that edition all the same" in up.message(older)
    assert "skipped" not in up.message(newer)
    until(lambda: any(b"monthly" in one and b"edition.delivered" in one for one in _bodies(up, "/events")), up)
    told = [one for one in map(json.loads, _bodies(up, "/events")) if one["event"] == "paperround.edition.delivered"]
    assert [one["payload"]["day"] for one in told if one["payload"]["newsletter"] == "monthly"] == [str(day)]


def test_what_happens_is_told_by_signed_webhooks(up: Up, begun: Begun) -> None:
    until(lambda: {"paperround.edition.composed", "paperround.edition.delivered"} <= {*up.events()}, up)
    for one in up.told("/events"):
        seconds = int(one.headers[HEADER].partition(",")[0].removeprefix("t="))
        assert one.headers[HEADER] == signature(KEY, one.body, seconds)
        assert abs(seconds - one.at) < 5


def test_a_newsletter_of_which_too_much_comes_back_is_paused_and_that_is_told(up: Up, begun: Begun) -> None:
    asyncio.run(_refuse_much(up.database.url))
    up.begin("deliver-due/daily", target={"newsletter": "daily"})
    until(lambda: "paperround.newsletter.paused" in up.events(), up)
    until(lambda: any(b"paperround.newsletter.paused" in one.body for one in up.told("/alerts")), up)


async def _refuse_much(url: str) -> None:
    """Twelve readers of the latest edition whose mail was refused for good."""
    database = connect(url)
    async with database.write() as connection:
        number = await connection.scalar(sa.select(sa.func.max(edition.c.id)).where(edition.c.newsletter == "daily"))
        refused = {"edition_id": number, "state": "rejected", "attempts": 1, "code": 550, "words": "no such user"}
        await connection.execute(
            sa.insert(delivery), [{**refused, "subscription_id": 1000 + reader} for reader in range(12)]
        )
    await database.close()


def test_the_watchdog_sets_right_what_is_shown_as_running_without_a_process(up: Up, begun: Begun) -> None:
    _, stale, _ = begun
    until(lambda: up.state(stale) == "CRASHED", up)
    assert "Nothing was heard" in up.message(stale)


def test_an_automation_that_was_deleted_stays_so(up: Up, begun: Begun) -> None:
    names = [one["name"] for one in up.call("POST", "/automations/filter", {})]
    assert len(names) == len(set(names)) == 5  # the runner has been started three times by now
    gone = up.call("POST", "/automations/filter", {})[0]
    up.delete(f"/automations/{gone['id']}")
    runner = up.pid("runner")
    up.kill("runner")
    until(lambda: up.process.poll() is None and up.runs("runner", runner), up)
    run = up.start("upkeep/nightly")  # what it serves it serves after it has made them
    until(lambda: up.state(run) == "COMPLETED", up)
    assert gone["name"] not in [one["name"] for one in up.call("POST", "/automations/filter", {})]


def test_a_variable_stops_every_delivery_and_nobody_is_lost(up: Up) -> None:
    """The mail server takes connections and says nothing: a delivery that was not stopped would wait for it."""
    variable = up.call("POST", "/variables/", {"name": "paperround_pause_all", "value": True})
    run = up.edition("sample", dt.date(2026, 6, 10))
    until(lambda: up.state(run) == "COMPLETED", up)
    assert "1 pending" in up.message(run)
    up.delete(f"/variables/{variable['id']}")


def test_a_quota_that_is_spent_is_told_of_and_the_others_wait(up: Up, tmp_path: Path) -> None:
    """Mail server and rate are set in Prefect, since those of the environment are others."""
    server = up.put("paperround-mail-server", {"url": f"maildir://{tmp_path / 'outbox'}"})
    rate = up.call("POST", "/variables/", {"name": "paperround_mail_rate", "value": "1/day"})
    asyncio.run(_subscribe(up.database.url))
    run = up.edition("sample", dt.date(2026, 6, 12))
    until(lambda: up.state(run) in ("COMPLETED", "FAILED"), up)
    assert "1 pending, 1 sent" in up.message(run)
    assert len([*(tmp_path / "outbox" / "new").iterdir()]) == 1
    until(lambda: any(b"paperround.quota.spent" in one.body for one in up.told("/alerts")), up)
    up.delete(f"/block_documents/{server}")
    up.delete(f"/variables/{rate['id']}")


async def _subscribe(url: str) -> None:
    database = connect(url)
    reader = Change(email="ben.cole@example.org", newsletter="sample", columns={})
    await Subscribers(database, HASHING_KEY).keep([reader], dt.datetime.now(dt.UTC))
    await database.close()


def test_a_prefect_server_that_is_killed_is_started_again_and_runs_go_on(up: Up) -> None:
    up.kill("server")
    until(lambda: up.says("The server stopped by itself (signal 9)"), up)
    run = up.start("upkeep/nightly")
    until(lambda: up.state(run) == "COMPLETED", up)


def test_a_database_that_is_away_for_twenty_seconds_is_told_and_survived(up: Up) -> None:
    up.database.stop()
    time.sleep(20)
    assert up.process.poll() is None
    assert up.says("The database is away (")
    up.database.start()
    until(lambda: up.says("The database is there again."), up)
    until(up.is_well, up)
    run = up.start("upkeep/nightly")
    until(lambda: up.state(run) == "COMPLETED", up)


MAKE = """
import asyncio
from flows.alarms.automations import make_automations
from flows.config.settings import load_settings
print(*asyncio.run(make_automations(load_settings())), sep="; ")
"""


def test_alerts_go_by_a_notification_block_that_is_named(up: Up) -> None:
    """A Block that is not there is said to be missing."""

    def made(block: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PAPERROUND_"))}
        kept |= {"PREFECT_API_URL": up.api, "PREFECT_API_AUTH_STRING": (up.home / "operator_login").read_text().strip()}
        kept |= {"PAPERROUND_ALERT_BLOCK": block, "PAPERROUND_HOME_DIR": str(up.home)}
        return subprocess.run([sys.executable, "-c", MAKE], env=kept, check=False, capture_output=True, text=True)

    assert "PAPERROUND_ALERT_BLOCK is 'custom-webhook/nobody', and Prefect has no such Block" in (
        made("custom-webhook/nobody").stderr
    )
    up.source.says("/notified", Reply())
    hook: dict[str, str | dict[str, str]] = {
        "name": "ours",
        "url": f"{up.source.url}/notified",
        "method": "POST",
        "json_data": {"text": "{{body}}"},
    }
    up.put("custom-webhook", hook, "operators")
    for one in up.call("POST", "/automations/filter", {}):
        up.delete(f"/automations/{one['id']}")
    up.delete("/variables/name/paperround_automations")
    done = made("custom-webhook/operators")
    assert done.returncode == 0, done.stderr
    assert "Paperround: an edition is held" in done.stdout
    held = {
        "id": str(uuid4()),
        "event": "paperround.edition.held",
        "occurred": dt.datetime.now(dt.UTC).isoformat(),
        "resource": {"prefect.resource.id": "paperround.edition.sample.2026-06-13"},
        "payload": {"newsletter": "sample", "reason": "its run was cancelled"},
    }
    user, _, password = (up.home / "operator_login").read_text().partition(":")

    def is_told() -> bool:
        if any(b"its run was cancelled" in one.body for one in up.told("/notified")):
            return True
        # what comes before the server has read its automations is nobody's
        httpx.post(f"{up.api}/events", json=[{**held, "id": str(uuid4())}], auth=(user, password), timeout=30)
        return False

    until(is_told, up)
