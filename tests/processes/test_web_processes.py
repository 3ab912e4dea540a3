"""The web app in several processes behind one port, with one file of SQLite. A process is asked by itself while the
others are stopped: the kernel gives a connection to whoever takes it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from subscribers.web.routes.login import ATTEMPTS
from tests.conftest import free_port
from tests.running_processes import processes_of, until_it_answers

LOGIN = "operator:of-sixteen-letters"
PROCESSES = 2


@dataclass
class Several:
    """A web app of several processes that is up."""

    first: subprocess.Popen[bytes]
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serving(self) -> list[int]:
        """The processes that serve; the first only looks after them."""
        return sorted(processes_of(self.folder, b"spawn_main"))

    @contextmanager
    def alone(self, one: int) -> Iterator[None]:
        """Only this process of them answers."""
        others = [pid for pid in self.serving() if pid != one]
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)

    def until_there(self, but: Collection[int] = ()) -> list[int]:
        """Waits until as many as wanted are there, none of them of `but`."""
        until = time.monotonic() + 60
        while len(found := self.serving()) != PROCESSES or set(found) & set(but):
            assert time.monotonic() < until, self.said()
            assert self.first.poll() is None, self.said()
            time.sleep(0.1)
        return found

    def until_all_serve(self, but: Collection[int] = ()) -> list[int]:
        """The same, and until each of them answers."""
        found = self.until_there(but)
        for pid in found:
            with self.alone(pid):
                assert httpx.get(f"{self.url}/healthz", trust_env=False, timeout=30).status_code == 200
        return found

    def mails(self) -> list[str]:
        return [file.read_text() for file in (self.folder / "outbox" / "new").glob("*")]

    def said(self) -> str:
        return (self.folder / "web.log").read_text()


@contextmanager
def several(folder: Path, **given: str) -> Iterator[Several]:
    (folder / "newsletters").mkdir()
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERROUND_")}
    environment |= {
        "PAPERROUND_HOME_DIR": str(folder),
        "PAPERROUND_CACHE_DIR": str(folder / "cache"),
        "PAPERROUND_MAIL_URL": f"maildir://{folder / 'outbox'}",
        "PAPERROUND_NEWSLETTERS_DIR": str(folder / "newsletters"),
        "PAPERROUND_OPERATOR_LOGIN": LOGIN,
        "PAPERROUND_WEB_PROCESSES": str(PROCESSES),
        **{f"PAPERROUND_{name.upper()}": value for name, value in given.items()},
    }
    with (folder / "web.log").open("wb") as log:
        first = subprocess.Popen(
            [sys.executable, "-P", "-m", "flows", "web", "--port", str(port)],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    made = Several(first, port, folder)
    try:
        until_it_answers(first, port, made.said)
        made.until_all_serve()
        yield made
    finally:
        with suppress(ProcessLookupError):
            first.terminate()
        first.wait(30)
    until = time.monotonic() + 10
    while left := processes_of(folder):  # what counts multiprocessing's resources ends a moment later
        assert time.monotonic() < until, left
        time.sleep(0.1)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    with several(tmp_path_factory.mktemp("several")) as made:
        yield made


def test_a_login_holds_for_all_processes_and_so_does_its_end(web: Several) -> None:
    one, other = web.until_there()
    with httpx.Client(base_url=web.url, trust_env=False, headers={"Connection": "close"}, timeout=30) as browser:
        with web.alone(one):
            assert browser.post("/login", data={"login": LOGIN, "next": "/metrics"}).status_code == 303
        with web.alone(other):
            assert browser.get("/metrics").status_code == 200
        copied = dict(browser.cookies)
        with web.alone(other):
            browser.post("/logout")
    with httpx.Client(base_url=web.url, trust_env=False, cookies=copied, timeout=30) as thief, web.alone(one):
        assert thief.get("/metrics").status_code == 401


def test_wrong_logins_are_counted_over_all_processes(web: Several) -> None:
    statuses = []
    # as the proxy tells it: the other tests are of another network
    headers = {"Connection": "close", "X-Forwarded-For": "192.0.2.7"}
    for number, pid in enumerate(web.serving()):
        with web.alone(pid), httpx.Client(base_url=web.url, trust_env=False, headers=headers, timeout=30) as guesser:
            tries = ATTEMPTS // 2 if number == 0 else ATTEMPTS
            statuses += [guesser.post("/login", data={"login": "wrong"}).status_code for _ in range(tries)]
    assert statuses == [422] * ATTEMPTS + [429] * (ATTEMPTS // 2)


def test_a_letter_leaves_once_whichever_process_was_asked(web: Several) -> None:
    addresses = [f"reader-{number}@example.org" for number in range(4)]
    form = {"newsletter": "daily", "frequency": "daily"}
    with httpx.Client(base_url=web.url, trust_env=False, headers={"Connection": "close"}, timeout=30) as visitor:
        for pid in web.serving():
            with web.alone(pid):  # the same from each: the second asks for no second letter
                for address in addresses:
                    assert visitor.post("/subscribe", data={**form, "address": address}).status_code == 303
    until = time.monotonic() + 30
    while len(web.mails()) < len(addresses):
        assert time.monotonic() < until, web.said()
        time.sleep(0.1)
    time.sleep(1.5)  # both have looked once more
    mails = web.mails()
    assert [sum(f"To: {address}" in mail for mail in mails) for address in addresses] == [1] * len(addresses)
    assert len(mails) == len(addresses)


async def test_a_reload_replaces_every_process_and_cuts_and_refuses_no_request(web: Several) -> None:
    before, over, answers = set(web.until_there()), asyncio.Event(), list[int]()

    async def ask(headers: dict[str, str]) -> None:
        async with httpx.AsyncClient(base_url=web.url, trust_env=False, headers=headers, timeout=30) as browser:
            while not over.is_set():
                answers.append((await browser.get("/login")).status_code)
                await asyncio.sleep(0.1)
                answers.append((await browser.post("/unsubscribe/nonsense")).status_code)

    async with asyncio.TaskGroup() as group:
        # some stay connected, some come anew each time
        for headers in ({}, {"Connection": "close"}):
            group.create_task(ask(headers))
        await asyncio.sleep(0.3)
        web.first.send_signal(signal.SIGHUP)
        await asyncio.to_thread(web.until_there, before)
        await asyncio.sleep(0.3)
        over.set()
    assert len(answers) > 20
    assert {status for status in answers if status >= 500} == set()
    assert not before & set(await asyncio.to_thread(web.until_all_serve))


def test_a_reload_into_what_is_wrong_leaves_those_that_serve(web: Several) -> None:
    before, wrong = web.until_there(), web.folder / "newsletters" / "daily.toml"
    wrong.write_text('title = "Papers"\n')
    web.first.send_signal(signal.SIGHUP)
    until = time.monotonic() + 60
    while "aborting the restart" not in web.said():
        assert time.monotonic() < until, web.said()
        time.sleep(0.1)
    wrong.unlink()
    assert web.until_all_serve() == before
    assert "daily.toml: sources is missing; add it." in web.said()


def test_one_that_is_killed_is_replaced_while_the_others_answer(web: Several) -> None:
    dead, alive = web.until_there()
    os.kill(dead, signal.SIGKILL)
    with httpx.Client(base_url=web.url, trust_env=False, headers={"Connection": "close"}, timeout=30) as visitor:
        assert {visitor.get("/login").status_code for _ in range(20)} == {200}
    assert alive in web.until_all_serve(but={dead})


def test_sigterm_ends_all_when_what_is_under_way_is_answered(web: Several) -> None:
    """The last of this file: they share the processes."""
    body = b"login=wrong&next="
    head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection(("127.0.0.1", web.port)) as slow:
        slow.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode() + body[:5])
        time.sleep(0.5)
        began = time.monotonic()
        web.first.send_signal(signal.SIGTERM)
        time.sleep(0.7)
        slow.sendall(body[5:])
        slow.settimeout(20)
        answer = b""
        while piece := slow.recv(65_536):
            answer += piece
    assert answer.startswith((b"HTTP/1.1 422", b"HTTP/1.1 429"))
    assert b"connection: close" in answer.lower()
    assert web.first.wait(20) == 0
    assert time.monotonic() - began < 10
