"""The words of mails in one language: what is written when an edition is rendered, and what is put in once a reader's
papers are known. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple, Protocol

from markupsafe import Markup


class MailPhrases(Protocol):
    """The words of mails, by their keys; `flows.config.phrases` reads them."""

    def __call__(self, key: str, /, **values: Any) -> Markup:
        """The phrase as HTML, its values escaped."""

    def raw(self, key: str, /, form: str = "other") -> str:
        """The phrase with its values still in braces; `one` where it has another form for one."""

    def text(self, key: str, /, **values: Any) -> str:
        """The phrase as plain text."""


class Words(NamedTuple):
    """What is put in for each reader, values in braces; plain text. English, as cards of earlier versions have it."""

    language: str = "en"
    """As in `<html lang>` (RFC 5646)."""
    paper: str = "{count} paper"
    papers: str = "{count} papers"
    more_paper: str = "{count} more paper"
    more_papers: str = "{count} more papers"
    and_last: str = "{before} and {last}"
    and_more: str = "{count} more"
    """At the end of a subject: how many papers it does not name."""
    left: str = "{shown} of {all} here."
    left_chosen: str = "{shown} of {all} here, as you chose."
    left_where: str = "On the web: {where}."
    left_topic: str = "{count} more on {topic}"
    left_others: str = "{count} on other topics"
    matches: str = "Matches"
    quoted: str = "“{words}”"
    by_first: str = "By"
    by: str = "by"
    more_reasons: str = "and {count} more"


ENGLISH = Words()


def words_of(say: MailPhrases) -> Words:
    """The words of a language for `Cards`."""
    return Words(
        language=say.raw("site.lang"),
        paper=say.raw("mail.papers", "one"),
        papers=say.raw("mail.papers"),
        more_paper=say.raw("mail.more_papers", "one"),
        more_papers=say.raw("mail.more_papers"),
        and_last=say.raw("mail.and_last"),
        and_more=say.raw("mail.and_more"),
        left=say.raw("mail.left"),
        left_chosen=say.raw("mail.left_chosen"),
        left_where=say.raw("mail.left_where"),
        left_topic=say.raw("mail.left_topic"),
        left_others=say.raw("mail.left_others"),
        matches=say.raw("mail.matches"),
        quoted=say.raw("mail.quoted"),
        by_first=say.raw("mail.by_first"),
        by=say.raw("mail.by"),
        more_reasons=say.raw("mail.more_reasons"),
    )


def short_date(day: dt.date, say: MailPhrases) -> str:
    """ "9 June", as its language writes it."""
    return say.text("date.short", day=day.day, month=say.text(f"date.month.{day.month}"))


def long_date(day: dt.date, say: MailPhrases) -> str:
    """ "Tuesday, 9 June 2026", as its language writes it."""
    month, weekday = say.text(f"date.month.{day.month}"), say.text(f"date.weekday.{day.weekday()}")
    return say.text("date.long", weekday=weekday, day=day.day, month=month, year=day.year)
