"""Bounces in the shapes that mail servers send, in our own words: what each says, and what it should be read as."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

from flows.causes import Cause

ADA = "ada.brook@reader.example"
MESSAGE_ID = "daily.daily.2026-06-09.7@papers.example.org"
HEADERS = f"""\
Return-Path: <bounces@example.org>
From: Paperround <digest@example.org>
To: {ADA}
Message-ID: <{MESSAGE_ID}>
Subject: 12 papers
List-Unsubscribe: <https://papers.example.org/unsubscribe/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA>
"""


@dataclass(frozen=True)
class Bounce:
    """One message and how it should be read: a failure for `cause`, or passed over as `passing`."""

    name: str
    content: bytes
    cause: Cause | None = None
    code: int | None = None
    status: str | None = None
    address: str = ADA
    passing: str = ""


def _message(head: str, body: str) -> bytes:
    return (dedent(head).strip() + "\n\n" + body).replace("\n", "\r\n").encode()


def dsn(
    fields: str,
    *,
    sender: str = "MAILER-DAEMON@mx.reader.example",
    text: str = "Your mail could not be brought to everybody.",
    enclosed: str = "text/rfc822-headers",
    about: str = "Reporting-MTA: dns; mx.reader.example",
    status_type: str = "message/delivery-status",
) -> bytes:
    """A report of RFC 3464."""
    body = (
        f"--b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n\n"
        f"--b\nContent-Type: {status_type}\n\n{about}\n\n{dedent(fields).strip()}\n\n"
        f"--b\nContent-Type: {enclosed}\n\n{HEADERS}\n--b--\n"
    )
    head = f"""\
