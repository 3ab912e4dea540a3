"""What a source, a transport and a look promise, as functions that a package's own tests call: each raises
AssertionError with what is not kept. Ours are tested with the same.

    from flows.plugins import contracts

    def test_it_is_a_source() -> None:
        contracts.check_source(mysource, [recorded_answer])
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from types import ModuleType
from typing import Protocol
from urllib.parse import urlsplit

from flows.config import catalogue
from flows.config.phrases import Languages
from flows.context import TEMPLATES
from flows.editions.arrange import compose
from flows.editions.choose import choose
from flows.editions.model import Edition, Interests, Kind
from flows.editions.topics import Classifier
from flows.mail.assemble import assemble
from flows.mail.cards import render
from flows.mail.model import Message, Reader, Site
from flows.outcomes import Problem, Verdict
from flows.papers.gather import Source
from flows.papers.model import LONGEST_ID, Addresses, Answer, Paper, Request, Unreadable, Window, paper_id
from flows.papers.sources import sample
from flows.plugins.installed import looks

DAY = dt.date(2026, 6, 5)
WINDOW = Window(day=DAY, categories=("cs.AI",))
_ADDRESSES = Addresses()
_DAMAGES = 300


class Transport(Protocol):
    """The module of a transport, as `flows.sending.transports` describes it."""

    SCHEMES: Sequence[str]


def check_source(source: Source | ModuleType, answers: Iterable[bytes], window: Window = WINDOW) -> list[Paper]:
    """Whether a module is a source: its names, its first requests, its silence, and that no body makes it fail in
    another way than with `Unreadable`. `answers` are whole bodies for its first requests, of which each must hold
    papers of the window's day; returns them."""
    for name in ("NAME", "TITLE", "WANTS_DETAILS", "requests", "parse", "silence"):
        assert hasattr(source, name), f"it has no {name}"
    first = source.requests(window, _ADDRESSES)
    assert first, "it asks for nothing"
    for request in first:
        _check_request(request)
    silence = source.silence(window)
    assert silence, "silence() says nothing"
    assert "\n" not in silence, "silence() says more than a line"
    read: list[Paper] = []
    for body in answers:
        answer = source.parse(body, first[0], window, _ADDRESSES)
        assert answer.papers, "a whole answer holds no papers"
        _check_answer(source, answer, window)
        read += answer.papers
        for damaged in _damaged(body):
            for request in (*first, *answer.follow):
                try:
                    _check_answer(source, source.parse(damaged, request, window, _ADDRESSES), window)
                except Unreadable:
                    continue
    return read


def _check_request(request: Request) -> None:
    assert request.url.startswith(("https://", "http://", "package:")), f"{request.url!r} is no address to fetch"
    assert request.format in ("json", "xml"), f"{request.format!r} is neither json nor xml"
    assert request.kind, "a request has no kind"
    assert request.service, "a request names no service, whose pace it keeps"


def _check_answer(source: Source | ModuleType, answer: Answer, window: Window) -> None:
    for request in answer.follow:
        _check_request(request)
    for one in answer.papers:
        assert paper_id(one.id) == one.id, f"{one.id!r} is neither an arXiv identifier nor a DOI"
        assert len(one.id) <= LONGEST_ID, f"{one.id!r} is longer than {LONGEST_ID} characters"
        assert one.title.strip(), f"{one.id} has no title"
        assert source.NAME in one.sources, f"{one.id} does not name its source"
        assert one.day <= window.day, f"{one.id} is of a day after the one that was asked for"
        for name in ("code", "project", "thumbnail"):
            link = getattr(one, name)
            assert not link or urlsplit(link).scheme in ("http", "https"), f"{one.id}: {name} {link!r} is no link"


