"""What other packages' tests may call is kept by our own sources, transports and looks, and tells what breaks it."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from flows.papers.model import Answer, Paper, PaperId, Window
from flows.papers.sources import arxiv, huggingface, sample
from flows.plugins import contracts
from flows.sending.transports import maildir
from tests.mail.test_golden import LOOKS
from tests.papers.shapes import FRIDAY, feed, item, listed


def test_our_sources_keep_it() -> None:
    assert contracts.check_source(huggingface, [json.dumps([listed()]).encode()])
    assert contracts.check_source(arxiv, [feed(item())], Window(day=FRIDAY, categories=("cs.AI",)))
    whole = [{"id": "0000.00001", "title": "On invented papers"}]
    assert contracts.check_source(sample, [json.dumps(whole).encode()])


def broken(**changed: object) -> ModuleType:
    made = ModuleType("broken")
    for name in ("NAME", "TITLE", "WANTS_DETAILS", "requests", "parse", "silence"):
        setattr(made, name, changed.get(name, getattr(sample, name)))
    return made


def paper(**changed: object) -> Answer:
    given = {"id": PaperId("2606.00001"), "title": "A title", "day": contracts.DAY, "sources": ("sample",)}
    return Answer(papers=(Paper(**given | changed),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"requests": lambda *_: ()}, "asks for nothing"),
        ({"silence": lambda *_: ""}, "says nothing"),
        ({"parse": lambda *_: Answer()}, "holds no papers"),
        ({"parse": lambda *_: paper(id="moon")}, "not an arXiv identifier"),
        ({"parse": lambda *_: paper(title=" ")}, "has no title"),
        ({"parse": lambda *_: paper(sources=())}, "does not name its source"),
        ({"parse": lambda *_: paper(code="javascript:alert(1)")}, "is no link"),
        ({"parse": lambda body, *_: json.loads(body) and paper()}, "Expecting value"),
    ],
)
def test_a_source_that_breaks_it_is_told(changed: dict[str, object], words: str) -> None:
    with pytest.raises((AssertionError, ValueError), match=words):
        contracts.check_source(broken(**changed), [b"[1]"])


async def test_our_transports_keep_it(tmp_path: Path) -> None:
    await contracts.check_transport(maildir, f"maildir://{tmp_path / 'box'}", "maildir://")
    assert len(list((tmp_path / "box/new").iterdir())) == 2


@pytest.mark.parametrize("look", LOOKS)
def test_our_looks_keep_it(look: str) -> None:
    contracts.check_look(look)