From: {sender}
To: bounces@example.org
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <report@mx.reader.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"
"""
    return _message(head, body)


def plain(
    text: str, *, sender: str = "MAILER-DAEMON@mx.reader.example", subject: str = "failure notice", more: str = ""
) -> bytes:
    """A bounce of no standard: text, with our headers behind it."""
    head = f"From: {sender}\nTo: bounces@example.org\nSubject: {subject}\n{more}Content-Type: text/plain; charset=utf-8"
    return _message(head, dedent(text).strip("\n") + "\n\n" + HEADERS)


def _fields(diagnostic: str, status: str, action: str = "failed", **more: str) -> str:
    lines = [f"Final-Recipient: rfc822; {ADA}", f"Action: {action}", f"Status: {status}"]
    lines += [f"Diagnostic-Code: {diagnostic}"] if diagnostic else []
    return "\n".join(lines + [f"{name.replace('_', '-')}: {value}" for name, value in more.items()])


DEAD, FULL, SIZE, POLICY = Cause.DEAD, Cause.FULL, Cause.SIZE, Cause.POLICY
CONTENT, SENDER, REACH, OTHER = Cause.CONTENT, Cause.SENDER, Cause.REACH, Cause.OTHER

BOUNCES = (
    # --- Postfix
    Bounce(
        "postfix: unknown there",
        dsn(_fields(f"smtp; 550 5.1.1 <{ADA}>: Recipient address rejected: User unknown", "5.1.1")),
        DEAD,
        550,
        "5.1.1",
    ),
    Bounce("postfix: unknown here", dsn(_fields('x-postfix; unknown user: "ada.brook"', "5.1.1")), DEAD, None, "5.1.1"),
    Bounce(
        "postfix: no such domain",
        dsn(
            _fields(
                "X-Postfix; Host or domain name not found. Name service error for name=reader.example type=A: Host not found",
                "5.4.4",
            )
        ),
        DEAD,
        None,
        "5.4.4",
    ),
    Bounce(
        "postfix: given up after days",
        dsn(_fields("X-Postfix; connect to mx.reader.example[192.0.2.25]:25: Connection timed out", "4.4.1")),
        REACH,
        None,
        "4.4.1",
    ),
    Bounce(
        "postfix: too large",
        dsn(_fields("smtp; 552 5.3.4 Message size exceeds fixed limit", "5.3.4")),
        SIZE,
        552,
        "5.3.4",
    ),
    Bounce(
        "postfix: a warning",
        dsn(
            _fields(
                "X-Postfix; connection refused", "4.4.1", "delayed", Will_Retry_Until="Sat, 13 Jun 2026 09:00:00 +0000"
            )
        ),
        passing="delayed",
    ),
    Bounce("postfix: relayed", dsn(_fields("smtp; 250 ok", "2.0.0", "relayed")), passing="relayed"),
    Bounce("postfix: expanded", dsn(_fields("", "2.0.0", "expanded")), passing="expanded"),
    Bounce("postfix: delivered", dsn(_fields("smtp; 250 ok", "2.1.5", "delivered")), passing="delivered"),
    # --- Exim: its status is 5.0.0 whatever happened
    Bounce(
        "exim: the other server knows nobody of that name",
        dsn(_fields("smtp; 550 5.1.1 no mailbox of that name", "5.0.0", Remote_MTA="dns; mx.reader.example")),
        DEAD,
        550,
        "5.1.1",
    ),
    Bounce(
        "exim: a mailbox over its quota",
        dsn(_fields("smtp; 552 5.2.2 this mailbox is over its quota", "5.0.0")),
        FULL,
        552,
        "5.2.2",
    ),
    Bounce(
        "exim: no words at all", dsn(_fields("", "5.0.0"), text=f"{ADA}\n    Unrouteable address"), DEAD, None, "5.0.0"
    ),
    Bounce(
        "exim: of the old form, without a report",
        plain(
            f"""\
            This message was created automatically by mail delivery software.

            A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.
            The following address(es) failed:

              {ADA}
                Unrouteable address

            ------ This is a copy of the message, including all the headers. ------
            """,
            sender="Mail Delivery System <Mailer-Daemon@relay.example.org>",
            subject="Mail delivery failed: returning message to sender",
            more=f"X-Failed-Recipients: {ADA}\n",
        ),
        DEAD,
    ),
    Bounce(
        "exim: relaying refused, without an enhanced code",
        dsn(_fields("smtp; 550 relay not permitted", "5.0.0")),
        POLICY,
        550,
        "5.0.0",
    ),
    # --- sendmail
    Bounce(
        "sendmail: unknown",
        dsn(
            _fields(
                "SMTP; 550 5.1.1 <ada.brook>... User unknown", "5.1.1", Last_Attempt_Date="Tue, 9 Jun 2026 08:00:00 GMT"
            )
        ),
        DEAD,
        550,
        "5.1.1",
    ),
    Bounce(
        "sendmail: host unknown",
        dsn(_fields("", "5.1.2"), text="550 5.1.2 reader.example... Host unknown"),
        DEAD,
        None,
        "5.1.2",
    ),
    Bounce(
        "sendmail: cannot send within five days",
        dsn(_fields("", "4.4.7"), text="Message could not be delivered for 5 days"),
        REACH,
        None,
        "4.4.7",
    ),
    Bounce("sendmail: disk full", dsn(_fields("SMTP; 452 4.2.2 Mailbox full", "4.2.2")), FULL, 452, "4.2.2"),
    # --- qmail
    Bounce(
        "qmail: no mailbox",
        plain(f"""\
            Hi. This is the qmail-send program at mx.reader.example.
            I'm afraid I wasn't able to deliver your message to the following addresses.
            This is a permanent error; I've given up. Sorry it didn't work out.

            <{ADA}>:
            Sorry, no mailbox here by that name. (#5.1.1)

            --- Below this line is a copy of the message.
            """),
        DEAD,
        None,
        "5.1.1",
    ),
    Bounce(
        "qmail: the other host said no",
        plain(f"""\
            Hi. This is the qmail-send program at mx.reader.example.
            I'm afraid I wasn't able to deliver your message to the following addresses.

            <{ADA}>:
            192.0.2.25 does not like recipient.
            Remote host said: 552 5.2.2 Mailbox size limit reached, over quota
            Giving up on 192.0.2.25.

            --- Below this line is a copy of the message.
            """),
        FULL,
        552,
        "5.2.2",
    ),
    Bounce(
        "qmail: a long wait",
        plain(f"""\
            Hi. This is the qmail-send program at mx.reader.example.
            I'm afraid I wasn't able to deliver your message to the following addresses.

            <{ADA}>:
            Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)
            I'm not going to try again; this message has been in the queue too long.

            --- Below this line is a copy of the message.
            """),
        REACH,
        None,
        "4.4.1",
    ),
    # --- Gmail and Google Workspace
    Bounce(
        "gmail: no such account",
        dsn(
            _fields(
                "smtp; 550-5.1.1 The account that you want to reach is not there. Look for\n 550-5.1.1 typing mistakes. "
                "550 5.1.1 https://support.example/mail a1-20020a05 - gsmtp",
                "5.1.1",
            ),
            sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        ),
        DEAD,
        550,
        "5.1.1",
    ),
    Bounce(
        "gmail: disabled",
        dsn(_fields("smtp; 550 5.2.1 The email account that you tried to reach is disabled. b2-gsmtp", "5.2.1")),
        DEAD,
        550,
        "5.2.1",
    ),
    Bounce(
        "gmail: out of space",
        dsn(_fields("smtp; 452 4.2.2 The recipient's inbox is out of storage space.", "4.2.2")),
        FULL,
        452,
        "4.2.2",
    ),
    Bounce(
        "gmail: unauthenticated",
        dsn(
            _fields(
                "smtp; 550-5.7.26 This mail is unauthenticated, which is a risk\n 550 5.7.26 to its readers.", "5.7.26"
            )
        ),
        POLICY,
        550,
        "5.7.26",
    ),
    Bounce(
        "gmail: bulk",
        dsn(_fields("smtp; 421-4.7.28 We have seen an unusual rate of unsolicited mail", "4.7.28")),
        POLICY,
        421,
        "4.7.28",
    ),
    Bounce(
        "gmail: a warning",
        dsn(_fields("smtp; 450 4.2.1 is receiving mail too quickly", "4.2.1", "delayed")),
        passing="delayed",
    ),
    # --- Yahoo, AOL
    Bounce(
        "yahoo: nobody",
        dsn(
            _fields(
                "smtp; 554 delivery error: dd This user doesn't have a reader.example account (ada.brook) [0]", "5.0.0"
            )
        ),
        DEAD,
        554,
        "5.0.0",
    ),
    Bounce(
        "yahoo: of its own form",
        plain(
            f"""\
            Sorry, we were unable to deliver your message to the following address.

            <{ADA}>:
            Remote host said:
            554 delivery error: dd Sorry, your message to {ADA} cannot be delivered. This mailbox is disabled (554.30).

            --- Below this line is a copy of the message.
            """,
            sender="MAILER-DAEMON@yahoo.example",
            subject="Delivery failure",
            more="X-Yahoo-Newman: 1\n",
        ),
        DEAD,
        554,
    ),
    Bounce(
        "yahoo: complaints",
        dsn(_fields("smtp; 553 5.7.1 [BL21] Connections will not be accepted, because of a blocklist", "5.7.1")),
        POLICY,
        553,
        "5.7.1",
    ),
    Bounce(
        "yahoo: put off",
        dsn(_fields("smtp; 421 4.7.0 [TSS04] Messages temporarily deferred due to user complaints", "4.7.0")),
        POLICY,
        421,
        "4.7.0",
    ),
    # --- Exchange, Microsoft 365, Outlook.com
    Bounce(
        "exchange online: not found in the directory",
        dsn(
            _fields(
                "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
                "5.1.10",
                Original_Recipient=f"rfc822;{ADA}",
            )
        ),
        DEAD,
        550,
        "5.1.10",
    ),
    Bounce(
        "exchange online: refused at its edge",
        dsn(_fields("smtp;550 5.4.1 Recipient address rejected: Access denied. [MW2EUR01.prod]", "5.4.1")),
        DEAD,
        550,
        "5.4.1",
    ),
    Bounce(
        "exchange: a closed list",
        dsn(_fields("smtp;550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", "5.7.1")),
        POLICY,
        550,
        "5.7.1",
    ),
    Bounce(
        "exchange: full",
        dsn(_fields("smtp;554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException", "5.2.2")),
        FULL,
        554,
        "5.2.2",
    ),
    Bounce(
        "exchange: too large",
        dsn(_fields("smtp;550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient", "5.2.3")),
        SIZE,
        550,
        "5.2.3",
    ),
    Bounce(
        "exchange: a mail that goes round",
        dsn(_fields("smtp;554 5.4.14 Hop count exceeded - possible mail loop", "5.4.14")),
        REACH,
        554,
        "5.4.14",
    ),
    Bounce(
        "exchange 5.5: a report without codes",
        plain(
            f"""\
            Your message

              To:      {ADA}
              Subject: 12 papers
              Sent:    Tue, 9 Jun 2026 08:00:00 -0000

            did not reach the following recipient(s):

            {ADA} on Tue, 9 Jun 2026 08:00:03 -0000
                The recipient name is not recognized
                The MTS-ID of the original message is: c=us;a= ;p=reader;l=MX0906
                MSEXCH:IMS:Reader:MX:mx 0 (000C05A6) Unknown Recipient
            """,
            sender="System Administrator <postmaster@reader.example>",
            subject="Undeliverable: 12 papers",
        ),
        DEAD,
    ),
    Bounce(
        "outlook.com: nobody",
        dsn(_fields("smtp;550 5.5.0 Requested action not taken: mailbox unavailable.", "5.5.0")),
        DEAD,
        550,
        "5.5.0",
    ),
    Bounce(
        "outlook.com: our network",
        dsn(
            _fields(
                "smtp;550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Part of their network is on our block list (S3150).",
                "5.7.1",
            )
        ),
        POLICY,
        550,
        "5.7.1",
    ),
    # --- Domino
    Bounce(
        "domino: not in its directory",
        dsn(_fields(f"X-Notes; User ada.brook ({ADA}) not listed in Domino Directory", "5.1.1")),
        DEAD,
        None,
        "5.1.1",
    ),
    Bounce(
        "domino: quota",
        dsn(_fields("X-Notes; Recipient's mail file has exceeded its disk quota", "5.0.0")),
        FULL,
        None,
        "5.0.0",
    ),
    # --- Barracuda, Mimecast, Proofpoint: what stands before the mailbox
    Bounce(
        "barracuda: blocked",
        dsn(
            _fields(
                "smtp; 554 Service unavailable; Client host [192.0.2.1] blocked using Barracuda Reputation", "5.0.0"
            )
        ),
        POLICY,
        554,
        "5.0.0",
    ),
    Bounce(
        "barracuda: no such recipient",
        dsn(_fields(f"smtp; 550 <{ADA}>: Recipient address rejected: No such user here", "5.0.0")),
        DEAD,
        550,
        "5.0.0",
    ),
    Bounce(
        "mimecast: not known",
        dsn(_fields("smtp; 550 Invalid Recipient - https://community.example/docs/550 [x1y2]", "5.0.0")),
        DEAD,
        550,
        "5.0.0",
    ),
    Bounce(
        "mimecast: a list of senders",
        dsn(_fields("smtp; 554 Email rejected due to security policies - [z9]", "5.0.0")),
        POLICY,
        554,
        "5.0.0",
    ),
    Bounce(
        "proofpoint: nobody",
        dsn(_fields(f"smtp; 550 5.1.1 User Unknown <{ADA}> [pp-hosted]", "5.1.1")),
        DEAD,
        550,
        "5.1.1",
    ),
    Bounce(
        "proofpoint: blocked",
        dsn(_fields("smtp; 554 Blocked - see https://ipcheck.example/?ip=192.0.2.1", "5.0.0")),
        POLICY,
        554,
        "5.0.0",
    ),
    Bounce(
        "proofpoint: spam",
        dsn(_fields("smtp; 550 5.6.0 Message content rejected, as spam", "5.6.0")),
        CONTENT,
        550,
        "5.6.0",
    ),
    # --- whose fault it is
    Bounce(
        "anybody: our own address",
        dsn(_fields("smtp; 553 5.1.8 <bounces@example.org>... Domain of sender address does not exist", "5.1.8")),
        SENDER,
        553,
        "5.1.8",
    ),
    Bounce(
        "anybody: our return path",
        dsn(_fields("smtp; 550 5.1.7 bad sender's mailbox address syntax", "5.1.7")),
        SENDER,
        550,
        "5.1.7",
    ),
    Bounce("anybody: a virus", dsn(_fields("smtp; 554 virus found in message", "5.0.0")), CONTENT, 554, "5.0.0"),
    Bounce(
        "anybody: not sure yet",
        dsn(_fields("smtp; 450 4.1.1 user unknown in the database of today", "4.1.1")),
        OTHER,
        450,
        "4.1.1",
    ),
    # --- forms
    Bounce(
        "beyond ASCII (RFC 6533)",
        dsn(
            "Final-Recipient: utf-8; \\x{E4}da@reader.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unbekannt",
            status_type="message/global-delivery-status",
            about="Reporting-MTA: dns; mx.reader.example",
        ),
        DEAD,
        550,
        "5.1.1",
        address="äda@reader.example",
    ),
    Bounce(
        "its report in base64",
        dsn(
            "UmVwb3J0aW5nLU1UQTogZG5zOyBteAoKRmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGFkYS5icm9va0ByZWFkZXIuZXhhbXBsZQpBY3Rpb246IGZhaWxlZApTdGF0dXM6IDUuMS4xCg==",
            status_type="message/delivery-status\nContent-Transfer-Encoding: base64",
            about="",
        ),
        DEAD,
        None,
        "5.1.1",
    ),
    Bounce("without an action", dsn(f"Original-Recipient: rfc822;{ADA}\nStatus: 5.1.1 (unknown)"), DEAD, None, "5.1.1"),
    Bounce(
        "the forwarded address failed: it is the reader's that counts",
        dsn(
            _fields("smtp; 550 5.1.1 unknown", "5.1.1").replace(ADA, "elsewhere@other.example")
            + f"\nOriginal-Recipient: rfc822;{ADA}"
        ),
        DEAD,
        550,
        "5.1.1",
    ),
    Bounce(
        "no address, and our mail in it",
        plain("Your message was refused: account is disabled.", subject="Undeliverable mail"),
        DEAD,
        None,
        None,
        address="",
    ),
)
