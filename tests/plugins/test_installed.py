"""A package of somebody else's adds a source, a transport and a look, and its papers arrive in a mail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.papers.server import Reply, running

README = Path(__file__).parents[2] / "flows/README.md"

TITLES = ("How swifts sleep in the air", "Crabs count their neighbours", "A map of the smells of a harbour")

SPOOL = '''
"""Mail as files, one a message."""

from pathlib import Path

from flows.outcomes import Outcome, Problem, Stage, Verdict

SCHEMES = ("spool",)


class Spool:
    usable = True

    def __init__(self, folder):
        self.folder = folder

    async def offer(self, message):
        return None

    async def bring(self, message, following=None):
        (self.folder / f"{len(list(self.folder.iterdir()))}.eml").write_bytes(message.content)
        return Outcome(Verdict.SENT, Stage.CONTENT, 250, "2.0.0", "spooled")

    async def send(self, message):
        return await self.offer(message) or await self.bring(message)

    def abandon(self):
        self.usable = False

    async def close(self):
        pass


def opener(url):
    if not url.path.strip("/"):
        raise Problem("PAPERROUND_MAIL_URL names no folder: write spool:///var/spool/papers.")

    async def connect():
        folder = Path(url.path)
        folder.mkdir(parents=True, exist_ok=True)
        return Spool(folder)

    return connect
'''
TESTS = """
import asyncio, sys
from flows.plugins import contracts
from island import biorxiv, spool

body = open(sys.argv[1], "rb").read()
assert len(contracts.check_source(biorxiv, [body])) == 3
asyncio.run(contracts.check_transport(spool, f"spool://{sys.argv[2]}", "spool://"))
contracts.check_look("airy")
"""
ENTRIES = """
[paperround.sources]
biorxiv = island.biorxiv
broken = island.nowhere
huge = json

[paperround.transports]
spool = island.spool

[paperround.looks]
airy = island
"""


def answer(first: int, count: int) -> bytes:
    """In the shape of bioRxiv's, of invented papers."""
    papers = [
        {
            "doi": f"10.1101/2026.06.08.{n:06}",
            "title": TITLES[n - 1],
            "authors": "Brook, A.; Carrow, B.",
            "date": "2026-06-08",
            "category": "neuroscience",
            "abstract": "Swifts sleep in the air. We show that they turn home by the smell of the harbour.",
        }
        for n in range(first, first + count)
    ]
    return json.dumps({"messages": [{"status": "ok", "total": str(count)}], "collection": papers}).encode()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The package as an installer leaves it, its source the very example of the README."""
    folder = tmp_path / "site"
    look = folder / "island/templates/email/digest/airy"
    look.mkdir(parents=True)
    (look / "style.css").write_text('{% include "email/digest/classic/style.css" %}\n.airy { color: #123456 }\n')
    (folder / "island/__init__.py").write_text("")
    (folder / "island/spool.py").write_text(SPOOL)
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    (folder / "island/biorxiv.py").write_text(example)
    info = folder / "island-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: island\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    newsletters = tmp_path / "newsletters"
    newsletters.mkdir()
    (newsletters / "birds.toml").write_text(
        'title = "Birds"\ndescription = "What flies."\nsources = ["biorxiv"]\nlook = "airy"\n'
    )
    return folder


def python(site: Path, *arguments: str, **settings: str) -> str:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PAPERROUND_", "PREFECT"))}
    paths = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH"), str(README.parents[1])])])
    given |= {"PYTHONPATH": paths, "PAPERROUND_HOME_DIR": str(site.parent / "home")}
    given |= {f"PAPERROUND_{name}": value for name, value in settings.items()}
    done = subprocess.run([sys.executable, "-P", *arguments], env=given, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_its_papers_arrive_in_a_mail(site: Path) -> None:
    with running() as service:
        path = "/details/biorxiv/2026-06-08/2026-06-08"
        service.says(f"{path}/0", Reply(answer(1, 2)))
        service.says(f"{path}/2", Reply(answer(3, 1)))
        service.says(f"{path}/3", Reply(b'{"messages": [], "collection": []}'))
        source = site / "island/biorxiv.py"
        source.write_text(source.read_text().replace("https://api.biorxiv.org", service.url))
        settings = {
            "MAIL_URL": f"spool://{site.parent / 'spooled'}",
            "NEWSLETTERS_DIR": str(site.parent / "newsletters"),
        }
        python(site, "-m", "flows", "subscribers", "add", "ada@example.org", "-n", "birds", **settings)
        said = python(site, "-m", "flows", "deliver", "-n", "birds", "-d", "2026-06-08", "--all-hours", **settings)
    (mail,) = (site.parent / "spooled").iterdir()
    content = mail.read_text()
    assert "1 sent" in said, said
    for number, title in enumerate(TITLES, start=1):
        assert title in " ".join(content.split())
        assert f"10.1101/2026.06.08.{number:06}" in content
    assert "https://doi.org/10.1101/" in content
    assert "arxiv.org/" not in content
    assert ".airy" in content


def test_the_doctor_lists_it_and_what_is_wrong_with_it_stops_nothing(site: Path) -> None:
    said = python(site, "-m", "flows", "doctor")
    assert (
        "ok    Plug-ins: source biorxiv of island 1.2, transport spool of island 1.2, look airy of island 1.2." in said
    )
    assert (
        "wrong Plug-ins: the source broken of island 1.2 can't be loaded (ModuleNotFoundError: No module named "
        "'island.nowhere')." in said
    )
    assert "wrong Plug-ins: the source huge of island 1.2 has no NAME, TITLE" in said
    assert "ok    Newsletters: " in said


def test_its_own_tests_call_the_contracts(site: Path) -> None:
    tests = site.parent / "tests.py"
    tests.write_text(TESTS)
    recorded = site.parent / "answer.json"
    recorded.write_bytes(answer(1, 3))
    assert python(site, str(tests), str(recorded), str(site.parent / "tried")) == ""
