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


def inbox(address: str) -> str:
    """What several addresses have in common that may be names of one inbox: without a tag behind a plus, and without
    dots before the @. Fit for counting alone: elsewhere they may be different people's."""
    local, _, domain = address.lower().rpartition("@")
    return f"{(local.partition('+')[0] or local).replace('.', '')}@{domain}"


def masked(address: str) -> str:
    """Enough for its owner to know it by, too little for a stranger to write to: a…@example.org."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
