"""Answers that no person wrote are told from bounces, and from people."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from flows.incoming.model import Passing, Unknown
from flows.incoming.recognise import read
from tests.incoming.bounces import ADA


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
