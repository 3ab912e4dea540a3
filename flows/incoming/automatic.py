"""Mail that a program answers ours with: out of office, "prove that you are human", tickets (RFC 3834). Pure.

Nobody has read our mail and nothing has failed: such an answer is passed over.
"""

from __future__ import annotations

import re
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from typing import Any

LONGEST = 4000
"""Characters of a subject that are read."""

_CHALLENGE = re.compile(
    r"(?:confirm|verify|authenticate|validate) (?:that )?(?:you|your) .{0,40}(?:sender|message|e-?mail|human|"
    r"identity|sent|"
    r"address)|sender (?:verification|confirmation|authorization)|please confirm|challenge|action required: verify|"
    r"e-?mail .{0,20}(?:awaiting|needs) (?:your )?verification|bestätigen sie .{0,30}(?:absender|nachricht)|"
    r"merci de confirmer",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"out of (?:the )?office|auto(?:matic|mated)?[- ]?(?:reply|response|answer)|away from (?:my|the) (?:mail|office|"
    r"desk)|"
    r"on (?:vacation|holiday|annual leave|parental leave)|vacation (?:reply|response|message)|\booo\b|"
    r"abwesend|abwesenheit|automatische antwort|nicht im b[uü]ro|"
    r"r[eé]ponse automatique|absence? du bureau|absent du bureau|message d[’']absence|"
    r"respuesta autom[aá]tica|fuera de (?:la )?oficina|ausente|"
    r"risposta automatica|fuori (?:sede|ufficio)|assente|"
    r"resposta autom[aá]tica|fora do escrit[oó]rio|aus[eê]ncia|"
    r"automatisch (?:antwoord|bericht)|afwezig|niet op kantoor|"
    r"autosvar|automatiskt svar|automatisk svar|fr[aå]nvaro|ikke på kontoret|"
    r"automatyczna odpowied|odpowiedź automatyczna|poza biurem|nieobecno|"
    r"автоответ|автоматический ответ|нет на месте|в отпуске|"
    r"自動応答|自動返信|不在|"
    r"自动回复|自動回覆|自动答复|不在办公室|"
    r"자동 ?(?:회신|응답)|부재 ?중",
    re.IGNORECASE,
)
_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Autoreply-From", "X-Mail-Autoreply", "X-Vacation")


def read(message: Message[Any, Any]) -> str | None:
    """What kind of automatic answer a message is; None: it is none that is known."""
    subject = decoded(str(message.get("Subject", "")))
    declared = _declared(message)
    if _CHALLENGE.search(subject) and (declared or not _ours_quoted(message)):
        return "challenge"
    if _AWAY.search(subject):
        return "out of office"
    return "automatic" if declared else None


def _declared(message: Message[Any, Any]) -> bool:
    """Whether a message says itself that a program wrote it (RFC 3834 section 5, and what was written before it)."""
    submitted = str(message.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    precedence = str(message.get("Precedence", "")).strip().lower()
    return submitted != "no" or precedence in ("auto_reply", "auto-reply") or any(name in message for name in _HEADERS)


def _ours_quoted(message: Message[Any, Any]) -> bool:
    """A person's own answer to a mail of ours about a confirmation."""
    return str(message.get("Subject", "")).strip().lower().startswith(("re:", "aw:", "fwd:", "sv:"))


def decoded(subject: str) -> str:
    """A subject with its encoded words (RFC 2047) read, or as it stands where they can't be."""
    plain = re.sub(r"[\r\n]+", "", subject[:LONGEST])
    try:
        return "".join(
            part if isinstance(part, str) else part.decode(charset or "ascii", "replace")
            for part, charset in decode_header(plain)
        )
    except (MessageError, ValueError, LookupError):
        return plain
