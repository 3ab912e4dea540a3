"""A start refuses where another package has put itself in the place of ours."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, as its build system makes it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Path:
    """A folder of packages in which the wheel lies as an installer puts it."""
    folder = tmp_path / "site"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


def said(site: Path, *call: str) -> str:
    """What the installed command says, its home a folder of the test's own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PAPERROUND_", "PREFECT"))}
    environment |= {"PYTHONPATH": str(site), "PAPERROUND_HOME_DIR": str(site.parent / "home")}
    command = [sys.executable, "-P", "-m", "flows", *call]
    done = subprocess.run(command, cwd=site.parent, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def claim(site: Path, name: str, file: str) -> None:
    """Another distribution that brings a file."""
    (site / f"{name}-1.0.dist-info").mkdir()
    (site / f"{name}-1.0.dist-info/METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (site / f"{name}-1.0.dist-info/RECORD").write_text(f"{file},,\n{name}-1.0.dist-info/RECORD,,\n")


def test_a_wheel_alone_is_itself_and_finds_its_templates(site: Path) -> None:
    assert not (site / "templates").exists()
    assert "ok    Installation: Paperround 0." in said(site, "doctor")
    out = site.parent / "out"
    said(site, "preview", "-n", "sample", "-d", "2026-06-09", "--out", str(out))
    assert "<title>" in (out / "digest.html").read_text()


@pytest.mark.parametrize("call", [("up",), ("demo", "--once"), ("runner",), ("web",)])
def test_another_distribution_with_our_name_is_named_with_the_remedy(site: Path, call: tuple[str, ...]) -> None:
    claim(site, "airport", "flows/__init__.py")
    assert said(site, *call).splitlines() == [
        "Error: airport is installed in the same environment and brings a package flows too. Install Paperround in an "
        "environment of its own, with `uv tool install paperround` or `pipx install paperround`."
    ]


def test_a_file_that_is_not_ours_any_more_is_named(site: Path) -> None:
    (site / "subscribers/web/atom.py").write_text("# somebody else's\n")
    words = said(site, "up")
    assert f"{site}/subscribers/web/atom.py is not Paperround's any more" in words
    assert "uv tool install" in words
    assert "wrong Installation" in said(site, "doctor")


def test_other_packages_with_other_names_are_nobodys_business(site: Path) -> None:
    claim(site, "workflows", "workflows/flows/__init__.py")
    claim(site, "flowschart", "flowschart/__init__.py")
    assert "ok    Installation" in said(site, "doctor")
