"""The whole thing: `paperround demo` as a process, with its Prefect server, asked and stopped as a person would."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import email
import email.policy
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes.hostile_folder import PASSWORD, environment_of, hostile_folder, unchanged
from tests.running_processes import processes_of
from tests.sending.smtp import mail_server

START = 180
"""Seconds that a start may take on a busy machine; on a quiet one it takes half a minute."""


OPERATOR = "editor@example.org"
SLOW = """title = "Slow"
description = "Its delivery takes a while."
sources = ["sample"]
active = false
look_back = 0
"""
ASKED = """title = "Asked first"
description = "Its operator allows each edition."
sources = ["sample"]
active = false
look_back = 0
approval = "wait"
approval_otherwise = "send"
"""


@dataclass
class Demo:
    process: subprocess.Popen[str]
    home: Path
    elsewhere: Path
    """The folder that it was started in, with things of the user's own."""
    said: str
    prefect: str
    site: str
    login: str

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Prefect's API; with SQLite it answers 503 now and then while somebody else writes."""
        for _ in range(10):
            url, headers = f"{self.prefect}/api{path}", self.authorization
            answer = httpx.request(method, url, json=body, timeout=30, headers=headers)
            if answer.status_code != 503:
                break
            time.sleep(0.5)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Basic {base64.b64encode(self.login.encode()).decode()}"}

    def as_operator(self, url: str) -> httpx.Response:
        """A page of the web app's, for whoever has logged in."""
        with httpx.Client() as browser:
            assert browser.post(f"{self.site}/login", data={"login": self.login}).status_code == 303
            return browser.get(url)

    def run(self, deployment: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Starts a run as the form of the UI does, and waits for its end, or until it is suspended."""
        found = self.api("GET", f"/deployments/name/{deployment}")
        path = f"/deployments/{found['id']}/create_flow_run"
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            run = self.ended(self.api("POST", path, {"parameters": parameters}))
            # at a quarter of an hour a schedule has begun one of its own, and no second goes on beside it
            if "concurrency limit reached" not in (run["state"]["message"] or ""):
                return run
            time.sleep(1)
        pytest.fail("Another run of the deployment goes on for ever.")

    def resume(self, run: dict[str, Any], **answer: Any) -> str:
        """Resumes a run with what its form holds; whether Prefect takes it."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            said = self.api("POST", f"/flow_runs/{run['id']}/resume", {"run_input": answer})
            # what its SQLite turned away while another wrote is asked again, as one presses the button again
            if "Error validating state" not in ((said["details"] or {}).get("reason") or ""):
                return str(said["status"])
            time.sleep(1)
        pytest.fail(f"Prefect turns every Resume away: {said['details']}")

    def ended(self, run: dict[str, Any], *other: str) -> dict[str, Any]:
        deadline = time.monotonic() + START
        while run["state"]["type"] not in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED", *(other or ("PAUSED",))):
            assert time.monotonic() < deadline, run["state"]
            time.sleep(0.5)
            run = self.api("GET", f"/flow_runs/{run['id']}")
        return dict(run)

    def artifacts(self, run: dict[str, Any]) -> dict[str, Any]:
        rows = self.api("POST", "/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run["id"]]}}})
        return {row["key"]: row["data"] for row in rows}

    def told(self, event: str, newsletter: str, day: str) -> dict[str, Any]:
        """What the latest event of an edition says; it reaches the server some seconds after it was told."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            found = self.api("POST", "/events/filter", {"filter": {"event": {"name": [event]}}})["events"]
            told = [one["payload"] for one in found]
            mine = [one for one in told if (one["newsletter"], one.get("day")) == (newsletter, day)]
            if mine:
                return dict(mine[0])
            time.sleep(0.5)
        raise AssertionError(f"nobody was told of {event}")

    def mails(self) -> list[Path]:
        return sorted((self.home / "inbox" / "new").iterdir())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    elsewhere = hostile_folder(folder / "elsewhere")
    (folder / "newsletters").mkdir()
    (folder / "newsletters" / "asked.toml").write_text(ASKED)
    (folder / "newsletters" / "slow.toml").write_text(SLOW)
    more = {"PAPERROUND_NEWSLETTERS_DIR": str(folder / "newsletters"), "PAPERROUND_OPERATOR_ADDRESS": OPERATOR}
    more["PAPERROUND_MAIL_RATE"] = "8/s"  # so that a delivery can be stopped in its middle
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "flows", "demo", "--offline", "--home", str(folder / "home")],
        cwd=elsewhere,
        env=environment_of(elsewhere) | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if "until you press Ctrl-C" in line:
                break
        places = dict(re.findall(r"^ +(\S.*?)  +(http\S+)$", said, re.MULTILINE))
        try:
            assert "Prefect: the run" in places, said
            yield Demo(
                process=process,
                home=folder / "home",
                elsewhere=elsewhere,
                said=said,
                prefect=places["Prefect: the run"].split("/login")[0],
                site=places["The inbox"].removesuffix("/inbox"),
                login=re.findall(r"^ +Its login, asked once +(\S+)$", said, re.MULTILINE)[0],
            )
        finally:
            process.kill()


def order(date: str, *, dry_run: bool = False) -> dict[str, Any]:
    return {"order": {"newsletter": "sample", "date": date, "dry_run": dry_run}}


def test_it_delivers_the_sample_and_says_where_to_look(demo: Demo) -> None:
    assert "Offline, as you wished" in demo.said
    assert "Deliveries: 1 sent." in demo.said
    mail = email.message_from_bytes(demo.mails()[0].read_bytes(), policy=email.policy.default)
    assert mail["To"] == "reader@example.org"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "This is a sample" in text.get_content()


def test_every_page_that_it_names_is_there(demo: Demo) -> None:
    for address in re.findall(r"(http://\S+)", demo.said):
        as_a_browser = {"Accept": "text/html"}
        assert httpx.get(address, headers=as_a_browser, follow_redirects=True).status_code == 200, address
    assert httpx.get(f"{demo.site}/healthz").text == "ok\n"


def test_a_run_from_the_form_leaves_the_edition_its_preview_and_the_delivery_report(demo: Demo) -> None:
    before = len(demo.mails())
    run = demo.run("daily/sample", order("2026-06-09"))
    assert run["state"]["type"] == "COMPLETED", run["state"]
    assert run["state"]["message"] == "Deliveries: 1 sent."
    assert len(demo.mails()) == before + 1
    found = demo.artifacts(run)
    assert "Agents" in found["edition-sample"]
    assert "| sent | 1 |" in found["delivery-sample"]
    link = re.search(r"\((http\S+)\)", found["preview-sample"])
    assert link is not None
    assert httpx.get(link[1]).status_code == 303
    assert demo.as_operator(link[1]).status_code == 200
    who = re.search(r"\[Who got it\]\((http\S+)\)", found["delivery-sample"])
    assert who is not None
    assert "reader@example.org" in demo.as_operator(who[1]).text
    assert httpx.get(who[1]).content == b""
    assert "reader@example.org" not in str(found)
    tasks = demo.api("POST", "/task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
    assert {task["name"].split()[0] for task in tasks} == {"collect", "compose", "deliver"}


def test_running_a_day_again_mails_nobody_twice(demo: Demo) -> None:
    demo.run("daily/sample", order("2026-06-09"))
    before = len(demo.mails())
    run = demo.run("daily/sample", order("2026-06-09"))
    assert run["state"]["message"] == "Deliveries: 1 sent (1 of them before this run)."
    assert len(demo.mails()) == before


def test_a_dry_run_shows_the_edition_and_stores_and_sends_none(demo: Demo) -> None:
    before = len(demo.mails())
    run = demo.run("daily/sample", order("2026-06-16", dry_run=True))
    assert run["state"]["message"] == "dry run: 25 papers, no edition stored, no mail sent"
    assert len(demo.mails()) == before
    assert "Agents" in demo.artifacts(run)["edition-sample"]
    assert httpx.get(f"{demo.site}/archive/sample/2026-06-16").status_code == 404


def test_a_weekly_run_brings_the_week_to_weekly_readers_alone(demo: Demo) -> None:
    paperround(demo, "subscribers", "add", "sunday@example.org", "--newsletter", "sample", "--frequency", "weekly")
    before = len(demo.mails())
    run = demo.run("weekly/sample", order("2026-06-13"))
    assert run["state"]["message"] == "Deliveries: 1 sent."
    assert len(demo.mails()) == before + 1
    found = demo.artifacts(run)
    assert "| sent | 1 |" in found["delivery-sample-weekly"]
    link = re.search(r"\((http\S+)\)", found["preview-sample-weekly"])
    assert link is not None
    assert "/preview/sample/week/2026-06-13" in link[1]
    assert demo.as_operator(link[1]).status_code == 200
    assert httpx.get(f"{demo.site}/archive/sample/week/2026-06-13").status_code == 200


def test_a_run_waits_for_its_operator_and_sends_what_they_decide(demo: Demo) -> None:
    paperround(demo, "subscribers", "add", "asked@example.org", "--newsletter", "asked")
    before = set(demo.mails())
    run = demo.run("daily/asked", {"order": {"newsletter": "asked", "date": "2026-06-09", "dry_run": False}})
    assert run["state"]["name"] == "Suspended"
    (test,) = set(demo.mails()) - before
    assert b"To: editor@example.org" in test.read_bytes()
    assert "**25 papers wait for your word**" in demo.artifacts(run)["approval-asked"]
    schema = demo.api("GET", f"/flow_runs/{run['id']}/input/suspended-approval-schema")
    papers = schema["properties"]["drop"]["items"]["enum"]
    assert demo.resume(run, decision="send", drop=["0000.00000: A paper of another day"]) == "REJECT"
    answer = {"decision": "send", "note": "Good <b>morning</b>.", "drop": [papers[3]], "lead": papers[5]}
    assert demo.resume(run, **answer) == "ACCEPT"
    assert demo.resume(run) == "ABORT"
    run = demo.ended(demo.api("GET", f"/flow_runs/{run['id']}"), "")
    assert run["state"]["message"] == "Deliveries: 1 sent."
    (mail,) = set(demo.mails()) - before - {test}
    read = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    html, text = (read.get_body((kind,)) for kind in ("html", "plain"))
    assert html is not None
    assert text is not None
    assert "Good &lt;b&gt;morning&lt;/b&gt;." in html.get_content()
    assert "Good <b>morning</b>." in text.get_content()
    assert papers[3].partition(": ")[0] not in html.get_content()
    assert papers[5].partition(": ")[0] in html.get_content()


def test_an_untouched_resume_holds_and_a_word_given_elsewhere_ends_the_waiting(demo: Demo) -> None:
    parameters = {"order": {"newsletter": "asked", "date": "2026-06-10", "dry_run": False}}
    run = demo.run("daily/asked", parameters)
    before = len(demo.mails())
    assert demo.resume(run) == "ACCEPT"
    run = demo.ended(demo.api("GET", f"/flow_runs/{run['id']}"), "")
    assert run["state"]["name"] == "Held"
    again = demo.run("daily/asked", parameters)
    assert again["state"]["name"] == "Suspended"
    word = {"newsletter": "asked", "date": "2026-06-10", "kind": "daily", "decision": "send"}
    sent = demo.run("approve/asked", {"word": word | {"subject": "From elsewhere"}})
    assert sent["state"]["message"] == "The daily edition of 2026-06-10 is allowed. Deliveries: 1 sent."
    for what in ("held", "approved"):
        assert demo.told(f"paperround.edition.{what}", "asked", "2026-06-10")["by"] == "operator"
    assert demo.api("GET", f"/flow_runs/{again['id']}")["state"]["message"].startswith("decided elsewhere: ")
    # the one to the operator, when they were asked again, and the one to the reader
    fresh = [re.findall(rb"^(?:To|Subject): .*", mail.read_bytes(), re.M) for mail in demo.mails()[before:]]
    assert len(fresh) == 2, fresh


def test_a_test_is_mailed_to_the_operator_alone(demo: Demo) -> None:
    before = set(demo.mails())
    run = demo.run("send-test/sample", {"test": {"newsletter": "sample", "date": "2026-06-09", "kind": "daily"}})
    assert "was mailed to the operator's address alone" in run["state"]["message"]
    (mail,) = set(demo.mails()) - before
    assert b"To: editor@example.org" in mail.read_bytes()
    assert b"Subject: [Test]" in mail.read_bytes()


def test_a_correction_goes_to_who_got_the_edition(demo: Demo) -> None:
    demo.run("daily/sample", order("2026-06-09"))
    before = set(demo.mails())
    wrong = {"newsletter": "sample", "date": "2026-06-09", "kind": "daily", "note": "A link was wrong."}
    for _ in range(2):
        run = demo.run("correct/sample", {"correction": wrong})
        assert run["state"]["message"].startswith("Correction. Deliveries: 1 sent"), run["state"]
    (mail,) = set(demo.mails()) - before
    assert b"Subject: Correction: Paperround sample, 9 June" in mail.read_bytes()


SLOW_READERS = 150


def slow_mails(demo: Demo) -> Counter[str]:
    """How many mails each reader of the newsletter `slow` got."""
    heads = (mail.read_bytes().partition(b"\r\n\r\n")[0] for mail in demo.mails())
    found = (re.search(rb"^To: <?(slow-\d+@example\.org)>?", head, re.MULTILINE) for head in heads)
    return Counter(one[1].decode() for one in found if one)


def daily_of(date: str) -> dict[str, Any]:
    return {"order": {"newsletter": "slow", "date": date, "dry_run": False}}


def stopped_in_its_middle(
    demo: Demo, flow: str, parameters: dict[str, Any], state: dict[str, Any]
) -> tuple[dict[str, Any], int]:
    """A run of `slow` whose state an operator changes when some mails are out; the run, and how many got theirs."""
    before = slow_mails(demo).total()
    found = demo.api("GET", f"/deployments/name/{flow}/slow")
    run = demo.api("POST", f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})
    deadline = time.monotonic() + START
    more = "correction-" if flow == "correct" else ""
    while f"{more}progress-slow" not in (going_on := demo.artifacts(run)):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert slow_mails(demo).total() > before
    demo.api("POST", f"/flow_runs/{run['id']}/set_state", {"state": state})
    time.sleep(5)
    out = slow_mails(demo).total()
    time.sleep(3)
    assert slow_mails(demo).total() == out, "nothing leaves five seconds after the click"
    assert out < before + SLOW_READERS
    assert 0 < going_on[f"{more}progress-slow"] < 100
    assert "**It goes on:** " in going_on[f"{more}delivery-slow"]
    assert "| pending |" in going_on[f"{more}delivery-slow"]
    return run, out


def test_what_was_cancelled_stays_so_until_its_operator_says_otherwise(demo: Demo) -> None:
    people = demo.home.parent / "slow.csv"
    people.write_text("email\n" + "".join(f"slow-{n}@example.org\n" for n in range(SLOW_READERS)))
    paperround(demo, "subscribers", "import", str(people), "-n", "slow")
    run, out = stopped_in_its_middle(demo, "daily", daily_of("2026-06-09"), {"type": "CANCELLING"})
    assert demo.ended(run)["state"]["type"] == "CANCELLED"
    assert demo.told("paperround.edition.held", "slow", "2026-06-09")["reason"] == "its run was cancelled"
    report = demo.artifacts(run)["delivery-slow"]
    assert report.startswith("**Stopped** between two messages, by its operator")
    assert f"| sent | {out} |" in report
    assert "| example.org |" in report
    assert "![Mails a second](data:image/svg+xml;base64," in report
    assert "[Who got it](http" in report
    due = demo.run("deliver-due/slow", {"target": {"newsletter": "slow"}})
    assert "is held since" in due["state"]["message"]
    assert "its run was cancelled" in due["state"]["message"]
    assert slow_mails(demo).total() == out
    again = demo.run("deliver/slow", {"day": {"newsletter": "slow", "date": "2026-06-09"}})
    assert again["state"]["type"] == "COMPLETED", again["state"]
    assert slow_mails(demo) == Counter(f"slow-{n}@example.org" for n in range(SLOW_READERS))


def test_what_was_suspended_goes_on_when_it_is_resumed(demo: Demo) -> None:
    state = {"type": "PAUSED", "name": "Suspended", "state_details": {"pause_reschedule": True}}
    run, out = stopped_in_its_middle(demo, "daily", daily_of("2026-06-16"), state)
    now = demo.api("GET", f"/flow_runs/{run['id']}")["state"]
    assert (now["type"], now["name"]) == ("PAUSED", "Suspended")
    due = demo.run("deliver-due/slow", {"target": {"newsletter": "slow"}})
    assert "its run was suspended" in due["state"]["message"]
    assert slow_mails(demo).total() == out
    demo.api("POST", f"/flow_runs/{run['id']}/resume", {})
    ended = demo.ended(run, "COMPLETED", "FAILED", "CRASHED")
    assert ended["state"]["type"] == "COMPLETED", ended["state"]
    assert slow_mails(demo) == Counter({f"slow-{n}@example.org": 2 for n in range(SLOW_READERS)})


def test_a_correction_that_was_cancelled_goes_on_by_the_same_words_alone(demo: Demo) -> None:
    """And while all is paused by the Variable, not even then."""
    wrong = {"newsletter": "slow", "date": "2026-06-09", "kind": "daily", "note": "A link was wrong."}
    words = {"correction": wrong | {"subject": "", "edition": False, "drop": [], "lead": ""}}
    before = slow_mails(demo)
    run, out = stopped_in_its_middle(demo, "correct", words, {"type": "CANCELLING"})
    assert demo.ended(run)["state"]["type"] == "CANCELLED"
    due = demo.run("deliver-due/slow", {"target": {"newsletter": "slow"}})
    assert "start `correct` again with the same words" in due["state"]["message"]
    demo.api("POST", "/variables/", {"name": "paperround_pause_all", "value": True})
    demo.run("correct/slow", words)
    assert slow_mails(demo).total() == out
    demo.api("DELETE", "/variables/name/paperround_pause_all")
    again = demo.run("correct/slow", words)
    assert again["state"]["type"] == "COMPLETED", again["state"]
    assert slow_mails(demo) == Counter({one: number + 1 for one, number in before.items()})


async def test_the_mail_server_and_the_rate_that_prefect_names_are_those_of_the_next_run(demo: Demo) -> None:
    day = {"newsletter": "sample", "date": "2026-06-30", "kind": "daily"}
    before = len(demo.mails())
    kind = demo.api("GET", "/block_types/slug/paperround-mail-server")
    wanted = {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}}
    (schema,) = demo.api("POST", "/block_schemas/filter", wanted)
    block = {"name": "paperround", "block_schema_id": schema["id"], "block_type_id": kind["id"]}
    made = demo.api("POST", "/block_documents/", block | {"data": {"url": "ftp://user:hidden@mail.example"}})
    refused = await asyncio.to_thread(demo.run, "daily/sample", order("2026-06-30"))
    assert refused["state"]["type"] == "FAILED"
    assert (
        "The Block paperround-mail-server/paperround can't be used, so nothing is sent: its URL begins with 'ftp'"
        in (refused["state"]["message"])
    )
    assert "hidden" not in str(refused)
    async with mail_server() as other:
        data = {"data": {"url": f"smtp://127.0.0.1:{other.port}"}, "merge_existing_data": False}
        demo.api("PATCH", f"/block_documents/{made['id']}", data)
        demo.api("POST", "/variables/", {"name": "paperround_mail_rate", "value": "500/s"})
        run = await asyncio.to_thread(demo.run, "deliver/sample", {"day": day})
        assert run["state"]["type"] == "COMPLETED", run["state"]
        sent = len(other.taken)
        assert sent > 0
    assert len(demo.mails()) == before
    logs = demo.api("POST", "/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}})
    said = [one["message"] for one in logs]
    assert "Set in Prefect: the mail server is now what Prefect says, the rate is now what Prefect says." in said
    demo.api("DELETE", f"/block_documents/{made['id']}")
    demo.api("DELETE", "/variables/name/paperround_mail_rate")
    await asyncio.to_thread(demo.run, "daily/sample", order("2026-07-01"))
    assert len(demo.mails()) == before + sent
    assert not (demo.home / "from_prefect.json").exists()


def test_upkeep_is_offered_and_planned_and_names_nobody(demo: Demo) -> None:
    (schedule,) = demo.api("GET", "/deployments/name/upkeep/nightly")["schedules"]
    assert (schedule["active"], schedule["schedule"]["cron"]) == (True, "17 3 * * *")
    assert demo.run("upkeep/nightly", {})["state"]["message"].startswith("Forgotten: 0 unconfirmed sign-ups; ")


def test_what_has_become_due_is_delivered_by_a_run_of_its_own(demo: Demo) -> None:
    assert demo.run("deliver-due/sample", {"target": {"newsletter": "sample"}})["state"]["message"] == "Nothing is due."
    wanted = str((dt.datetime.now(dt.UTC) + dt.timedelta(hours=3)).hour)
    paperround(demo, "subscribers", "add", "owl@example.org", "--newsletter", "sample", "--hour", wanted)
    run = demo.run("daily/sample", order("2026-06-23"))
    assert "1 pending" in run["state"]["message"]
    before = len(demo.mails())
    paperround(demo, "deliver", "--newsletter", "sample", "--date", "2026-06-23", "--wait", "0", "--all-hours")
    assert len(demo.mails()) == before + 1


def paperround(demo: Demo, *arguments: str) -> None:
    """The command, as an operator beside the demonstration would use it."""
    kept = {"PAPERROUND_HOME_DIR": str(demo.home), "PAPERROUND_MAIL_URL": f"maildir://{demo.home / 'inbox'}"}
    kept["PAPERROUND_NEWSLETTERS_DIR"] = str(demo.home.parent / "newsletters")
    subprocess.run([sys.executable, "-m", "flows", *arguments], env={**os.environ, **kept}, check=True)


def refused(demo: Demo, deployment: str, parameters: dict[str, Any]) -> str:
    """What Prefect says to a form that it does not take."""
    found = demo.api("GET", f"/deployments/name/{deployment}")
    url = f"{demo.prefect}/api/deployments/{found['id']}/create_flow_run"
    answer = httpx.post(url, json={"parameters": parameters}, headers=demo.authorization, timeout=30)
    assert answer.status_code == 409, answer.text
    return str(answer.json()["detail"])


@pytest.mark.parametrize("date", ["the ides of March", "09.06.2026", "2030-01-01", "1999-12-31", "2026-13-01"])
def test_a_date_that_cannot_be_is_refused_in_the_form(demo: Demo, date: str) -> None:
    assert "Validation failed for field 'order.date'" in refused(demo, "daily/sample", order(date))


def test_a_form_offers_what_there_is_and_takes_nothing_else(demo: Demo) -> None:
    assert "'nope' is not one of ['sample']" in refused(demo, "deliver/sample", {"day": {"newsletter": "nope"}})
    assert "is not one of ['daily', 'weekly']" in refused(
        demo, "deliver/sample", {"day": {"newsletter": "sample", "kind": "monthly"}}
    )
    schema = demo.api("GET", "/deployments/name/collect/sample")["parameter_openapi_schema"]
    fields = schema["definitions"]["Days"]["properties"]
    assert [fields[name]["format"] for name in ("first", "last")] == ["date", "date"]
    run = demo.run("collect/sample", {"days": {"newsletter": "sample", "first": "2026-06-09", "last": "2026-06-07"}})
    assert "are not 1 to 62 days" in run["state"]["message"]
    run = demo.run("collect/sample", {"days": {"newsletter": "sample", "first": "2026-06-07", "last": "2026-06-09"}})
    assert run["state"]["message"] == "3 days are collected"


def test_one_delivery_at_a_time_and_what_comes_every_quarter_of_an_hour_does_not_queue(demo: Demo) -> None:
    for name, strategy in (("daily/sample", "ENQUEUE"), ("deliver-due/sample", "CANCEL_NEW")):
        found = demo.api("GET", f"/deployments/name/{name}")
        assert found["global_concurrency_limit"]["limit"] == 1
        assert found["concurrency_options"]["collision_strategy"] == strategy


REGISTER = """
import asyncio
from prefect.runner import Runner
from flows.config.settings import load_settings
from flows.context import open_context
from flows.deployments import register

async def main():
    async with open_context(load_settings()) as context:
        await register(context, Runner(name="again"))

asyncio.run(main())
"""


def registered_again(demo: Demo, newsletters: Path | None = None) -> None:
    """As at the next start."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PAPERROUND_"))}
    kept |= {"PAPERROUND_HOME_DIR": str(demo.home), "PREFECT_API_URL": f"{demo.prefect}/api"}
    kept |= {"PREFECT_API_AUTH_STRING": demo.login, "PREFECT_HOME": str(demo.home / "prefect")}
    kept["PAPERROUND_NEWSLETTERS_DIR"] = str(newsletters or demo.home.parent / "newsletters")
    subprocess.run([sys.executable, "-c", REGISTER], env=kept, check=True, capture_output=True)


