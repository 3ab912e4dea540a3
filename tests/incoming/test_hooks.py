"""The webhooks of the providers: one contract over all, and what each tells. The calls are our own, made after what the
providers document."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from flows.incoming.hooks import Hooks
from flows.incoming.providers import providers
from flows.incoming.webhooks import Call, CallRefused
from flows.processes.serve import services
from flows.storage.database import Database
from subscribers.bounces import BounceKind
from subscribers.model import SubscriptionState, Suppressed
from subscribers.web.app import create_app
from tests.context import NOON
from tests.incoming.scene import Scene, scene_of

ADA = "ada@reader.example"
TOPIC = "arn:aws:sns:eu-west-1:1:bounces"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"

_RSA = rsa.generate_private_key(65537, 2048)
_EC = ec.generate_private_key(ec.SECP256R1())
_EC_PUBLIC = base64.b64encode(
    _EC.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


def certificate(until: dt.datetime = NOON + dt.timedelta(days=30)) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_RSA.public_key())
        .serial_number(1)
        .not_valid_before(NOON - dt.timedelta(days=60))
        .not_valid_after(until)
        .sign(_RSA, SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


@dataclass
class Amazon:
    """Stands for Amazon's server: what it serves, and what it was asked for."""

    pages: Mapping[str, bytes] = field(default_factory=lambda: {CERTIFICATE: certificate()})
    asked: list[str] = field(default_factory=list)

    async def __call__(self, address: str) -> bytes:
        self.asked.append(address)
        return self.pages.get(address, b"")


Made = tuple[dict[str, str], bytes]


def _basic(secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(secret.encode()).decode()}


def postmark(event: Mapping[str, Any], now: dt.datetime = NOON, secret: str = "us:a secret") -> Made:
    return _basic(secret), json.dumps(event).encode()


def brevo(event: Mapping[str, Any], now: dt.datetime = NOON, secret: str = "a secret token") -> Made:
    return {"authorization": f"Bearer {secret}"}, json.dumps(event).encode()


