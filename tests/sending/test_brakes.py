"""Whose refusal it is: what mail servers say, in the words of our own that mean what theirs do, and what follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.outcomes import Outcome, Stage, Verdict, read_reply
from flows.sending.brakes import (
    BUSY_IN_A_ROW,
    FEW,
    IN_A_DOMAIN,
    IN_A_GOOD_DOMAIN,
    IN_A_ROW,
    IN_VAIN,
    PATIENCE,
    SEVERAL,
    Brakes,
    Do,
    Says,
    Tried,
    read,
)

MAIL, RCPT, DATA, CONTENT = Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.CONTENT

ANSWERS = [
    # Gmail
    (RCPT, "550 5.1.1 That account is not one of ours, look for typing errors", Says.DEAD),
    (RCPT, "550 5.2.1 The account that you write to is disabled", Says.DEAD),
    (RCPT, "552 5.2.2 The inbox of the recipient is out of storage", Says.REFUSED),
    (RCPT, "450 4.2.1 The person you write to gets mail at a rate that prevents more", Says.LATER),
    (RCPT, "450 4.2.1 The person you write to gets mail too quickly", Says.LATER),
    (CONTENT, "550 5.7.26 Mail like this must be authenticated with SPF or DKIM", Says.POLICY),
    (CONTENT, "550 5.7.1 Our system has found that this is likely unsolicited", Says.POLICY),
    (CONTENT, "421 4.7.28 Unusual rate of mail from your address", Says.BUSY),
    (RCPT, "550 5.4.5 Daily user sending limit exceeded", Says.POLICY),
    (MAIL, "530 5.7.0 Authentication required", Says.LOGIN),
    (MAIL, "535 5.7.8 User name and password not accepted", Says.LOGIN),
    # Outlook, Microsoft 365
    (RCPT, "550 5.5.0 Requested action not taken: mailbox unavailable", Says.DEAD),
    (MAIL, "550 5.7.1 Part of your network is on our block list", Says.POLICY),
    (RCPT, "451 4.7.500 Server busy, please come later", Says.BUSY),
    (RCPT, "550 5.4.1 Recipient address rejected: Access denied", Says.DEAD),
    (CONTENT, "550 5.7.60 The client may not send as this sender", Says.SENDER),
    (CONTENT, "432 4.3.2 Concurrent connections limit exceeded", Says.BUSY),
    # Yahoo
    (CONTENT, "554 delivery error: dd This user doesn't have a yahoo.com account (name)", Says.DEAD),
    (RCPT, "421 4.7.0 [TSS04] Deferred due to user complaints", Says.BUSY),
    (CONTENT, "554 5.7.9 Not accepted for policy reasons", Says.POLICY),
    (CONTENT, "553 5.7.1 [BL21] Connections will not be accepted", Says.POLICY),
    # iCloud
    (RCPT, "550 5.1.1 unknown or illegal alias: name", Says.DEAD),
    (CONTENT, "550 5.7.1 [CS01] Rejected by local policy", Says.POLICY),
    (RCPT, "450 4.2.2 over quota", Says.LATER),
    # Amazon SES
    (CONTENT, "554 Message rejected: Email address is not verified", Says.POLICY),
    (CONTENT, "454 Throttling failure: Maximum sending rate exceeded", Says.BUSY),
    (CONTENT, "454 Throttling failure: Daily message quota exceeded", Says.BUSY),
    (MAIL, "535 Authentication Credentials Invalid", Says.LOGIN),
    # SendGrid
    (CONTENT, "550 The from address does not match a verified Sender Identity", Says.SENDER),
    (CONTENT, "550 Unauthenticated senders not allowed", Says.POLICY),
    (RCPT, "451 You have exceeded your messaging limits", Says.BUSY),
    # Mailgun
    (RCPT, "550 5.7.1 Relaying denied", Says.POLICY),
    (CONTENT, "421 Your domain is sending above its hourly limit", Says.BUSY),
    (CONTENT, "550 5.7.1 Sandbox domains reach authorised recipients alone", Says.POLICY),
    # Postfix
    (RCPT, "550 5.1.1 <name@example.org>: Recipient address rejected: User unknown in the local table", Says.DEAD),
    (RCPT, "450 4.1.1 Recipient address rejected: unverified address", Says.LATER),
    (RCPT, "554 5.7.1 Relay access denied", Says.POLICY),
    (RCPT, "450 4.7.1 Recipient address rejected: Greylisted", Says.LATER),
    (RCPT, "452 4.5.3 Error: too many recipients", Says.SESSION),
    (RCPT, "450 4.7.1 Error: too much mail from 192.0.2.1", Says.BUSY),
    (RCPT, "553 5.7.1 Sender address rejected: not owned by user", Says.SENDER),
    (RCPT, "550 5.1.8 Sender address rejected: Domain not found", Says.SENDER),
    # Exim
    (RCPT, "550 relay not permitted", Says.POLICY),
    (RCPT, "550 Unrouteable address", Says.DEAD),
    (RCPT, "550 No such user here", Says.DEAD),
    (RCPT, "550 Sender verify failed", Says.SENDER),
    (RCPT, "451 Temporary local problem - please try later", Says.LATER),
    (MAIL, "421 too many messages in this connection", Says.SESSION),
    (RCPT, "451 too many messages per session", Says.SESSION),
    (CONTENT, "550 This message was classified as spam", Says.POLICY),
    # qmail
    (RCPT, "550 sorry, no mailbox here by that name. (#5.1.1)", Says.DEAD),
    (RCPT, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Says.POLICY),
    (RCPT, "554 sorry, refused (#5.1.1)", Says.DEAD),
    # sendmail
    (RCPT, "550 5.1.1 <name@example.org>... User unknown", Says.DEAD),
    (RCPT, "550 5.7.1 <name@example.org>... Relaying denied", Says.POLICY),
    (RCPT, "421 4.3.2 Connection rate limit exceeded", Says.BUSY),
    (MAIL, "452 4.4.5 Insufficient disk space; try again later", Says.LATER),
    # Exchange on one's own machines
    (RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; no recipient of that name", Says.DEAD),
    (RCPT, "550 5.7.1 RESOLVER.RST.NotAuthorized; you may not write to this group", Says.POLICY),
    (RCPT, "550 5.7.54 Unable to relay recipient in a domain that is not accepted", Says.POLICY),
    (RCPT, "452 4.3.1 Insufficient system resources", Says.BUSY),
    # Dovecot: submission and LMTP
    (RCPT, "550 5.1.1 <name@example.org> User doesn't exist: name", Says.DEAD),
    (RCPT, "452 4.2.2 Quota exceeded", Says.LATER),
    (MAIL, "530 5.7.0 Authentication required.", Says.LOGIN),
    # anybody
    (RCPT, "550 no", Says.REFUSED),
    (RCPT, "503 5.5.1 MAIL first", Says.LATER),
    (CONTENT, "554 no", Says.POLICY),
    (RCPT, "450 no", Says.LATER),
    (CONTENT, "250 2.0.0 taken", Says.TAKEN),
]


def said(stage: Stage, answer: str) -> Outcome:
    code, _, text = answer.partition(" ")
    return read_reply(stage, int(code), text)


@pytest.mark.parametrize(("stage", "answer", "says"), ANSWERS)
def test_what_one_answer_says(stage: Stage, answer: str, says: Says) -> None:
    assert read(said(stage, answer)) is says


@given(st.sampled_from(list(Stage)), st.integers(200, 599), st.text(max_size=80))
def test_no_words_make_a_temporary_refusal_a_lasting_one(stage: Stage, code: int, words: str) -> None:
    says = read(read_reply(stage, code, words))
    lasting = (Says.DEAD, Says.REFUSED, Says.POLICY, Says.SENDER, Says.LOGIN)
    assert (says in lasting) <= (code >= 500)


TAKEN = said(CONTENT, "250 taken")
RELAY, DEAD, CLOSED = (
    said(RCPT, "550 relay not permitted"),
    said(RCPT, "550 5.1.1 no such user"),
    said(RCPT, "550 5.7.1 we take nothing from you"),
)


def many(brakes: Brakes, outcome: Outcome, number: int, domains: int) -> list[str]:
    """So many readers of so many domains refused one after another: why it stopped, at each of them."""
    return [brakes.heard(outcome, Tried(f"d{n % domains}.example")).stop for n in range(number)]


@pytest.mark.parametrize("outcome", [RELAY, DEAD, CLOSED, said(CONTENT, "554 Email address is not verified")])
def test_what_all_domains_refuse_stops_the_run_after_a_few_dozen(outcome: Outcome) -> None:
    stops = many(Brakes(4), outcome, IN_A_ROW, 7)
    assert not any(stops[:-1])
    assert "PAPERROUND_SENDER" in stops[-1]


def test_a_success_in_between_shows_that_the_server_is_well() -> None:
    brakes = Brakes(4)
    for _ in range(5):
        assert not any(many(brakes, DEAD, IN_A_ROW - 1, 29))
        brakes.heard(TAKEN, Tried("well.example"))


def test_what_one_domain_refuses_closes_that_domain_alone() -> None:
    brakes = Brakes(4)
    decisions = [brakes.heard(CLOSED, Tried("company.example")) for _ in range(IN_A_DOMAIN)]
    assert [one.close for one in decisions] == [False] * (IN_A_DOMAIN - 1) + [True]
    assert {one.do for one in decisions} == {Do.HOLD}
    assert not any(one.stop for one in decisions)
    brakes.heard(TAKEN, Tried("other.example"))
    for says in (Says.POLICY, Says.DEAD):
        assert brakes.whose("company.example", says) is Do.PUT_OFF
    brakes.opened("company.example")
    assert brakes.whose("company.example", Says.DEAD) is Do.RECORD


def test_a_domain_that_took_messages_is_given_more_time() -> None:
    brakes = Brakes(4)
    brakes.heard(TAKEN, Tried("large.example"))
    closed = [brakes.heard(DEAD, Tried("large.example")).close for _ in range(IN_A_GOOD_DOMAIN)]
    assert closed == [False] * (IN_A_GOOD_DOMAIN - 1) + [True]


def test_a_dead_address_is_proven_by_any_domain_and_a_refusal_for_policy_by_its_own() -> None:
    brakes = Brakes(4)
    brakes.heard(TAKEN, Tried("other.example"))
    assert brakes.whose("one.example", Says.DEAD) is Do.RECORD
    assert brakes.whose("one.example", Says.REFUSED) is Do.RECORD
    assert brakes.whose("one.example", Says.POLICY) is Do.PUT_OFF
    brakes.heard(TAKEN, Tried("one.example"))
    assert brakes.whose("one.example", Says.POLICY) is Do.RECORD
    assert brakes.whose("one.example", Says.SENDER) is Do.PUT_OFF


@pytest.mark.parametrize("answer", ["530 5.7.0 log in", "535 5.7.8 no", "550 5.1.7 bad sender", "550 5.1.8 no domain"])
def test_a_wrong_sender_or_login_at_a_reader_stops_when_several_domains_say_so(answer: str) -> None:
    brakes = Brakes(4)
    for _ in range(3):
        assert brakes.heard(said(RCPT, answer), Tried("odd.example")).do is Do.HOLD
    stops = [brakes.heard(said(RCPT, answer), Tried(f"{n}.example", "me@example.org")).stop for n in range(SEVERAL - 1)]
    assert not any(stops[:-1])
    assert ("the user and password" if answer[:3] in ("530", "535") else "the sender me@example.org") in stops[-1]


@pytest.mark.parametrize("answer", ["550 5.1.8 no such domain", "550 5.7.1 we take nothing from you"])
def test_whom_a_good_server_has_refused_before_shows_nothing_new(answer: str) -> None:
    """They are tried again together, when nobody else is left to be served in between."""
    brakes, outcome = Brakes(4), said(RCPT, answer)
    brakes.was_well = True
    again = [brakes.heard(outcome, Tried(f"{n}.example", "me@example.org", again=True)) for n in range(2 * IN_A_ROW)]
    assert {one.do for one in again} == {Do.HOLD}
    assert not any(one.stop for one in again)
    stops = [brakes.heard(outcome, Tried(f"new{n}.example", "me@example.org")).stop for n in range(IN_A_ROW)]
    assert any(stops)
    brakes.was_well = False  # nothing shows that it is good
    assert any(brakes.heard(outcome, Tried(f"{n}.example", again=True)).stop for n in range(IN_A_ROW))


@pytest.mark.parametrize("answer", ["530 5.7.0 log in", "553 5.7.1 you are not who you say", "550 no"])
def test_before_any_reader_is_named_it_stops_at_once(answer: str) -> None:
    decision = Brakes(4).heard(said(MAIL, answer), Tried("one.example", "me@example.org"))
    assert decision.stop


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        (MAIL, "451 4.3.0 enough for now"),
        (MAIL, "550 too many messages"),
        (RCPT, "452 4.5.3 too many"),
        (DATA, "451 too many messages in this session"),
    ],
)
def test_what_may_be_about_the_connection_goes_over_a_fresh_one_once(stage: Stage, answer: str) -> None:
    brakes, outcome = Brakes(4), said(stage, answer)
    assert brakes.heard(outcome, Tried("a.example", served=5)).do is Do.FRESH
    assert brakes.heard(outcome, Tried("a.example", served=5, fresh=True)).do is not Do.FRESH
    assert brakes.heard(outcome, Tried("a.example")).do is not Do.FRESH


def test_a_plain_451_is_about_the_reader_the_first_time_and_about_the_connection_the_second() -> None:
    brakes, outcome = Brakes(4), said(RCPT, "451 4.3.0 later")
    assert brakes.heard(outcome, Tried("a.example", served=5)).do is Do.RECORD
    assert brakes.may_be_spent(outcome)
    assert brakes.heard(outcome, Tried("b.example", served=5, spent=1)).do is Do.FRESH
    for answer in ("451 4.7.1 greylisted", "452 4.2.2 mailbox full"):
        assert not brakes.may_be_spent(said(RCPT, answer))


def test_fresh_connections_that_change_nothing_are_given_up() -> None:
    brakes, outcome = Brakes(4), said(RCPT, "452 4.5.3 too many")
    for _ in range(IN_VAIN):
        assert brakes.heard(outcome, Tried("a.example", served=5)).do is Do.FRESH
        brakes.heard(outcome, Tried("a.example", fresh=True))
    assert brakes.heard(outcome, Tried("a.example", served=5)).do is Do.RECORD
    brakes.heard(TAKEN, Tried("a.example", fresh=True))
    assert brakes.heard(outcome, Tried("a.example", served=5)).do is Do.FRESH


def test_a_domain_that_is_told_too_much_again_and_again_is_left_in_peace() -> None:
    brakes = Brakes(4)
    decisions = [brakes.heard(said(CONTENT, "454 Throttling"), Tried("a.example")) for _ in range(BUSY_IN_A_ROW)]
    assert all(one.slow for one in decisions)
    assert [one.close for one in decisions] == [False] * (BUSY_IN_A_ROW - 1) + [True]


def test_messages_that_come_to_nothing_stop_the_run() -> None:
    brakes, lost = Brakes(2), Outcome(Verdict.UNCERTAIN, CONTENT, text="connection lost")
    stops = [brakes.heard(lost, Tried("a.example")).stop for _ in range(PATIENCE * 2)]
    assert not any(stops[:-1])
    assert "takes no message any more" in stops[-1]


def test_at_the_end_few_refusals_are_taken_for_what_they_say_and_many_for_ours() -> None:
    brakes = Brakes(4)
    assert brakes.left("a.example", Says.DEAD, FEW - 1) is Do.RECORD
    assert brakes.left("a.example", Says.DEAD, FEW) is Do.PUT_OFF
    assert brakes.left("a.example", Says.POLICY, 1) is Do.PUT_OFF
    assert not brakes.at_the_end([(Says.DEAD, DEAD)] * (IN_A_DOMAIN - 1))
    assert "all 10 readers" in brakes.at_the_end([(Says.DEAD, DEAD)] * IN_A_DOMAIN)
    brakes.was_served("b.example")
    assert brakes.left("b.example", Says.POLICY, 1) is Do.RECORD
    brakes.heard(TAKEN, Tried("a.example"))
    assert brakes.left("a.example", Says.POLICY, 1) is Do.RECORD
    assert not brakes.at_the_end([(Says.DEAD, DEAD)] * IN_A_DOMAIN)


def test_no_address_stands_in_what_the_operator_is_told() -> None:
    stops = many(Brakes(4), said(RCPT, "550 5.1.1 ada@example.org is unknown"), IN_A_ROW, 7)
    assert "ada@" not in stops[-1]
