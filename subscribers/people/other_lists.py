"""Lists that other systems export, known by their columns: whose they are, who on them is still subscribed and since
when, and who must never be mailed again. Pure.

Who had unsubscribed or not confirmed there is left out; who bounced or complained there is suppressed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from subscribers.model import Suppressed

Line: TypeAlias = Mapping[str, str]
Standing: TypeAlias = str | Suppressed
"""Empty for who is subscribed; a reason in words for who is left out; or why somebody is suppressed."""

UNSUBSCRIBED = "had unsubscribed there"
UNCONFIRMED = "had not confirmed there"
BLOCKED = "was blocked there"


@dataclass(frozen=True, slots=True)
class OtherList:
    """A system's export: the columns that tell it, and those that are read of it, all in lower case."""

    name: str
    told_by: frozenset[str]
    standing: Callable[[Line], Standing]
    email: tuple[str, ...] = ("email",)
    since: tuple[str, ...] = ("created_at",)
    tags: tuple[str, ...] = field(default=())

    def read(self, line: Line) -> dict[str, str]:
        """The line in our own columns, without a state."""
        given = {"email": _first(line, self.email), "consent_source": f"list from {self.name}"}
        if since := _first(line, self.since):
            given["consent_at"] = since
        if tags := _tags(_first(line, self.tags)):
            given["tags"] = tags
        return given


def _first(line: Line, names: Collection[str]) -> str:
    return next((value for name in names if (value := (line.get(name) or "").strip())), "")


_MOST_TAGS, _LONGEST_TAG = 20, 60


def _tags(text: str) -> str:
    """Tags as they are joined there, `a,b` or `["a", "b"]`, in our own way; as many as a subscription takes."""
    found = (part.strip(" \"'") for part in text.strip("[]{}").replace(";", ",").split(","))
    return ";".join([tag[:_LONGEST_TAG] for tag in found if tag][:_MOST_TAGS])


def _yes(value: str | None) -> bool:
    return (value or "").strip().lower() in ("true", "1", "yes", "t")


def _listmonk(line: Line) -> Standing:
    match (line.get("status") or "").strip().lower():
        case "enabled" | "":
            return ""
        case "blocklisted":
            return Suppressed.OPERATOR
        case _:
            return "was disabled there"


def _mailchimp(line: Line) -> Standing:
    """Three files, for the subscribed, the unsubscribed and the cleaned, told apart by their columns."""
    if "clean_time" in line:
        return Suppressed.HARD_BOUNCE
    if "unsub_time" not in line:
        return ""
    reason = " ".join(line.get(name) or "" for name in ("unsub_reason", "unsub_reason_other"))
    return Suppressed.COMPLAINT if re.search(r"spam|abuse|complain", reason, re.IGNORECASE) else UNSUBSCRIBED


def _buttondown(line: Line) -> Standing:
    match _first(line, ("type", "subscriber_type")).lower():
        case "unsubscribed" | "removed" | "churned":
            return UNSUBSCRIBED
        case "unactivated" | "unpaid":
            return UNCONFIRMED
        case "undeliverable":
            return Suppressed.HARD_BOUNCE
        case "complained" | "spammy_complaint":
            return Suppressed.COMPLAINT
        case "spammy" | "blocked" | "malformed":
            return BLOCKED
        case _:
            return ""


def _substack(line: Line) -> Standing:
    return UNSUBSCRIBED if _yes(line.get("email_disabled")) else ""


def _ghost(line: Line) -> Standing:
    gone = (line.get("deleted_at") or "").strip() or not _yes(line.get("subscribed_to_emails"))
    return UNSUBSCRIBED if gone else ""


KNOWN = (
    OtherList("listmonk", frozenset({"uuid", "email", "attributes", "status"}), _listmonk),
    OtherList(
        "Mailchimp",
        frozenset({"email address", "leid", "euid"}),
        _mailchimp,
        email=("email address",),
        since=("confirm_time", "optin_time"),
        tags=("tags",),
    ),
    OtherList("Ghost", frozenset({"email", "subscribed_to_emails", "complimentary_plan"}), _ghost, tags=("labels",)),
    OtherList("Substack", frozenset({"email", "active_subscription", "email_disabled"}), _substack),
    OtherList(
        "Buttondown",
        frozenset({"creation_date", "notes", "metadata"}),
        _buttondown,
        email=("email", "email_address"),
        since=("creation_date",),
        tags=("tags",),
    ),
)
"""Their columns as the systems' own exports have them."""

MAILMAN = OtherList("Mailman", frozenset(), lambda line: "", since=())
"""Mailman's has no first line: an address in each, alone or behind a name (`mailman members`, Postorius' export)."""


def recognise(header: Collection[str]) -> OtherList | None:
    """Whose export has these columns, in lower case."""
    return next((known for known in KNOWN if known.told_by <= set(header)), None)
