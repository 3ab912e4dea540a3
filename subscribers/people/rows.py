"""How a subscription stands in its table, and the statements that several stores share."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.editions.model import Interests, Newsletter
from subscribers.model import Frequency, Subscription, SubscriptionState, Suppressed
from subscribers.tables import domain, subscriber, subscription, suppression
from subscribers.tokens import keyed

MUTED = "-"
"""What a muted topic begins with among `topics`, in the database and in CSV."""
LISTS = ("topics", "keywords", "authors", "leave_out", "tags")
SETTINGS = (
    "state", "paused_until", "topics", "keywords", "authors", "leave_out", "size", "frequency", "weekday", "hour",
    "zone", "language",
)  # fmt: skip
"""What a change of the reader's alters, and an undo brings back."""
CONSENT = ("consent_at", "consent_source", "consent_version", "consent_network")
"""What a sign-up alters besides, and comes back if it is not confirmed."""
DELIVERED = (SubscriptionState.CONFIRMED, SubscriptionState.PAUSED)
"""The states of those who have confirmed and not left."""

BLOCKED, ALLOWED = "blocked", "allowed"
"""What an operator decides about a domain."""

DEFAULTS: Mapping[str, Any] = {
    "state": SubscriptionState.CONFIRMED,
    "topics": "[]",
    "keywords": "[]",
    "authors": "[]",
    "leave_out": "[]",
    "size": None,
    "frequency": Frequency.DAILY,
    "hour": None,
    "zone": "UTC",
    "language": "",
    "weekday": None,
    "tags": "[]",
    "paused_until": None,
    "consent_at": None,
    "consent_source": "",
}


def beginning(newsletter: Newsletter) -> dict[str, Any]:
    """How somebody begins who does not choose: as the newsletter has it, the hour in its zone."""
    at = {} if newsletter.hour is None else {"hour": newsletter.hour, "zone": newsletter.zone}
    return {"frequency": Frequency(newsletter.frequency), **at}


OF_SUBSCRIBER = (subscriber.c.email, subscriber.c.suppressed)
"""What `read_subscription` needs besides the columns of `subscription`."""

DELIVERABLE = (
    *(subscription.c[name] for name in ("id", "newsletter", "state", "topics", "keywords", "authors", "leave_out")),
    *(subscription.c[name] for name in ("size", "frequency", "zone", "language", "paused_until", "frequency_at")),
    subscription.c.revision,
    *OF_SUBSCRIBER,
)
"""What `read_deliverable` needs, in this order."""


def columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as the database keeps them: lists as JSON, the rest unchanged."""
    return {name: _json(tuple(value)) if name in LISTS else value for name, value in given.items()}


@lru_cache(maxsize=10_000)
def _json(values: tuple[str, ...]) -> str:
    return json.dumps(values, ensure_ascii=False)


def interests_columns(interests: Interests) -> dict[str, Any]:
    return columns(
        {
            "topics": [*sorted(interests.topics), *sorted(MUTED + slug for slug in interests.muted)],
            "keywords": interests.keywords,
            "authors": interests.authors,
            "leave_out": interests.leave_out,
            "size": interests.size,
        }
    )


def read_subscription(row: sa.Row[Any]) -> Subscription:
    """A row of `subscription` with what is `OF_SUBSCRIBER`; without what it was before."""
    return _read(row._mapping)


def read_with_previous(row: sa.Row[Any]) -> Subscription:
    """The same with what an undo would bring back."""
    found = _read(row._mapping)
    if row.previous is None or found.state is SubscriptionState.UNCONFIRMED:
        return found
    return replace(found, previous=_read({**row._mapping, **kept_settings(row.previous)}))


def read_deliverable(row: Sequence[Any]) -> Subscription:
    """As much of a subscription as its delivery needs, everything else as for one that is new: of a list of a million,
    every one is read."""
    number, newsletter, state, topics, keywords, authors, leave_out, size, *others = row
    frequency, zone, language, paused_until, frequency_at, revision, email, suppressed = others
    return Subscription(
        id=number,
        email=email,
        newsletter=newsletter,
        state=_STATES[state],
        interests=_interests(topics, keywords, authors, leave_out, size),
        frequency=_FREQUENCIES[frequency],
        zone=zone,
        language=language,
        paused_until=paused_until,
        frequency_at=frequency_at,
        revision=revision,
        suppressed=Suppressed(suppressed) if suppressed else None,
    )


_STATES = {state.value: state for state in SubscriptionState}
_FREQUENCIES = {frequency.value: frequency for frequency in Frequency}


def _interests(topics: str, keywords: str, authors: str, leave_out: str, size: int | None) -> Interests:
    wanted, muted = _topics(topics)
    return Interests(
        topics=wanted,
        muted=muted,
        keywords=_listed(keywords),
        authors=_listed(authors),
        leave_out=_listed(leave_out),
        size=size,
    )


@lru_cache(maxsize=10_000)
def _topics(column: str) -> tuple[frozenset[str], frozenset[str]]:
    """The topics that are wanted, and those that are muted."""
    slugs = json.loads(column)
    muted = frozenset(slug.removeprefix(MUTED) for slug in slugs if slug.startswith(MUTED))
    return frozenset(slug for slug in slugs if not slug.startswith(MUTED)), muted


def _listed(column: str) -> tuple[str, ...]:
    return () if column == "[]" else tuple(json.loads(column))


def _read(row: sa.RowMapping | Mapping[str, Any]) -> Subscription:
    return Subscription(
        id=row["id"],
        email=row["email"],
        newsletter=row["newsletter"],
        state=SubscriptionState(row["state"]),
        interests=_interests(row["topics"], row["keywords"], row["authors"], row["leave_out"], row["size"]),
        frequency=Frequency(row["frequency"]),
        hour=row["hour"],
        zone=row["zone"],
        language=row["language"],
        weekday=row["weekday"],
        tags=_listed(row["tags"]),
        paused_until=row["paused_until"],
        consent_at=row["consent_at"],
        consent_source=row["consent_source"],
        frequency_at=row["frequency_at"],
        revision=row["revision"],
        changed_at=row["changed_at"],
        confirmed_at=row["confirmed_at"],
        left_at=row["left_at"],
        left_reason=row["left_reason"],
        suppressed=Suppressed(row["suppressed"]) if row["suppressed"] else None,
    )


def keep_settings(row: sa.Row[Any], names: tuple[str, ...] = SETTINGS, **more: Any) -> str:
    """The settings of a row for its column `previous`."""
    kept = {name: row._mapping[name] for name in names}
    return json.dumps(kept | more, default=lambda value: value.isoformat(), ensure_ascii=False)


def kept_settings(previous: str) -> dict[str, Any]:
    """What `keep_settings` kept, as columns."""
    kept = json.loads(previous)
    found = {name: kept[name] for name in (*SETTINGS, *CONSENT) if name in kept}
    if found.get("paused_until"):
        found["paused_until"] = dt.date.fromisoformat(found["paused_until"])
    if found.get("consent_at"):
        found["consent_at"] = dt.datetime.fromisoformat(found["consent_at"])
    return found


def subscriptions() -> sa.Select[Any]:
    """Whole subscriptions, for `read_subscription`."""
    return sa.select(subscription, *OF_SUBSCRIBER).join(subscriber)


def address_key(email: str, key: bytes) -> str:
    """What an address is known by in the table of suppressions: however it is written, and without being kept."""
    return keyed("address", email.lower(), key)


def address_keys(email: str, key: bytes) -> tuple[str, ...]:
    """All that an address may be known by there: our own key first, then the hashes that other senders exchange."""
    plain = email.lower().encode()
    sha256 = base64.urlsafe_b64encode(hashlib.sha256(plain).digest()).decode().rstrip("=")
    return address_key(email, key), sha256, hashlib.md5(plain, usedforsecurity=False).hexdigest()


def domains_of(email: str) -> list[str]:
    """The domain of an address, and those that it belongs to."""
    labels = email.rpartition("@")[2].lower().split(".")
    return [".".join(labels[at:]) for at in range(len(labels))]


async def suppressed(connection: AsyncConnection, email: str, key: bytes) -> Suppressed | None:
    """Why an address is never mailed again."""
    known = suppression.c.address_key.in_(address_keys(email, key))
    reason = await connection.scalar(sa.select(suppression.c.reason).where(known).limit(1))
    if reason is not None:
        return Suppressed(reason)
    rule = sa.select(domain.c.name).where(domain.c.rule == BLOCKED, domain.c.name.in_(domains_of(email))).limit(1)
    return None if await connection.scalar(rule) is None else Suppressed.BLOCKED
