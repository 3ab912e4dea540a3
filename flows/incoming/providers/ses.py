"""Amazon SES, by SNS: signed with a certificate that Amazon serves; a topic's first call asks to be confirmed.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html,
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from flows.incoming.model import Event, Evidence, Report
from flows.incoming.webhooks import (
    Call,
    CallRefused,
    Fetch,
    Notice,
    evidence,
    failed,
    in_time,
    moment,
    parsed,
    rows,
    table,
    text,
    told,
)

TITLE = "Amazon SES"
RELAYS = (".amazonaws.com",)
SETTING = "the ARN of the SNS topic"
NEEDS = (
    "Send over email-smtp.REGION.amazonaws.com:587 with SMTP credentials, out of the sandbox; publish bounces and "
    "complaints to an SNS topic, with original headers, and subscribe /hooks/ses to it over HTTPS without raw "
    "delivery. It changes Message-IDs, and the return path unless you set a MAIL FROM domain: PAPERROUND_VERP has no "
    "use."
)

_HOST = re.compile(r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_FULL = frozenset({"MailboxFull"})


async def read(call: Call, secret: str, now: dt.datetime, fetch: Fetch) -> Notice:
    body = table(parsed(call.body))
    kind = text(body.get("Type"))
    if kind not in _SIGNED:
        raise CallRefused("The call is of no kind that is known.")
    if text(body.get("TopicArn")) != secret:
        raise CallRefused("The topic is another than the one that is set.")
    await _verify(body, kind, now, fetch)
    in_time(moment(body.get("Timestamp")), now)
    if kind == "SubscriptionConfirmation":
        await fetch(_of_amazon(body.get("SubscribeURL")))
        return Notice([], text(body.get("MessageId")))
    return Notice(_reports(table(parsed(text(body.get("Message"))))), text(body.get("MessageId")))


def _of_amazon(address: Any) -> str:
    """The address, if it is one of SNS over HTTPS: nobody else is asked, whatever a call says."""
    try:
        found = urlsplit(text(address))
    except ValueError:
        raise CallRefused("The call names an address that is none.") from None
    if found.scheme != "https" or found.netloc != found.hostname or not _HOST.fullmatch(found.netloc):
        raise CallRefused("The call names an address that is not Amazon's.")
    return found.geturl()


async def _verify(body: Mapping[str, Any], kind: str, now: dt.datetime, fetch: Fetch) -> None:
    address = _of_amazon(body.get("SigningCertURL"))
    if not urlsplit(address).path.endswith(".pem"):
        raise CallRefused("The call names no certificate.")
    fields = [name for name in _SIGNED[kind] if name != "Subject" or name in body]
    said = "".join(f"{name}\n{text(body.get(name))}\n" for name in fields).encode()
    try:
        certificate = x509.load_pem_x509_certificate(await fetch(address))
        key = certificate.public_key()
        seal = base64.b64decode(text(body.get("Signature")), validate=True)
        if not isinstance(key, rsa.RSAPublicKey):
            raise CallRefused("The certificate is of another kind.")
        # the older of the two is what a topic uses unless it is told otherwise
        hashing = SHA256() if text(body.get("SignatureVersion")) == "2" else SHA1()  # noqa: S303
        key.verify(seal, said, PKCS1v15(), hashing)
    except (ValueError, UnsupportedAlgorithm, binascii.Error, InvalidSignature):
        raise CallRefused("The signature does not fit.") from None
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise CallRefused("The certificate is not valid now.")


def _reports(event: Mapping[str, Any]) -> list[Report]:
    mail = table(event.get("mail"))
    headers = {text(one.get("name")): text(one.get("value")) for one in rows(mail.get("headers"))}
    common = text(table(mail.get("commonHeaders")).get("messageId"))
    proof = evidence(message_id=common, return_path=text(mail.get("source")), headers=headers)
    match text(event.get("notificationType")) or text(event.get("eventType")):
        case "Bounce":
            bounce = table(event.get("bounce"))
            return [_bounce(one, bounce, proof) for one in rows(bounce.get("bouncedRecipients"))]
        case "Complaint":
            complaint = table(event.get("complaint"))
            if complaint.get("complaintFeedbackType") == "not-spam":
                return []
            every = rows(complaint.get("complainedRecipients"))
            # without a kind it names all that the mail may have gone to at a provider: we send to one each
            return [told(Event.COMPLAINED, one.get("emailAddress"), proof, "complaint") for one in every]
    return []


def _bounce(recipient: Mapping[str, Any], bounce: Mapping[str, Any], proof: Evidence) -> Report:
    subtype = text(bounce.get("bounceSubType"))
    words = text(recipient.get("diagnosticCode")) or f"{text(bounce.get('bounceType'))}: {subtype}"
    if subtype in _FULL:
        words = f"mailbox full: {words}"
    lasting = bounce.get("bounceType") == "Permanent"
    return failed(recipient.get("emailAddress"), words, proof, lasting=lasting, status=recipient.get("status"))
