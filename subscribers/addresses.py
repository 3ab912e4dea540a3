"""Which addresses may sign up, and how one is shown. Pure."""

from __future__ import annotations

from disposable_email_domains import blocklist
from email_validator import EmailNotValidError, validate_email


class BadAddress(ValueError):  # noqa: N818 - it is an answer to the visitor
    """The address can't sign up. `reason` is missing, form, letters or disposable."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the address can't sign up: {reason}")
        self.reason = reason


def read(text: str, *, lasting: bool = True) -> str:
    """The address in its normal form, an international domain in ASCII. Raises BadAddress, also where the address
    should be a `lasting` one and is not.

    Whether its domain takes mail is not asked: the mail that has to be confirmed tells.
    """
    if not text:
        raise BadAddress("missing")
    try:
        found = validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        raise BadAddress("form") from None
    if not found.local_part.isascii():
        # a mail server could be given it with SMTPUTF8 alone, which most do not offer
        raise BadAddress("letters")
    if lasting and disposable(found.ascii_domain):
        raise BadAddress("disposable")
    return found.ascii_email or found.normalized


def disposable(domain: str) -> bool:
    """Whether a domain, or one that it belongs to, gives out addresses for a few minutes."""
    labels = domain.lower().split(".")
    return any(".".join(labels[at:]) in blocklist for at in range(len(labels) - 1))


LARGE = (
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "yahoo.com",
    "ymail.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "aol.com",
    "mail.com",
    "email.com",
    "proton.me",
    "protonmail.com",
    "fastmail.com",
    "zoho.com",
    "gmx.de",
    "gmx.net",
    "web.de",
    "t-online.de",
    "qq.com",
    "163.com",
    "126.com",
    "foxmail.com",
    "naver.com",
    "mail.ru",
    "yandex.ru",
    "orange.fr",
    "free.fr",
    "hotmail.co.uk",
    "yahoo.co.uk",
    "yahoo.co.jp",
    "yahoo.fr",
    "hotmail.fr",
    "libero.it",
    "uol.com.br",
    "rediffmail.com",
)
"""Domains where many have their address: one that is a slip away from one of them most likely is a slip."""


_LONG = 5


def likely_meant(address: str) -> str:
    """The address with the large domain that its own is one slip away from (a letter too many, missing, another, or two
    exchanged); empty where it is none. Said of the letters alone: nobody is looked up."""
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    if domain in LARGE:
        return ""
    # of a short name one letter makes another that is somebody's
    near = [one for one in LARGE if len(one.partition(".")[0]) >= _LONG and _one_slip(domain, one)]
    return f"{local}@{near[0]}" if near else ""


def _one_slip(typed: str, meant: str) -> bool:
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    at = next((n for n, (one, other) in enumerate(zip(typed, meant, strict=False)) if one != other), len(meant))
    one, other = typed[at:], meant[at:]
    exchanged = one[:2] == other[1::-1] and one[2:] == other[2:]
    return one[1:] == other or one == other[1:] or one[1:] == other[1:] or exchanged


def inbox(address: str) -> str:
    """What several addresses have in common that may be names of one inbox: without a tag behind a plus, and without
    dots before the @. Fit for counting alone: elsewhere they may be different people's."""
    local, _, domain = address.lower().rpartition("@")
    return f"{(local.partition('+')[0] or local).replace('.', '')}@{domain}"


def masked(address: str) -> str:
    """Enough for its owner to know it by, too little for a stranger to write to: a…@example.org."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
