"""What readers set themselves: read from a form, changed by one tap, and what a change means in words. Pure.

A form's fields are `topics` (once for each box that is ticked), `keywords`, `authors`, `leave_out`, `size`,
`frequency`, `weekday`, `hour`, `zone` and `language`. What can't be used is named by its field with the key of a phrase
and its values.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flows.editions.model import EVERY, Interests
from flows.editions.words import words
from subscribers.model import Frequency, Subscription, SubscriptionState
from subscribers.text import clean
from subscribers.zones import known as known_zone

MAX_KEYWORDS = 50
MAX_AUTHORS = 50
MAX_LEFT_OUT = 50
MAX_WORD = 80
"""Characters of a keyword or an author's name."""
MAX_SIZE = 100
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
"""Of a language (RFC 5646), as far as words may be in one."""
MAX_PAUSE = dt.timedelta(days=365)

Phrase = tuple[str, Mapping[str, Any]]
"""The key of a phrase, and its values."""
Form = Mapping[str, Sequence[str]]
Errors = dict[str, Phrase]
"""By field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    interests: Interests = field(default_factory=Interests)
    frequency: Frequency = Frequency.DAILY
    weekday: int | None = None
    hour: int | None = None
    zone: str = "UTC"
    language: str = ""


class Unusable(ValueError):  # noqa: N818 - it is an answer to the reader
    """A choice that can't be kept; `phrase` says why."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.phrase: Phrase = (key, values)


def preferences_of(subscription: Subscription) -> Preferences:
    return Preferences(
        interests=subscription.interests,
        frequency=subscription.frequency,
        weekday=subscription.weekday,
        hour=subscription.hour,
        zone=subscription.zone,
        language=subscription.language,
    )


def read_form(
    form: Form, topics: Collection[str], before: Preferences | None, languages: Collection[str] = ()
) -> Preferences | Errors:
    """The preferences that a form asks for, or what is wrong with each field that can't be used.

    `topics` and `languages` are those that the form shows. A text field that it lacks stays as it is in `before`; a
    sign-up has none, and there no topic means every topic.
    """
    known = before or Preferences()
    read: dict[str, Any] = {}
    errors: Errors = {}

    def take(name: str, value: Any) -> None:
        try:
            read[name] = value()
        except Unusable as unusable:
            errors[name] = unusable.phrase

    def text(name: str) -> str | None:
        given = form.get(name)
        return given[-1] if given else None

    def typed(name: str, parse: Any, default: Any) -> None:
        given = text(name)
        take(name, lambda: default if given is None else parse(given))

    typed("keywords", read_keywords, known.interests.keywords)
    typed("authors", read_authors, known.interests.authors)
    typed("leave_out", read_leave_out, known.interests.leave_out)
    typed("size", _size, known.interests.size)
    typed("frequency", _frequency, known.frequency)
    typed("weekday", _weekday, known.weekday)
    typed("hour", _hour, known.hour)
    typed("zone", _zone, known.zone)
    typed("language", lambda text: _language(text, languages), known.language)
    follows = bool(read.get("keywords", True) or read.get("authors", True))
    take("topics", lambda: _ticked(form.get("topics", ()), topics, before, follows))
    followed = _folded((*read.get("keywords", ()), *read.get("authors", ())))
    if both := next((one for one in read.get("leave_out", ()) if one.casefold() in followed), None):
        errors["leave_out"] = ("errors.leave_out_followed", {"value": both})
    if errors:
        return errors
    lists = {name: read[name] for name in ("keywords", "authors", "leave_out", "size")}
    interests = replace(read["topics"], **lists)
    weekly = read["frequency"] is Frequency.WEEKLY
    return Preferences(
        interests=interests,
        frequency=read["frequency"],
        weekday=read["weekday"] if weekly else None,
        hour=read["hour"],
        zone=read["zone"],
        language=read["language"],
    )


def _ticked(boxes: Iterable[str], topics: Collection[str], before: Preferences | None, follows: bool) -> Interests:
    """The topics as interests: who takes all and leaves some out gets those that are added later, too; who has picked
    some does not."""
    ticked = frozenset(boxes)
    if unknown := sorted(ticked.difference(topics)):
        raise Unusable("errors.topic", value=_shown(unknown[0]))
    left_out = frozenset(topics) - ticked
    if before is None:
        return Interests(topics=ticked if left_out else frozenset())
    if not ticked and topics:
        if not follows:
            raise Unusable("errors.nothing_left")
        return Interests(muted=frozenset({EVERY}))
    was = before.interests
    if was.topics or EVERY in was.muted:
        return Interests(topics=ticked if left_out else frozenset())
    # a mute of a topic that is not shown at the moment stays
    return Interests(muted=left_out | was.muted.difference(topics))


def wanted_topics(interests: Interests, topics: Iterable[str]) -> frozenset[str]:
    """Which of the topics a reader gets as such: the boxes that are ticked."""
    if EVERY in interests.muted:
        return frozenset()
    return frozenset(topics).intersection(interests.topics) if interests.topics else frozenset(topics) - interests.muted


