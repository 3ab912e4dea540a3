"""Bytes become JSON or XML, or it is told what they are instead."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.papers.bodies import json_list, json_value, resembles, xml_root, xml_text
from flows.papers.model import Unreadable
from tests.papers.shapes import feed, item
from tests.papers.sources.test_arxiv import parse_feed

BOMB = (
    b'<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<rss><channel><title>&b;</title></channel></rss>"
)


def test_a_control_character_costs_nothing() -> None:
    """XML 1.0 forbids it, titles hold it nevertheless."""
    (paper,) = parse_feed(feed(item(title="A tide\x0b table\x00"))).papers
    assert paper.title == "A tide table"


def test_an_entity_is_not_expanded_and_no_other_document_is_taken() -> None:
    for body in (BOMB, b'<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss/>'):
        with pytest.raises(Unreadable, match="instead of rss"):
            xml_root(body, "rss")
    with pytest.raises(Unreadable, match="instead of rss or feed"):
        xml_root(b"<other/>", "rss", "feed")
    assert xml_root(b'<f:feed xmlns:f="x"><!-- no --><a>one <b>two</b></a></f:feed>', "feed") is not None


def test_the_whole_text_of_an_element_is_folded() -> None:
    root = xml_root(b"<rss><a> one\n <b>two</b> &amp; three</a></rss>", "rss")
    assert xml_text(root.find("a")) == "one two & three"
    assert xml_text(root.find("z")) == ""


def test_a_list_is_found_alone_or_under_its_name_and_else_it_is_told_what_came() -> None:
    assert json_list(b"\xef\xbb\xbf[1]") == json_list(b'{"papers": [1]}', "data", "papers") == [1]
    for body, words in (
        (b'{"error": "no\\nsuch day"}', "an error instead of a list: no such day"),
        (b'{"papers": 1}', "an object instead of a list"),
        (b"", "an empty body instead of JSON"),
        (b"<!DOCTYPE html><p>", "an HTML page instead of JSON"),
        (b"[" * 100_000, "a damaged or unknown document instead of JSON"),
    ):
        with pytest.raises(Unreadable, match=words):
            json_list(body, "papers")


def test_a_broken_character_or_an_endless_number_costs_itself_alone() -> None:
    assert json_value(b'["\xff", ' + b"9" * 5000 + b", 7]") == ["\ufffd", None, 7]


@pytest.mark.parametrize(
    ("body", "form", "alike"),
    [
        (b" [1]", "json", True),
        (b"\xef\xbb\xbf{", "json", True),
        (b"<rss/>", "json", False),
        (b"\n<?xml version='1.0'?>", "xml", True),
        (b"<!DOCTYPE HTML>", "xml", False),
        (b"", "xml", False),
    ],
)
def test_a_body_is_known_by_how_it_begins(body: bytes, form: str, alike: bool) -> None:
    assert resembles(body, form) is alike


@given(st.binary())
def test_any_bytes_are_read_or_unreadable(body: bytes) -> None:
    with suppress(Unreadable):
        json_value(body)
    with suppress(Unreadable):
        xml_root(body, "rss")
