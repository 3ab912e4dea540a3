"""What every source promises, whichever there are."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.papers import sources
from flows.papers.gather import SOURCES, Source
from flows.papers.model import Addresses, Answer, Request, Unreadable, Window
from flows.papers.sources import arxiv, huggingface, sample
from tests.papers.shapes import FRIDAY, HTML, atom, entry, feed, item, listed

ADDRESSES = Addresses()
WINDOW = Window(day=FRIDAY, categories=("cs.AI",))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PAPER = st.dictionaries(st.sampled_from(list(listed()["paper"])), VALUES, max_size=8)
ENTRIES = st.dictionaries(st.sampled_from(["paper", *listed()]), VALUES, max_size=5) | st.builds(
    lambda broken: {**listed(), "paper": {**listed()["paper"], **broken}}, PAPER
)


def every_request() -> list[tuple[Source, Request]]:
    """Each kind of request that there is."""
    first = [(source, request) for source in SOURCES.values() for request in source.requests(WINDOW, ADDRESSES)]
    later = parse(SOURCES["arxiv"], feed(date="Mon, 22 Jun 2026 00:00:00 -0400"), first[0][1]).follow
    return [*first, *((SOURCES["arxiv"], request) for request in (*later, *arxiv.details(["2606.20001"], ADDRESSES)))]


def parse(source: Source, body: bytes, request: Request) -> Answer:
    return source.parse(body, request, WINDOW, ADDRESSES)


def tolerant(source: Source, body: bytes, request: Request) -> Answer:
    """The answer, or an empty one for what is openly unreadable."""
    with suppress(Unreadable):
        return parse(source, body, request)
    return Answer()


def test_every_file_is_a_source() -> None:
    """Found by walking the folder: to add one is to add its file."""
    files = Path(sources.__file__ or "").parent.glob("[a-z]*.py")
    assert list(SOURCES) == sorted(file.stem for file in files)
    assert {"arxiv", "huggingface", "sample"} <= set(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_keeps_its_contract(name: str) -> None:
    """Its name is its own, its first requests are whole, and it can say why there is nothing."""
    source = SOURCES[name]
    assert name == source.NAME
    assert source.TITLE
    for request in source.requests(WINDOW, ADDRESSES):
        assert request.url.startswith(("https://", "package:"))
        assert request.format in ("json", "xml")
        assert request.kind
        assert request.service
    assert source.silence(WINDOW)
    assert "\n" not in source.silence(WINDOW)


@given(st.binary(max_size=400))
def test_no_bytes_make_a_source_fail(body: bytes) -> None:
    """Unreadable is the only exception there is."""
    for source, request in every_request():
        tolerant(source, body, request)


@given(VALUES | st.lists(ENTRIES, max_size=5))
def test_no_json_makes_a_source_fail(value: Any) -> None:
    """Whatever was read can be encoded, has an id and a title, and is of the day."""
    body = json.dumps(value).encode()
    for source in (huggingface, sample):
        (request,) = source.requests(WINDOW, ADDRESSES)
        answer = tolerant(source, body, request)
        for paper in answer.papers:
            assert repr(paper).encode()
            assert paper.title
            assert paper.day == FRIDAY
        assert len({paper.id for paper in answer.papers}) == len(answer.papers)


@given(st.data())
def test_no_damage_to_xml_makes_a_source_fail(data: st.DataObject) -> None:
    """A good answer with a piece cut out, doubled or replaced is read or refused."""
    body = data.draw(st.sampled_from([feed(item(), item("2606.20002")), atom(entry(), total=3), HTML]))
    begin = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(begin, min(len(body), begin + 200)))
    piece = data.draw(st.sampled_from([b"", body[begin:end] * 2, b"&x;", b"<a/>", b"\xff", "é".encode()]))
    for source, request in every_request():
        if request.format == "xml":
            tolerant(source, body[:begin] + piece + body[end:], request)
