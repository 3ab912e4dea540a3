"""Planted words are where they belong and nowhere else, while the web app runs, and after erasing nowhere at all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from email import message_from_bytes, policy
from pathlib import Path

import httpx

from tests.running_processes import web_process

ADDRESS, REASON, KEYWORD = "canary.bird@nest.example", "canary left a reason", "canary keyword"
PASSWORD, KEY = "canary-password-of-the-mail", "canary-key-of-sixteen-letters"


def holding(folder: Path, *canaries: str) -> dict[str, list[str]]:
    """The files that hold any of these words."""
    lower = [(one, one.lower().encode()) for one in canaries]
    return {
        str(file.relative_to(folder)): held
        for file in folder.rglob("*")
        if file.is_file() and (held := [one for one, word in lower if word in file.read_bytes().lower()])
    }


def mailed(folder: Path, number: int) -> str:
    """The plain text of the newest of so many mails, once they have come."""
    until = time.monotonic() + 60
    while len(files := sorted((folder / "new").glob("*"), key=lambda file: file.stat().st_mtime_ns)) < number:
        assert time.monotonic() < until
        time.sleep(0.1)
    body = message_from_bytes(files[-1].read_bytes(), policy=policy.default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_an_erased_reader_is_in_no_file_of_the_home_while_the_app_runs(tmp_path: Path) -> None:
    home, mails = tmp_path / "home", tmp_path / "mails"
    home.mkdir()
    with web_process(home, mail_url=f"maildir://{mails}", secret_key=KEY) as site:

        def post(path: str, **form: str) -> httpx.Response:
            return httpx.post(site + path, data=form, trust_env=False, timeout=30, follow_redirects=True)

        post("/subscribe", address=ADDRESS, newsletter="daily", frequency="daily")
        confirm = re.search(r"/confirm/([\w-]+)\s", mailed(mails, 1))
        assert confirm
        manage = re.search(r"/manage/[\w-]+", post(f"/confirm/{confirm[1]}").text)
        mailed(mails, 2)
        assert manage
        post(manage[0], do="save", keywords=KEYWORD, frequency="daily", zone="UTC")
        unsubscribe = re.search(r"/unsubscribe/[\w-]+", httpx.get(site + manage[0], trust_env=False).text)
        assert unsubscribe
        post(unsubscribe[0])
        post(f"{unsubscribe[0]}/reason", reason=REASON)
        words = (ADDRESS, REASON, KEYWORD)
        held = holding(home, *words)
        assert sorted({word for found in held.values() for word in found}) == sorted(words)
        assert {name.removesuffix("-wal") for name in held} == {"paperround.db"}
        # neither links nor keys are anywhere, in particular not in the log
        assert holding(home, KEY, confirm[1], manage[0], unsubscribe[0]) == {}

        command = [sys.executable, "-m", "flows", "subscribers", "forget", ADDRESS, "--yes"]
        environment = {**os.environ, "PAPERROUND_HOME_DIR": str(home), "PAPERROUND_SECRET_KEY": KEY}
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
        assert holding(home, "canary") == {}
        assert httpx.get(f"{site}/healthz", trust_env=False).status_code == 200
    assert holding(home, "canary") == {}


def test_what_fails_says_neither_password_nor_address(tmp_path: Path) -> None:
    """The mail server can't be reached: the log tells it, and a letter waits."""
    url = f"smtp://operator:{PASSWORD}@127.0.0.1:9"
    with web_process(tmp_path, mail_url=url, secret_key=KEY) as site:
        form = {"address": ADDRESS, "newsletter": "daily", "frequency": "daily"}
        assert httpx.post(f"{site}/subscribe", data=form, trust_env=False, timeout=30).status_code == 303
        until = time.monotonic() + 60
        while "Letters wait in the outbox" not in (log := (tmp_path / "web.log").read_text()):
            assert time.monotonic() < until
            time.sleep(0.1)
    assert "canary" not in log
    assert holding(tmp_path, PASSWORD, KEY) == {}