def _damaged(body: bytes) -> Iterable[bytes]:
    """A body with pieces cut out, doubled and replaced, the same ones every time."""
    yield from (b"", b"{}", b"[]", b"null", b"<html><body>503</body></html>", body[: len(body) // 2])
    chance = random.Random(1)  # noqa: S311  # the same damages every time
    for _ in range(_DAMAGES):
        begin = chance.randrange(len(body) + 1)
        end = min(len(body), begin + chance.randrange(60))
        piece = chance.choice((b"", body[begin:end] * 2, b"null", b"3", b'"x"', b"[]", b"<a/>", b"\xff", b"&x;"))
        yield body[:begin] + piece + body[end:]


async def check_transport(transport: Transport | ModuleType, url: str, wrong: str) -> None:
    """Whether a module is a transport: two messages reach what `url` leads to over one connection, one that is
    abandoned reaches nobody, and `wrong`, a URL with a mistake, is refused with a Problem."""
    assert urlsplit(url).scheme in transport.SCHEMES, f"SCHEMES do not name that of {url!r}"
    try:
        transport.opener(urlsplit(wrong))  # type: ignore[union-attr]
    except Problem as problem:
        assert str(problem).endswith("."), "a refusal is no sentence"
    else:
        raise AssertionError(f"{wrong!r} is taken")
    connection = await transport.opener(urlsplit(url))()  # type: ignore[union-attr]
    try:
        for number in (1, 2):
            outcome = await connection.send(_message(number))
            assert outcome.verdict is Verdict.SENT, f"message {number} ended as {outcome}"
            assert connection.usable, "a message that was taken ended the connection"
        refused = await connection.offer(_message(3))
        assert refused is None, f"a third message is not welcome: {refused}"
        connection.abandon()
    finally:
        await connection.close()


def _message(number: int) -> Message:
    content = f"Message-ID: <{number}@example.org>\r\nSubject: Papers\r\n\r\n.A line\r\n".encode()
    return Message(sender="bounces@example.org", recipient=f"reader{number}@example.org", content=content)


def check_look(name: str) -> None:
    """Whether an installed look makes a mail: every paper of a day is named in HTML and in text, once, with the ways to
    settings and out, also for a reader who follows something and for a single paper."""
    newsletter = replace(catalogue.newsletters()["sample"], look=name)
    whole, single = _edition(None), _edition(1)
    site = Site(
        public_url="https://papers.example.org",
        sender="Paperround <digest@example.org>",
        return_path="bounces@example.org",
    )
    reader = Reader(
        address="reader@example.net",
        unsubscribe="dW5zdWJzY3JpYmU",
        manage="bWFuYWdl",
        message_id="1.reader@papers.example.org",
        date=dt.datetime(2026, 6, 5, 7, tzinfo=dt.UTC),
    )
    folders = [*looks(), TEMPLATES]
    languages = Languages(folders)
    for edition, interests in ((whole, Interests()), (whole, Interests(keywords=("model",))), (single, Interests())):
        cards = render(edition, newsletter, catalogue.topics(), site, folders, languages[languages.default])
        digest = choose(edition, interests)
        content = assemble(cards, digest, reader).content
        for paper in (paper for part in digest.parts for paper in part.papers):
            assert paper.encode() in content, f"{paper} is not in the mail"
        assert b"dW5zdWJzY3JpYmU" in content, "there is no way out"
        assert b"bWFuYWdl" in content, "there is no way to the settings"
        assert content.endswith(b"\r\n"), "the mail does not end with a line end"


@cache
def _edition(most: int | None) -> Edition:
    """The bundled sample, or so many papers of it, composed."""
    body = files("flows.papers").joinpath("sample.json").read_bytes()
    (request,) = sample.requests(WINDOW, _ADDRESSES)
    topics = catalogue.topics()
    made = compose(
        catalogue.newsletters()["sample"],
        Kind.DAILY,
        DAY,
        sample.parse(body, request, WINDOW, _ADDRESSES).papers[:most],
        topics=topics,
        classify=Classifier(topics).classify,
        titles={sample.NAME: sample.TITLE},
    )
    assert isinstance(made, Edition)
    return made
