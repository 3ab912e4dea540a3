"""Mails made for a test, and read back by the standard library."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import lxml.html

import flows
from flows.editions.model import Edition
from flows.mail import cards
from flows.mail.model import Cards, Message
from tests import factories

SHIPPED = Path(flows.__file__).parent.parent / "templates"


def rendered(
    edition: Edition | None = None,
    *,
    site: dict[str, Any] | None = None,
    folders: Sequence[Path] = (SHIPPED,),
    language: str = "",
    **newsletter: Any,
) -> Cards:
    return cards.render(
        edition or factories.edition(),
        factories.newsletter(**newsletter),
        factories.TOPICS,
        factories.site(**(site or {})),
        folders,
        factories.phrases(*folders, language=language),
    )


def read(message: Message) -> EmailMessage:
    parsed = email.message_from_bytes(message.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def body(message: Message, kind: str) -> str:
    """The decoded body of a kind, "html" or "plain"."""
    part = read(message).get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


def tree(page: str) -> Any:
    """The page as lxml's tree, whose stubs know less than it can."""
    return lxml.html.fromstring(page)