def mute(preferences: Preferences, slugs: Collection[str], topics: Collection[str]) -> Preferences:
    """Without these topics. Raises Unusable where nothing would be left."""
    was = preferences.interests
    if EVERY in was.muted:
        return preferences
    if wanted_topics(was, topics) <= frozenset(slugs):
        if not (was.keywords or was.authors):
            raise Unusable("errors.nothing_left")
        interests = replace(was, topics=frozenset(), muted=frozenset({EVERY}))
    elif was.topics:
        interests = replace(was, topics=was.topics.difference(slugs))
    else:
        interests = replace(was, muted=was.muted.union(slugs))
    return replace(preferences, interests=interests)


def unmute(preferences: Preferences, slugs: Collection[str], topics: Collection[str]) -> Preferences:
    """With these topics."""
    was = preferences.interests
    if not slugs:
        return preferences
    if was.topics or EVERY in was.muted:
        picked = was.topics.union(slugs)
        every = picked.issuperset(topics)
        interests = replace(was, topics=frozenset() if every else picked, muted=frozenset())
    else:
        interests = replace(was, muted=was.muted.difference(slugs))
    return replace(preferences, interests=interests)


def follow(
    preferences: Preferences,
    *,
    keywords: Iterable[str] = (),
    authors: Iterable[str] = (),
    topics: Iterable[str] = (),
    all_topics: Collection[str] = (),
) -> Preferences:
    """With more to follow, which is left out no longer. Raises Unusable where it is too much."""
    found = unmute(preferences, frozenset(topics), all_topics)
    was = found.interests
    more, names = tuple(keywords), tuple(authors)
    interests = replace(
        was,
        keywords=_joined("keywords", was.keywords, more, MAX_KEYWORDS),
        authors=_joined("authors", was.authors, names, MAX_AUTHORS),
        leave_out=_without(was.leave_out, (*more, *names)),
    )
    return replace(found, interests=interests)


def leave_out(
    preferences: Preferences,
    phrases: Iterable[str],
    *,
    topics: Iterable[str] = (),
    all_topics: Collection[str] = (),
) -> Preferences:
    """With more to leave out, which is followed no longer. Raises Unusable where it is too much, or nothing would be
    left."""
    more, was = tuple(phrases), preferences.interests
    interests = replace(
        was,
        keywords=_without(was.keywords, more),
        authors=_without(was.authors, more),
        leave_out=_joined("leave_out", was.leave_out, more, MAX_LEFT_OUT),
    )
    if EVERY in interests.muted and not (interests.keywords or interests.authors):
        raise Unusable("errors.nothing_left")
    less = replace(preferences, interests=interests)
    muted = frozenset(topics)
    return mute(less, muted, all_topics) if muted else less


def _without(phrases: Sequence[str], gone: Iterable[str]) -> tuple[str, ...]:
    folded = _folded(gone)
    return tuple(one for one in phrases if one.casefold() not in folded)


def _folded(phrases: Iterable[str]) -> frozenset[str]:
    return frozenset(one.casefold() for one in phrases)


def _joined(name: str, known: Sequence[str], more: Iterable[str], most: int) -> tuple[str, ...]:
    cleaned = (clean(_SEPARATORS.sub(" ", one)) for one in more)
    new = _distinct([*known, *(_checked(name, one) for one in cleaned if one)])
    if len(new) > max(most, len(known)):
        raise Unusable(f"errors.{name}_many", most=most)
    return new


_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»‹›″＂", '"') | {"；": ";", "，": ",", "、": ","})
_PHRASES = re.compile(r'"([^"\n]*)"|([^",;\n]+)')
_LINES = re.compile(r"[\r\n\x0b\x0c\x85\u2028\u2029]+")
_SEPARATORS = re.compile(r'[";]+')


def read_keywords(text: str) -> tuple[str, ...]:
    """The words and "phrases in quotes" of a text, separated by commas, semicolons or lines. Raises Unusable."""
    return _listed("keywords", text, MAX_KEYWORDS)


def read_authors(text: str) -> tuple[str, ...]:
    """The names of a text, as `read_keywords` does it."""
    return _listed("authors", text, MAX_AUTHORS)


def read_leave_out(text: str) -> tuple[str, ...]:
    """The words, phrases and names of a text, as `read_keywords` does it."""
    return _listed("leave_out", text, MAX_LEFT_OUT)


def written(phrases: Iterable[str]) -> str:
    """What `read_keywords` reads as these: one a line, in quotes where one has a comma."""
    plain = (clean(_SEPARATORS.sub(" ", one)) for one in phrases)
    return "\n".join(f'"{one}"' if "," in one else one for one in plain)


def _listed(name: str, text: str, most: int) -> tuple[str, ...]:
    text = clean(_LINES.sub("\n", text.translate(_QUOTES)), keep="\n")
    # a phrase may hold a comma, but no semicolon: that is what joins them in a file
    found = (clean(quoted.replace(";", " ") or plain) for quoted, plain in _PHRASES.findall(text))
    listed = _distinct([_checked(name, one) for one in found if one])
    if len(listed) > most:
        raise Unusable(f"errors.{name}_many", most=most)
    return listed


