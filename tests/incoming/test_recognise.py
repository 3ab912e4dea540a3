from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.causes import Cause, cause_of
from flows.incoming.model import Event, Passing, Report, Unknown, Unsubscription
from flows.incoming.recognise import read
from subscribers.tokens import Purpose, sign
from tests.incoming.bounces import ADA, BOUNCES, HEADERS, MESSAGE_ID, Bounce, dsn, plain


def test_there_are_fifty_of_them_and_no_two_alike() -> None:
    assert len({one.content for one in BOUNCES}) == len({one.name for one in BOUNCES}) == len(BOUNCES) >= 50


@pytest.mark.parametrize("bounce", BOUNCES, ids=lambda one: one.name)
def test_a_bounce_is_read_as_what_it_is(bounce: Bounce) -> None:
    found = read(bounce.content)
    if bounce.passing:
        assert found == Passing(bounce.passing)
        return
    assert isinstance(found, list), found
    (report,) = found
    assert (report.event, report.address) == (Event.FAILED, bounce.address)
    assert (report.cause, report.code) == (bounce.cause, bounce.code), report
    assert report.status == bounce.status
    assert report.words
    assert report.evidence.message_ids == (MESSAGE_ID,)


def test_a_report_tells_of_each_recipient() -> None:
    fields = (
        "Final-Recipient: rfc822; a@reader.example\nAction: failed\nStatus: 5.1.1\n\n"
        "Final-Recipient: rfc822; b@reader.example\nAction: delayed\nStatus: 4.4.1\n\n"
        "Final-Recipient: rfc822; c@reader.example\nAction: failed\nStatus: 5.2.2"
    )
    found = read(dsn(fields))
    assert isinstance(found, list)
    assert [(one.address, one.cause) for one in found] == [
        ("a@reader.example", Cause.DEAD),
        ("c@reader.example", Cause.FULL),
    ]


@pytest.mark.parametrize(
    ("code", "status", "words", "cause"),
    [
        (550, None, "no such user", Cause.DEAD),
        (550, None, "<x@y.example>: User unknown in virtual mailbox table", Cause.DEAD),
        (550, None, "unrouteable address", Cause.DEAD),
        (550, None, "mailbox unavailable", Cause.DEAD),
        (550, None, "the account does not exist", Cause.DEAD),
        (550, None, "account disabled", Cause.DEAD),
        (550, None, "sorry (#5.1.1)", Cause.DEAD),
        (450, None, "user unknown", Cause.OTHER),
        (None, None, "Name service error: Host not found, try again", Cause.OTHER),
        (None, None, "virus scanner: no such user, message had 1 attachment", Cause.CONTENT),
        (None, None, "no such user; the message had 1 attachment", Cause.DEAD),
        (550, "5.7.1", "user unknown", Cause.POLICY),
        (550, None, "mailbox unavailable: rejected by SPF", Cause.POLICY),
        (552, None, "requested action aborted", Cause.FULL),
        (552, None, "message size exceeds fixed maximum message size", Cause.SIZE),
        (554, None, "something else entirely", Cause.OTHER),
        (550, "5.1.7", "no such user", Cause.SENDER),
        (None, "4.4.7", "", Cause.REACH),
    ],
)
def test_words_count_where_the_code_says_nothing(code: int, status: str | None, words: str, cause: Cause) -> None:
    assert cause_of(words, code, status) is cause


# --- complaints


def arf(fields: str, enclosed: str = HEADERS) -> bytes:
    return (
        "From: feedback@provider.example\nTo: bounces@example.org\nSubject: complaint\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nA reader has complained.\n\n"
        f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\n{fields}\n"
        f"--b\nContent-Type: message/rfc822\n\n{enclosed}\nbody\n--b--\n"
    ).encode()


def test_a_complaint_is_understood_with_the_recipient_and_without() -> None:
    token = "a" * 40
    with_one = read(arf(f"Original-Rcpt-To: <{ADA}>\nOriginal-Mail-From: <bounces+{token}@example.org>\n"))
    assert isinstance(with_one, list)
    assert (with_one[0].event, with_one[0].address) == (Event.COMPLAINED, ADA)
    assert with_one[0].evidence.tokens == (token,)
    without = read(arf("Original-Rcpt-To: redacted@provider.example\n"))
    assert isinstance(without, list)
    assert (without[0].event, without[0].address) == (Event.COMPLAINED, "")
    assert without[0].evidence.unsubscribes == ("A" * 32,)
    assert without[0].evidence.message_ids == (MESSAGE_ID,)