def mailgun(event: Mapping[str, Any], now: dt.datetime = NOON, secret: str = "signing key") -> Made:
    stamp, token = str(int(now.timestamp())), hashlib.sha256(json.dumps(event).encode()).hexdigest()
    seal = hmac.new(secret.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    signature = {"timestamp": stamp, "token": token, "signature": seal}
    return {}, json.dumps({"signature": signature, "event-data": event}).encode()


def sendgrid(event: Mapping[str, Any], now: dt.datetime = NOON, secret: ec.EllipticCurvePrivateKey = _EC) -> Made:
    stamp, body = str(int(now.timestamp())), json.dumps([event]).encode()
    seal = base64.b64encode(secret.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    name = "x-twilio-email-event-webhook"
    return {f"{name}-signature": seal, f"{name}-timestamp": stamp}, body


def ses(
    event: Mapping[str, Any], now: dt.datetime = NOON, secret: str = TOPIC, version: str = "1", **given: Any
) -> Made:
    message = json.dumps(event)
    body = {
        "Type": "Notification",
        "MessageId": hashlib.sha256(message.encode()).hexdigest(),
        "TopicArn": secret,
        "Message": message,
        "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
        **given,
    }
    names = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
    if body["Type"] == "SubscriptionConfirmation":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    said = "".join(f"{name}\n{body[name]}\n" for name in names).encode()
    hashing = SHA256() if version == "2" else SHA1()
    body["Signature"] = base64.b64encode(_RSA.sign(said, PKCS1v15(), hashing)).decode()
    return {}, json.dumps(body).encode()


def _mailgun(kind: str, **more: Any) -> dict[str, Any]:
    return {"event": kind, "recipient": ADA, "id": f"{kind}{more}", **more}


def _ses(kind: str, **more: Any) -> dict[str, Any]:
    return {"notificationType": kind, "mail": {"source": "bounces@example.org"}, **more}


def _recipient(words: str, status: str) -> dict[str, Any]:
    return {"bouncedRecipients": [{"emailAddress": ADA, "diagnosticCode": words, "status": status}]}


@dataclass(frozen=True)
class Spoken:
    """How a provider tells each thing."""

    make: Callable[..., Made]
    secret: str
    hard: Mapping[str, Any]
    full: Mapping[str, Any]
    policy: Mapping[str, Any]
    complaint: Mapping[str, Any]
    unsubscribed: Mapping[str, Any] | None
    nothing: Mapping[str, Any]
    forged: Any


SPOKEN = {
    "postmark": Spoken(
        postmark, "us:a secret",
        {"RecordType": "Bounce", "Type": "HardBounce", "Email": ADA, "Details": "smtp;550 5.1.1 unknown"},
        {"RecordType": "Bounce", "Type": "SoftBounce", "Email": ADA, "Details": "smtp;552 5.2.2 mailbox full"},
        {"RecordType": "Bounce", "Type": "Blocked", "Email": ADA, "Details": "smtp;550 5.7.1 on a list"},
        {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": ADA},
        {"RecordType": "SubscriptionChange", "Recipient": ADA, "SuppressSending": True,
         "SuppressionReason": "ManualSuppression", "Origin": "Recipient"},
        {"RecordType": "Bounce", "Type": "AutoResponder", "Email": ADA},
        "us:another",
    ),
    "mailgun": Spoken(
        mailgun, "signing key",
        _mailgun("failed", severity="permanent", reason="bounce", **{"delivery-status": {"code": 550, "message": "nobody here"}}),
        _mailgun("failed", severity="permanent", reason="generic", **{"delivery-status": {"code": 552, "message": "over quota"}}),
        _mailgun("failed", severity="permanent", reason="bounce", **{"delivery-status": {"code": 550, "message": "5.7.1 blocked"}}),
        _mailgun("complained"),
        _mailgun("unsubscribed"),
        _mailgun("failed", severity="temporary", **{"delivery-status": {"code": 421}}),
        "another key",
    ),
    "sendgrid": Spoken(
        sendgrid, _EC_PUBLIC,
        {"event": "bounce", "type": "bounce", "email": ADA, "status": "5.1.1", "reason": "550 5.1.1 unknown"},
        {"event": "bounce", "type": "bounce", "email": ADA, "status": "5.2.2", "reason": "552 5.2.2 mailbox full"},
        {"event": "bounce", "type": "blocked", "email": ADA, "reason": "550 5.7.1 on a list"},
        {"event": "spamreport", "email": ADA},
        {"event": "unsubscribe", "email": ADA},
        {"event": "delivered", "email": ADA},
        ec.generate_private_key(ec.SECP256R1()),
    ),
    "brevo": Spoken(
        brevo, "a secret token",
        {"event": "hard_bounce", "email": ADA, "reason": "550 5.1.1 unknown"},
        {"event": "soft_bounce", "email": ADA, "reason": "552 5.2.2 mailbox full"},
        {"event": "blocked", "email": ADA, "reason": "on a list"},
        {"event": "spam", "email": ADA},
        {"event": "unsubscribed", "email": ADA},
        {"event": "delivered", "email": ADA},
        "another token",
    ),
    "ses": Spoken(
        ses, TOPIC,
        _ses("Bounce", bounce={"bounceType": "Permanent", "bounceSubType": "General", **_recipient("smtp; 550 5.1.1 unknown", "5.1.1")}),
        _ses("Bounce", bounce={"bounceType": "Transient", "bounceSubType": "MailboxFull", **_recipient("", "")}),
        _ses("Bounce", bounce={"bounceType": "Transient", "bounceSubType": "General", **_recipient("smtp; 550 5.7.1 no", "5.7.1")}),
        _ses("Complaint", complaint={"complainedRecipients": [{"emailAddress": ADA}], "complaintFeedbackType": "abuse"}),
        None,
        _ses("Complaint", complaint={"complainedRecipients": [{"emailAddress": ADA}], "complaintFeedbackType": "not-spam"}),
        "arn:aws:sns:eu-west-1:1:another",
    ),
}  # fmt: skip

every = pytest.mark.parametrize("name", sorted(SPOKEN))


@dataclass
class Site:
    scene: Scene
    browser: httpx.AsyncClient

    async def call(self, name: str, made: Made) -> int:
        headers, body = made
        answer = await self.browser.post(f"/hooks/{name}", headers=headers, content=body)
        return answer.status_code

    async def kinds(self) -> list[str]:
        return [row.kind for row in await self.scene.rows()]


@pytest.fixture
async def site(database: Database, tmp_path: Path) -> Any:
    hooks = "; ".join(f"{name} = {spoken.secret}" for name, spoken in SPOKEN.items())
    scene = scene_of(database, tmp_path, hooks=hooks)
    await scene.subscribe(ADA)
    await scene.send()
    app = create_app(services(scene.context, hear=Hooks(scene.context, Amazon())))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://papers.example.org") as browser:
        yield Site(scene, browser)


def test_the_contract_is_kept_by_every_provider_that_there_is() -> None:
    assert set(SPOKEN) == set(providers())
    for provider in providers().values():
        assert provider.TITLE
        assert provider.SETTING
        assert "." in provider.NEEDS


@every
async def test_a_hard_bounce_suppresses(site: Site, name: str) -> None:
    spoken = SPOKEN[name]
    assert await site.call(name, spoken.make(spoken.hard)) == 200
    assert await site.scene.suppressed() == {ADA: Suppressed.HARD_BOUNCE}
    (row,) = await site.scene.rows()
    assert (row.kind, row.source, row.edition_id) == (BounceKind.HARD, name, site.scene.sent[0])
    assert row.words


@every
async def test_full_mailboxes_and_our_own_faults_are_told_apart(site: Site, name: str) -> None:
    spoken = SPOKEN[name]
    assert await site.call(name, spoken.make(spoken.policy)) == 200
    assert await site.kinds() == [BounceKind.REFUSED]
    assert await site.call(name, spoken.make(spoken.full)) == 200
    assert await site.kinds() == [BounceKind.SOFT]
    assert (await site.scene.rows())[0].cause == "mailbox full"
    assert await site.scene.suppressed() == {}


@every
async def test_a_complaint_unsubscribes_and_suppresses(site: Site, name: str) -> None:
    spoken = SPOKEN[name]
    assert await site.call(name, spoken.make(spoken.complaint)) == 200
    assert await site.scene.suppressed() == {ADA: Suppressed.COMPLAINT}
    assert (await site.scene.reader(ADA)).state is SubscriptionState.UNSUBSCRIBED


@every
async def test_the_providers_own_unsubscription_ends_it_and_other_events_do_nothing(site: Site, name: str) -> None:
    spoken = SPOKEN[name]
    assert await site.call(name, spoken.make(spoken.nothing)) == 200
    assert await site.kinds() == []
    assert (await site.scene.reader(ADA)).state is SubscriptionState.CONFIRMED
    if spoken.unsubscribed:
        assert await site.call(name, spoken.make(spoken.unsubscribed)) == 200
        assert (await site.scene.reader(ADA)).state is SubscriptionState.UNSUBSCRIBED
        assert await site.scene.suppressed() == {}


@every
async def test_a_forged_call_is_refused(site: Site, name: str) -> None:
    spoken = SPOKEN[name]
    headers, body = spoken.make(spoken.hard)
    assert await site.call(name, spoken.make(spoken.hard, secret=spoken.forged)) == 403
    assert await site.call(name, ({}, b"{}")) == 403
    assert await site.call(name, ({}, b"\xff[")) == 403
    if name in ("sendgrid", "ses"):  # what signs the body
        assert await site.call(name, (headers, body.replace(b"ada@", b"eve@"))) == 403
    assert await site.kinds() == []


@every
async def test_a_replayed_call_is_refused_and_changes_nothing(site: Site, name: str) -> None:
    spoken = SPOKEN[name]
    made = spoken.make(spoken.complaint)
    assert await site.call(name, made) == 200
    await site.scene.context.subscribers.lift(ADA, NOON)
    assert await site.call(name, made) == 409
    assert await site.scene.suppressed() == {}


@pytest.mark.parametrize("name", ["mailgun", "sendgrid", "ses"])
async def test_an_old_call_is_refused_however_well_it_is_signed(site: Site, name: str) -> None:
    spoken = SPOKEN[name]
    for hours in (-26, 1):
        assert await site.call(name, spoken.make(spoken.hard, now=NOON + dt.timedelta(hours=hours))) == 403
    assert await site.kinds() == []


async def test_only_a_provider_that_is_set_is_heard_and_only_by_post(
    site: Site, database: Database, tmp_path: Path
) -> None:
    assert await site.call("nobody", ({}, b"{}")) == 404
    assert (await site.browser.get("/hooks/postmark")).status_code == 405
    assert (await site.browser.post("/hooks/postmark", content=b"x" * 3_000_000)).status_code == 413
    bare = Hooks(scene_of(database, tmp_path / "bare").context)
    headers, body = SPOKEN["brevo"].make(SPOKEN["brevo"].hard)
    assert (await bare("brevo", headers, body))[0] == 404


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda s: (
            st.lists(s, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "event",
                        "mail",
                        "bounce",
                        "headers",
                        "notificationType",
                        "email",
                        "RecordType",
                        "Type",
                        "recipient",
                        "severity",
                        "delivery-status",
                        "bouncedRecipients",
                    ]
                ),
                s,
                max_size=6,
            )
        ),
        max_leaves=12,
    )
)
async def test_any_event_that_is_signed_is_read_or_refused(event: Any) -> None:
    for name, spoken in SPOKEN.items():
        made = spoken.make(event)
        try:
            notice = await providers()[name].read(Call(*made), spoken.secret, NOON, Amazon())
        except CallRefused:
            continue
        assert all(report.signed for report in notice.reports)