def test_what_an_operator_changed_stays_and_what_they_deleted_stays_away(demo: Demo) -> None:
    before = demo.api("GET", "/deployments/name/deliver/sample")
    changed = {
        "description": "Ours alone.",
        "tags": ["mine"],
        "parameters": {"day": {"newsletter": "sample", "kind": "weekly"}},
        "concurrency_limit": 3,
        "paused": True,
    }
    ways: dict[str, Any] = {"headers": demo.authorization, "timeout": 30}
    httpx.patch(f"{demo.prefect}/api/deployments/{before['id']}", json=changed, **ways).raise_for_status()
    gone = demo.api("GET", "/deployments/name/compose/sample")
    httpx.delete(f"{demo.prefect}/api/deployments/{gone['id']}", **ways).raise_for_status()
    registered_again(demo)
    after = demo.api("GET", "/deployments/name/deliver/sample")
    assert {name: after[name] for name in ("description", "tags", "parameters", "paused")} == {
        name: changed[name] for name in ("description", "tags", "parameters", "paused")
    }
    assert after["global_concurrency_limit"]["limit"] == 3
    assert after["id"] == before["id"]
    missing = httpx.get(f"{demo.prefect}/api/deployments/name/compose/sample", **ways)
    assert missing.status_code == 404
    # until it is asked for
    (demo.home / "prefect/deployments.json").unlink()
    registered_again(demo)
    assert demo.api("GET", "/deployments/name/compose/sample")["tags"] == ["newsletter", "sample", "by hand"]
    back = {"paused": False}
    httpx.patch(f"{demo.prefect}/api/deployments/{before['id']}", json=back, **ways).raise_for_status()