def test_what_is_no_complaint_is_passed_over_and_an_opt_out_ends_the_subscription() -> None:
    assert read(arf("").replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam")) == Passing("not-spam")
    left = read(arf("").replace(b"Feedback-Type: abuse", b"Feedback-Type: opt-out"))
    assert isinstance(left, list)
    assert left[0].event is Event.UNSUBSCRIBED


def test_a_complaint_in_microsofts_form_is_understood() -> None:
    enclosed = f"X-HmXmrOriginalRecipient: {ADA}\n{HEADERS}"
    content = (
        "From: staff@provider.example\nSubject: complaint about message\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: message/rfc822\n\n{enclosed}\nx\n--b--\n'
    )
    found = read(content.encode())
    assert isinstance(found, list)
    assert (found[0].event, found[0].address) == (Event.COMPLAINED, ADA)


# --- answers that no person wrote


@pytest.mark.parametrize(
    "subject",
    [
        "Out of office: Re: 12 papers",
        "Automatische Antwort: 12 papers",
        "Réponse automatique : 12 papers",
        "Respuesta automática: 12 papers",
        "Risposta automatica: fuori sede",
        "Resposta automática: 12 papers",
        "Automatisch antwoord: 12 papers",
        "Autosvar: 12 papers",
        "Automatyczna odpowiedź: 12 papers",
        "Автоответ: меня нет на месте",
        "自動応答: 12 papers",
        "自动回复: 12 papers",
        "자동 회신: 12 papers",
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_an_answer_of_somebody_who_is_away_is_passed_over(subject: str, declared: bool) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ADA, "bounces@example.org", subject
    if declared:
        message["Auto-Submitted"] = "auto-replied (vacation)"
    message.set_content("I no longer work here: the account no longer exists, write to ben@reader.example.")
    assert read(message.as_bytes()) == Passing("out of office")


@pytest.mark.parametrize(
    "subject",
    [
        "Please confirm that you sent this message",
        "Verify your email address as a sender",
        "Sender verification needed",
    ],
)
def test_a_challenge_is_passed_over(subject: str) -> None:
    content = f"From: {ADA}\nSubject: {subject}\nAuto-Submitted: auto-generated\n\nPress here.\n"
    assert read(content.encode()) == Passing("challenge")


def test_any_other_program_is_passed_over_and_a_person_is_left_alone() -> None:
    ticket = f"From: {ADA}\nSubject: [Ticket 7] received\nAuto-Submitted: auto-replied\n\nThank you.\n"
    assert read(ticket.encode()) == Passing("automatic")
    person = f"From: {ADA}\nSubject: Re: 12 papers\n\nThe second one is wrong!\n"
    assert isinstance(read(person.encode()), Unknown)


def test_a_bounce_without_an_address_says_why_it_is_left() -> None:
    content = b"From: MAILER-DAEMON@x.example\nSubject: failure notice\n\nSomething went wrong.\n"
    found = read(content)
    assert isinstance(found, Unknown)
    assert "names no address" in found.reason


def test_who_unsubscribes_by_mail_is_heard_before_all_else() -> None:
    token = sign(Purpose.UNSUBSCRIBE, 7, b"k" * 32)
    content = plain("no such user", subject=f"unsubscribe {token}")
    assert read(content) == Unsubscription(token)


# --- hostile


@given(st.binary(max_size=400))
def test_any_bytes_are_read(content: bytes) -> None:
    assert read(content) is not None


@given(st.sampled_from([one.content for one in BOUNCES]), st.data())
def test_a_report_with_anything_in_it_is_read(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content)))
    junk = data.draw(st.binary(max_size=60))
    found = read(content[:at] + junk + content[at + data.draw(st.integers(0, 40)) :])
    if isinstance(found, list):
        assert all(isinstance(one, Report) and len(one.words) <= 500 and len(one.address) <= 320 for one in found)


def test_a_report_that_is_all_report_is_read_in_bounded_time() -> None:
    many = "\n\n".join(
        f"Final-Recipient: rfc822; r{n}@reader.example\nAction: failed\nStatus: 5.1.1" for n in range(3000)
    )
    found = read(dsn(many))
    assert isinstance(found, list)
    assert len(found) == 50
    assert read(b"From: MAILER-DAEMON\n\n" + b"mailbox " * 30_000)
    assert read(b"From: MAILER-DAEMON\n\n" + b"\n" * 250_000)
    assert read(b"From: MAILER-DAEMON\nSubject: " + b"=?utf-8?q?" * 9_000)
