"""Bytes become JSON values or XML trees, or `Unreadable` says what they are instead."""

from __future__ import annotations

import json

from lxml import etree

from flows.papers import fields
from flows.papers.model import Unreadable

# Forbidden in XML 1.0 (section 2.2); in UTF-8 such a byte is never a part of another character.
_CONTROLS = bytes(set(range(32)) - {9, 10, 13})


def json_value(body: bytes) -> object:
    """The value of a JSON body. Bytes that are not UTF-8 cost a character, not the day."""
    try:
        return json.loads(body.decode("utf-8-sig", errors="replace"), parse_int=_number)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{instead(body)} instead of JSON") from error


def json_list(body: bytes, *names: str) -> list[object]:
    """The list that a JSON body is, or that its object holds under one of `names`."""
    value = json_value(body)
    if isinstance(value, list):
        return value
    for name in names:
        inner = fields.at(value, name)
        if isinstance(inner, list):
            return inner
    error = fields.at(value, "error")
    if error:
        raise Unreadable(f"an error instead of a list: {fields.text(error)[:200] or fields.kind(error)}")
    raise Unreadable(f"{fields.kind(value)} instead of a list")


def xml_root(body: bytes, *names: str) -> etree._Element:
    """The root of an XML body, whose local name must be one of `names`.

    Entities are not expanded and nothing is fetched; a document that brings its own type definition is refused.
    """
    # A new parser each time: lxml's parsers are not meant to be shared between threads.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, recover=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body.translate(None, _CONTROLS), parser)
        alien = root.getroottree().docinfo.internalDTD is not None
        name = etree.QName(root).localname
    except (etree.LxmlError, ValueError) as error:
        raise Unreadable(f"{instead(body)} instead of XML") from error
    if alien or name not in names:
        raise Unreadable(f"{instead(body)} instead of {' or '.join(names)}")
    return root


def xml_text(element: etree._Element | None) -> str:
    """The whole text inside an element, folded; empty where there is no element."""
    return "" if element is None else fields.text("".join(str(part) for part in element.itertext()))


def resembles(body: bytes, form: str) -> bool:
    """Whether a body at least begins like `form`, "json" or "xml"."""
    start = body[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if form == "json":
        return start.startswith((b"[", b"{"))
    return start.startswith(b"<") and not _page(body)


def _page(body: bytes) -> bool:
    return body[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html"))


def instead(body: bytes) -> str:
    """What a body is that is not what was asked for, in a few words."""
    if not body.strip():
        return "an empty body"
    return "an HTML page" if _page(body) else "a damaged or unknown document"


def _number(digits: str) -> int | None:
    # Python refuses numbers of more than 4,300 digits with an error that would cost the whole body.
    return int(digits) if len(digits) < 20 else None
