"""Lists in the shapes of other systems' exports, of invented people, are taken in: who is subscribed, since when, who
stays out, and who is suppressed."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest

from flows.outcomes import Problem
from subscribers.model import Suppressed
from subscribers.people.csv_file import BadLine, Known, LeftOut, Never, read
from subscribers.people.other_lists import BLOCKED, UNCONFIRMED, UNSUBSCRIBED
from subscribers.people.store import Change

KNOWN = Known(newsletters={"daily", "arxiv"}, topics=set(), default="arxiv")

LISTMONK = """\
uuid,email,name,attributes,status,created_at,updated_at
6f3c,ada@example.org,Ada Brook,"{""city"": ""Ulm""}",enabled,2024-03-05T10:11:12.123456Z,2024-03-05T10:11:12Z
7a1d,ben@example.org,Ben Hall,{},disabled,2024-03-05T10:11:12Z,2024-03-05T10:11:12Z
8b2e,cy@example.org,Cy,{},blocklisted,2024-03-05T10:11:12Z,2024-03-05T10:11:12Z
"""
MAILCHIMP = """\
Email Address,First Name,Last Name,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,CC,LEID,EUID,NOTES,TAGS
ada@example.org,Ada,Brook,2023-01-02 03:04:05,192.0.2.7,2023-01-02 03:09:00,192.0.2.7,,11,aa,,"""
MAILCHIMP += '"""lab"",""Ulm"""\ncy@example.org,Cy,,2023-02-02 03:04:05,192.0.2.8,,,,12,ab,,\n'
MAILCHIMP_GONE = """\
Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,UNSUB_TIME,UNSUB_REASON,UNSUB_REASON_OTHER
ben@example.org,Ben,,2023-01-02 03:09:00,13,ac,2024-01-02 03:09:00,NORMAL,
cy@example.org,Cy,,2023-01-02 03:09:00,14,ad,2024-01-02 03:09:00,ABUSE,it is spam
"""
MAILCHIMP_CLEANED = """\
Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE
ben@example.org,Ben,,2023-01-02 03:09:00,13,ac,2024-01-02 03:09:00,May
"""
BUTTONDOWN = """\
email,notes,metadata,tags,creation_date,subscriber_type,source
ada@example.org,,{},"lab, Ulm",2022-05-06T07:08:09Z,regular,organic
ben@example.org,,{},,2022-05-06T07:08:09Z,unsubscribed,organic
cy@example.org,,{},,2022-05-06T07:08:09Z,unactivated,organic
dee@example.org,,{},,2022-05-06T07:08:09Z,undeliverable,organic
eve@example.org,,{},,2022-05-06T07:08:09Z,spammy,organic
"""
SUBSTACK = """\
email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at
ada@example.org,false,,,false,2021-08-27T15:06:27.713Z,
ben@example.org,true,2027-01-01,yearly,true,2021-08-27T15:06:27.713Z,2021-09-01
"""
GHOST = """\
id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers
65a1,ada@example.org,Ada Brook,,true,false,,2020-02-03T04:05:06.000Z,,"lab,Ulm",
65a2,ben@example.org,Ben Hall,,false,false,,2020-02-03T04:05:06.000Z,,,
65a3,cy@example.org,Cy,,true,false,,2020-02-03T04:05:06.000Z,2024-01-01T00:00:00.000Z,,
"""
MAILMAN = """\
Ada Brook <ada@example.org>
"Hall, Ben" <ben@example.org>
cy@example.org
nobody
"""


def taken(text: str) -> tuple[list[object], list[str]]:
    said: list[str] = []
    return list(read(io.StringIO(text, newline=""), KNOWN, said.append)), said


def standing(text: str) -> list[object]:
    """What became of each line."""
    return [
        one.because if isinstance(one, LeftOut | Never) else "subscribed" if isinstance(one, Change) else "bad"
        for one in taken(text)[0]
    ]


@pytest.mark.parametrize(
    ("text", "whose", "wanted", "since", "tags"),
    [
        (LISTMONK, "listmonk", ["was disabled there", Suppressed.OPERATOR], "2024-03-05T10:11:12.123000+00:00", None),
        (MAILCHIMP, "Mailchimp", ["subscribed"], "2023-01-02T03:09:00+00:00", ("lab", "Ulm")),
        (
            BUTTONDOWN,
            "Buttondown",
            [UNSUBSCRIBED, UNCONFIRMED, Suppressed.HARD_BOUNCE, BLOCKED],
            "2022-05-06T07:08:09+00:00",
            ("lab", "Ulm"),
        ),
        (SUBSTACK, "Substack", [UNSUBSCRIBED], "2021-08-27T15:06:27.713000+00:00", None),
        (GHOST, "Ghost", [UNSUBSCRIBED, UNSUBSCRIBED], "2020-02-03T04:05:06+00:00", ("lab", "Ulm")),
    ],
)
def test_each_is_taken_for_what_it_is(
    text: str, whose: str, wanted: list[object], since: str, tags: tuple[str, ...] | None
) -> None:
    (first, *_), said = taken(text)
    assert said == [f"This is a list from {whose}: who had left it or not confirmed stays out."]
    assert standing(text) == ["subscribed", *wanted]
    assert isinstance(first, Change)
    assert (first.email, first.newsletter) == ("ada@example.org", "arxiv")
    columns: Mapping[str, object] = dict(first.columns)
    assert str(columns["consent_at"]).replace(" ", "T") == since
    assert columns["consent_source"] == f"list from {whose}"
    assert columns.get("tags") == tags
    assert "state" not in columns  # whoever paused or left here in the meantime stays so


def test_mailchimps_three_files_are_told_apart() -> None:
    assert standing(MAILCHIMP_GONE) == [UNSUBSCRIBED, Suppressed.COMPLAINT]
    assert standing(MAILCHIMP_CLEANED) == [Suppressed.HARD_BOUNCE]


def test_mailmans_list_has_an_address_in_each_line() -> None:
    found, said = taken(MAILMAN)
    assert said == ["No line names columns: read as a list of addresses, such as Mailman's."]
    assert [one.email for one in found if isinstance(one, Change)] == [
        "ada@example.org",
        "ben@example.org",
        "cy@example.org",
    ]
    assert [one.number for one in found if isinstance(one, BadLine)] == [4]


def test_a_spreadsheet_in_between_changes_nothing() -> None:
    plain = GHOST.replace('"lab,Ulm"', "lab|Ulm")
    saved = "sep=;\r\n" + plain.replace(",", ";").replace("|", ",").replace("\n", "\r\n")
    assert standing(saved) == standing(GHOST)


def test_columns_that_nobody_has_are_refused_with_the_remedy() -> None:
    with pytest.raises(Problem, match="column 'phone' is not known: say --map 'phone=' to leave it out"):
        taken("email,phone\nada@example.org,1\n")