def between_two_quarters(demo: Demo) -> None:
    """When a start looks at the newsletters no run of theirs goes on: here the runner is at work, and at each quarter
    of an hour it begins some."""
    on = {"flow_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}}}
    deadline = time.monotonic() + START
    while time.time() % 900 > 840 or demo.api("POST", "/flow_runs/count", on):
        assert time.monotonic() < deadline, demo.api("POST", "/flow_runs/filter", on)
        time.sleep(1)


def test_a_newsletter_that_is_gone_takes_its_deployments_with_it(demo: Demo, tmp_path: Path) -> None:
    assert demo.api("GET", "/deployments/name/daily/asked")
    between_two_quarters(demo)
    registered_again(demo, tmp_path)
    missing = httpx.get(f"{demo.prefect}/api/deployments/name/daily/asked", headers=demo.authorization, timeout=30)
    assert missing.status_code == 404
    registered_again(demo)
    assert demo.api("GET", "/deployments/name/daily/asked")


def test_runs_that_come_all_day_are_forgotten_after_a_while(demo: Demo) -> None:
    code = (
        "import asyncio, datetime as dt\nfrom flows.offers.old_runs import forget\n"
        "print(asyncio.run(forget(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1), ['collect'])))"
    )
    kept = os.environ | {"PREFECT_API_URL": f"{demo.prefect}/api", "PREFECT_API_AUTH_STRING": demo.login}
    done = subprocess.run([sys.executable, "-c", code], env=kept, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1
    wanted = {"flows": {"name": {"any_": ["collect"]}}, "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    assert demo.api("POST", "/flow_runs/filter", wanted) == []
    others = demo.api("POST", "/flow_runs/filter", {"flows": {"name": {"any_": ["daily"]}}})
    assert others


def test_no_address_link_or_key_stands_in_prefect_or_in_a_log(demo: Demo) -> None:
    files = [file for part in ("prefect", "logs") for file in (demo.home / part).rglob("*") if file.is_file()]
    assert {"prefect.db", "prefect.db-wal", "server.log", "runner.log", "web.log"} <= {file.name for file in files}
    keys = [(demo.home / name).read_text() for name in ("operator_login", "secret_key", "suppression_key")]
    for canary in (*keys, PASSWORD, OPERATOR, "reader@example.org", "/unsubscribe/", "/manage/", "/act/", "seal="):
        assert [file.name for file in files if canary.encode() in file.read_bytes()] == [], canary


def test_what_lies_in_the_folder_it_was_started_in_is_left_alone_and_obeyed_in_our_settings_only(demo: Demo) -> None:
    assert unchanged(demo.elsewhere)
    mail = email.message_from_bytes(demo.mails()[0].read_bytes(), policy=email.policy.default)
    text = mail.get_body(("plain",))
    assert text is not None
    assert "1 Example Street, Sampletown" in text.get_content()


def test_the_schedule_is_planned(demo: Demo) -> None:
    """The Prefect server's scheduler works: with some versions of what it stands on it fails at every turn."""
    deadline = time.monotonic() + START
    planned: list[dict[str, Any]] = []
    while not planned and time.monotonic() < deadline:
        deployment = {"id": {"any_": [demo.api("GET", "/deployments/name/daily/daily")["id"]]}}
        wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "deployments": deployment}
        planned = [run for run in demo.api("POST", "/flow_runs/filter", wanted) if run["auto_scheduled"]]
        time.sleep(1)
    assert planned
    assert dt.datetime.fromisoformat(planned[0]["expected_start_time"]).hour == 17
    log = (demo.home / "logs" / "server.log").read_text()
    # a request that Prefect's own SQLite turned away while another wrote is its caller's to repeat: no service says it
    errors = [said for said in re.split(r"(?m)^(?=[\d:.]+ \|)", log) if "| ERROR" in said[:40]]
    ours = ("Encountered error during state validation", "database is locked")
    assert not [said for said in errors if not all(part in said for part in ours)]


def test_another_demo_in_the_same_folder_is_refused_in_words(demo: Demo) -> None:
    command = [sys.executable, "-m", "flows", "demo", "--offline", "--home", str(demo.home)]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert "Another demo is running" in second.stderr


def test_sigterm_stops_it_and_leaves_no_process_behind(demo: Demo) -> None:
    """The demonstration ends with this test: it stands last but one."""
    assert len(processes_of(demo.home)) > 3
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(timeout=60) == 0
    assert not processes_of(demo.home)


def test_a_demo_that_is_killed_outright_leaves_no_process_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flows", "demo", "--offline", "--home", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while len(processes_of(tmp_path)) < 4:
            time.sleep(0.1)
        process.kill()
    deadline = time.monotonic() + START
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not processes_of(tmp_path)
