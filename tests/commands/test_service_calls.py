"""The calls that start what stays up: what they refuse before anything is started."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from flows.commands.cli import main
from flows.processes.demo import claim_home
from tests.commands.calls import Run
from tests.config.test_own_files import claim


@pytest.mark.parametrize("call", [("demo", "--once", "--home", "here"), ("up",), ("web",), ("runner",)])
def test_what_stays_up_does_not_begin_among_files_that_are_not_ours(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, call: tuple[str, ...]
) -> None:
    claim(home, "other", "flows/deploy.py")
    monkeypatch.syspath_prepend(str(home))
    assert run(*call).error.startswith("other is installed in the same environment and brings a package flows too.")
    assert not (home / "here").exists()
    assert not (home / "home").exists()


def test_a_port_that_is_taken_is_named_with_the_option_that_changes_it(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert run("up", "--port", port).error == (
            f"Something listens on port {port} already: stop it, or name another with --port."
        )
        assert run("up", "--port", port + 1, "--prefect-port", port).error.endswith("another with --prefect-port.")


def test_a_demonstrations_home_is_its_own_and_no_day_is_read_after_it_is_made(run: Run, home: Path) -> None:
    with ExitStack() as held:
        claim_home(home / "taken", home, held)
        assert run("demo", "--home", home / "taken").error == (
            f"Another demo is running in {home / 'taken'}: stop it, or name another folder with --home."
        )
    assert run("demo", "--date", "soon", "--home", "here").error.startswith("'soon' is no date")
    assert not (home / "here").exists()


@pytest.mark.parametrize("number", ["-1", "65", "many"])
def test_a_number_of_processes_that_is_none_is_refused(run: Run, number: str) -> None:
    assert "Invalid value for '--processes'" in run("web", "--processes", number).error


def test_what_only_services_call_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capfd.readouterr().out
    found = {
        name: f"\n│ {name} " in shown or f"\n  {name} " in shown for name in ("demo", "up", "web", "server", "runner")
    }
    assert found == {"demo": True, "up": True, "web": False, "server": False, "runner": False}
