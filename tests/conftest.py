"""Fixtures that several folders share."""

from __future__ import annotations

import asyncio
import gc
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from flows.storage.database import Database, connect, migrate
from tests.prefect_server import Installation, Prefect, prefect_server

# how long an example takes depends on what else the machine is doing
hypothesis.settings.register_profile("paperround", deadline=None)
hypothesis.settings.load_profile("paperround")


LONG = ("tests/processes/", "tests/shares/", "tests/browser/")
"""Folders whose few tests take minutes. They begin first: at the end one process would work at them alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
    for item in items:
        # a run in our process leaves sockets of Prefect's to the garbage collector
        if "installation" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(autouse=True)
def _the_umask_of_the_machine() -> Iterator[None]:
    """What we start sets its umask for as long as its process lives, which here is that of all tests."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded real days, where this checkout has one beside it; the test is skipped elsewhere."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("no recorded days beside this checkout")
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, gone after the tests; skipped where its programs are not found."""
    with postgresql_server() as url:
        if url is None:
            pytest.skip("no PostgreSQL programs on this machine")
        yield url


@contextmanager
def postgresql_server() -> Iterator[str | None]:
    """Runs a PostgreSQL server of our own; its URL, or None where its programs are not found."""
    with own_postgresql() as server:
        yield None if server is None else server.url


@contextmanager
def own_postgresql() -> Iterator[PostgresqlServer | None]:
    """The same, as something that can be restarted."""
    programs = _postgresql_programs()
    if programs is None:
        yield None
        return
    server = PostgresqlServer(programs)
    server.begin()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder)


class PostgresqlServer:
    """A PostgreSQL server in a folder of its own."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="paperround-pg-"))
        # initdb refuses to run as root
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._port = free_port()

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://paperround@127.0.0.1:{self._port}/postgres"

    def begin(self) -> None:
        self._run("initdb", "-U", "paperround", "-A", "trust", "-N", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        options = f"-p {self._port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-o", options, "-w", "-l", self.folder / "log", "start")

    def stop(self) -> None:
        """At once: whoever is connected loses the connection, and recovers from the log at the next start."""
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        user = self._user
        subprocess.run(
            [self._programs / program, "-D", self.folder / "data", *map(str, arguments)],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )


def _postgresql_programs() -> Path | None:
    found = [Path(path).parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "pg_ctl").exists()), None)


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty, migrated database: every test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "test.db")
        opened = connect(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    else:
        opened = connect(await _copied(request.getfixturevalue("migrated_postgresql")))
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every test's SQLite begins as: migrating takes ten times as long as copying."""
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    _migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> str:
    """The same of PostgreSQL's: the URL of a database that nobody else uses."""
    _migrate(postgresql)
    return postgresql


def _migrate(url: str) -> None:
    async def made() -> None:
        database = connect(url)
        await migrate(database)
        await database.close()

    # the test that asks first has a loop of its own
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(made())).result()


async def _copied(url: str) -> str:
    """The URL of a new database that is a copy of another, on the same server."""
    before, _, name = url.rpartition("/")
    connection = await asyncpg.connect(f"{before}/template1".replace("+asyncpg", ""))
    try:
        await connection.execute("DROP DATABASE IF EXISTS test WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE test TEMPLATE {name} STRATEGY FILE_COPY")
    finally:
        await connection.close()
    return f"{before}/test"


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefect]:
    """A Prefect server: whoever asks it for runs or artifacts must know its own from those of other tests."""
    with prefect_server(tmp_path_factory.mktemp("prefect"), free_port()) as server:
        yield server


@pytest.fixture(scope="module")
def _swept() -> Iterator[None]:
    """What runs leave behind goes with them, and not in a test of something else."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def installation(
    _swept: None, prefect: Prefect, migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """A new installation on SQLite, whose mail goes into a folder."""
    from prefect import context as of_prefect
    from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "paperround.db")
    for name in [name for name in os.environ if name.startswith("PAPERROUND_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    made = Installation(prefect, home, monkeypatch)
    made.sets(home_dir=str(home), cache_dir=str(tmp_path / "cache"), mail_url=f"maildir://{home / 'outbox'}")
    with temporary_settings({PREFECT_API_URL: prefect.api, PREFECT_LOGGING_TO_API_ENABLED: False}):
        # a thread of its own, where mail is delivered, has those that the process began with
        monkeypatch.setattr(of_prefect, "GLOBAL_SETTINGS_CONTEXT", of_prefect.SettingsContext.get())
        yield made