def _checked(name: str, phrase: str) -> str:
    if len(phrase) > MAX_WORD:
        raise Unusable(f"errors.{name}_long", value=_shown(phrase), most=MAX_WORD)
    if not words(phrase):
        raise Unusable(f"errors.{name}_empty", value=phrase)
    return phrase


def _distinct(phrases: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for one in phrases:
        found.setdefault(one.casefold(), one)
    return tuple(found.values())


def _number(text: str, low: int, high: int) -> int | None:
    """A whole number within bounds; None: it is none."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 3 and low <= int(text) <= high:
        return int(text)
    return None


def _size(text: str) -> int | None:
    if not text.strip():
        return None
    found = _number(text, 1, MAX_SIZE)
    if found is None:
        raise Unusable("errors.size", value=_shown(text), most=MAX_SIZE)
    return found


def _frequency(text: str) -> Frequency:
    try:
        return Frequency(text.strip())
    except ValueError:
        raise Unusable("errors.frequency", value=_shown(text)) from None


def _weekday(text: str) -> int | None:
    if not text.strip():
        return None
    found = _number(text, 0, 6)
    if found is None:
        raise Unusable("errors.weekday", value=_shown(text))
    return found


def _hour(text: str) -> int | None:
    if not text.strip():
        return None
    found = _number(text, 0, 23)
    if found is None:
        raise Unusable("errors.hour", value=_shown(text))
    return found


def _zone(text: str) -> str:
    name = known_zone(text.strip())
    if not name:
        raise Unusable("errors.zone", value=_shown(text))
    return name


def _language(text: str, languages: Collection[str]) -> str:
    """Of these, or empty for the site's own."""
    if text.strip() and text.strip() not in languages:
        raise Unusable("errors.language", value=_shown(text))
    return text.strip()


def read_pause(text: str, today: dt.date) -> dt.date:
    """The day until which a reader wants no mail: from tomorrow up to a year. Raises Unusable."""
    first, last = today + dt.timedelta(days=1), today + MAX_PAUSE
    try:
        # a date alone, as a browser sends it
        day = dt.datetime.strptime(text.strip(), "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError:
        raise Unusable("errors.pause", value=_shown(text), first=first, last=last) from None
    if not first <= day <= last:
        raise Unusable("errors.pause", value=_shown(text), first=first, last=last)
    return day


def _shown(text: str) -> str:
    """What was typed, short enough for a sentence."""
    text = clean(text)
    return text if len(text) <= 40 else f"{text[:39]}…"


def describe(before: Subscription, after: Subscription, topics: Collection[str]) -> list[Phrase]:
    """What a change means for the reader: phrases of `changes`, in the order of the page. Topics are named by their
    slugs, hours and days by their numbers."""
    said: list[Phrase] = []
    if (before.state, before.paused_until) != (after.state, after.paused_until):
        said.append(_state(before, after))
    was, now = before.interests, after.interests
    had, has = wanted_topics(was, topics), wanted_topics(now, topics)
    said += [("changes.topic_off", {"topic": slug}) for slug in topics if slug in had - has]
    said += [("changes.topic_on", {"topic": slug}) for slug in topics if slug in has - had]
    if EVERY in now.muted and EVERY not in was.muted:
        said.append(("changes.followed_only", {}))
    for name, old, new in (
        ("keyword", was.keywords, now.keywords),
        ("author", was.authors, now.authors),
        ("leave_out", was.leave_out, now.leave_out),
    ):
        said += [(f"changes.{name}_on", {name: one}) for one in new if one not in old]
        said += [(f"changes.{name}_off", {name: one}) for one in old if one not in new]
    if was.size != now.size:
        said.append(("changes.size", {"count": now.size}) if now.size else ("changes.size_any", {}))
    if (before.frequency, before.weekday) != (after.frequency, after.weekday):
        said.append(_rhythm(after))
    if (before.hour, before.zone) != (after.hour, after.zone):
        at = {"hour": after.hour, "zone": after.zone}
        said.append(("changes.hour", at) if after.hour is not None else ("changes.hour_any", {}))
    if before.language != after.language:
        said.append(("changes.language", {"language": after.language}))
    return said


def _state(before: Subscription, after: Subscription) -> Phrase:
    match after.state:
        case SubscriptionState.PAUSED if after.paused_until:
            return ("changes.paused", {"until": after.paused_until})
        case SubscriptionState.PAUSED:
            return ("changes.paused_open", {})
        case SubscriptionState.UNSUBSCRIBED:
            return ("changes.left", {})
        case _ if before.state is SubscriptionState.UNSUBSCRIBED:
            return ("changes.back", {})
        case _:
            return ("changes.resumed", {})


def _rhythm(after: Subscription) -> Phrase:
    if after.frequency is Frequency.WEEKLY and after.weekday is not None:
        return ("changes.weekly_on", {"weekday": after.weekday})
    return {
        Frequency.DAILY: ("changes.daily", {}),
        Frequency.WEEKDAYS: ("changes.weekdays", {}),
        Frequency.WEEKLY: ("changes.weekly", {}),
    }[after.frequency]
