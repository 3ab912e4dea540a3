"""The tables about people and about what was mailed to them: subscribers, their subscriptions, the outbox, who is never
mailed, and the ledger."""

from __future__ import annotations

import sqlalchemy as sa

from flows.storage.database import Instant, metadata

subscriber = sa.Table(
    "subscriber",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("email_key", sa.String(320), nullable=False, unique=True, comment="the address in lower case"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("suppressed", sa.String(12)),
    sa.Column("freed_at", Instant, comment="what was sent before counts no more against the address"),
    sqlite_autoincrement=True,
)
subscription = sa.Table(
    "subscription",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("subscriber_id", sa.ForeignKey(subscriber.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("newsletter", sa.String(40), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("topics", sa.Text, nullable=False),
    sa.Column("keywords", sa.Text, nullable=False),
    sa.Column("authors", sa.Text, nullable=False),
    sa.Column("leave_out", sa.Text, nullable=False, server_default="[]"),
    sa.Column("size", sa.Integer),
    sa.Column("frequency", sa.String(10), nullable=False),
    sa.Column("hour", sa.Integer),
    sa.Column("zone", sa.String(60), nullable=False),
    sa.Column("language", sa.String(35), nullable=False, server_default="", comment="a tag; empty: the site's own"),
    sa.Column("tags", sa.Text, nullable=False),
    sa.Column("paused_until", sa.Date),
    sa.Column("consent_at", Instant),
    sa.Column("consent_source", sa.String(200), nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("weekday", sa.Integer),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("previous", sa.Text, comment="the settings before the last change, as JSON"),
    sa.Column("frequency_at", Instant, comment="when the frequency was last changed"),
    sa.Column("asked_at", Instant, index=True, comment="when it was last asked for; null: it is not asked for"),
    sa.Column("confirmed_at", Instant),
    sa.Column("left_at", Instant),
    sa.Column("left_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("consent_version", sa.String(20), nullable=False, server_default=""),
    sa.Column("consent_network", sa.String(43), nullable=False, server_default=""),
    sa.UniqueConstraint("subscriber_id", "newsletter"),
    sa.Index("ix_subscription_newsletter_id", "newsletter", "id"),
    # a number is never given twice: links and the ledger name a subscription by it, also after it is erased
    sqlite_autoincrement=True,
)
suppression = sa.Table(
    "suppression",
    metadata,
    sa.Column("address_key", sa.String(43), primary_key=True, comment="a keyed hash of the address"),
    sa.Column("reason", sa.String(12), nullable=False),
    sa.Column("at", Instant, nullable=False),
)
leaver = sa.Table(
    "leaver",
    metadata,
    sa.Column("address_key", sa.String(43), primary_key=True, comment="a keyed hash of newsletter and address"),
    sa.Column("at", Instant, nullable=False),
)
address_change = sa.Table(
    "address_change",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("subscriber_id", sa.ForeignKey(subscriber.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("former", sa.String(320), comment="the address before; null: the new one is not confirmed"),
    sqlite_autoincrement=True,
)
outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("subscription_id", sa.ForeignKey(subscription.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("address_change_id", sa.Integer, comment="the change of address that it is about"),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("due_at", Instant, index=True, comment="not before; null: it is final"),
    sa.Column("first_at", Instant),
    sa.Column("changed_at", Instant),
    sa.Column("lease", sa.String(22)),
    sa.Column("lease_until", sa.BigInteger, comment="milliseconds of the database's clock"),
    sa.Column("code", sa.Integer),
    sa.Column("words", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
rate = sa.Table(
    "rate",
    metadata,
    sa.Column("bucket", sa.String(43), primary_key=True, comment="a keyed hash of what is counted"),
    sa.Column("window_at", Instant, primary_key=True, comment="when its window began"),
    sa.Column("count", sa.Integer, nullable=False),
)
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("edition_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subscription_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", Instant, comment="not before; null: at once"),
    sa.Column("first_at", Instant, comment="when its first attempt began"),
    sa.Column("changed_at", Instant),
    sa.Column("lease", sa.String(22), comment="the token under which it was last marked"),
    sa.Column("code", sa.Integer, comment="the server's last reply, or null"),
    sa.Column("words", sa.Text, nullable=False, comment="the server's last words, or why it was skipped"),
    # No index on state: without one PostgreSQL updates a row in place; the migration leaves its pages the room.
    sqlite_with_rowid=False,
)
batch = sa.Table(
    "batch",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("edition_id", sa.Integer, nullable=False, index=True),
    sa.Column("lo", sa.Integer, nullable=False, comment="the first subscription"),
    sa.Column("hi", sa.Integer, nullable=False, comment="the last one"),
    sa.Column("next_at", Instant, comment="when its next delivery is due; null: all are final"),
    sa.Column("lease_until", sa.BigInteger, comment="milliseconds of the database's clock"),
    sa.Column("lease", sa.String(22)),
    sa.Column("since", Instant, comment="when its first delivery was due, where none could leave then"),
)
operator_session = sa.Table(
    "operator_session",
    metadata,
    sa.Column("key", sa.String(43), primary_key=True, comment="a keyed hash of its token"),
    sa.Column("until", Instant, nullable=False, comment="when it ends"),
)
bounce = sa.Table(
    "bounce",
    metadata,
    sa.Column("edition_id", sa.Integer, primary_key=True, autoincrement=False, comment="0: a letter, no edition"),
    sa.Column("subscription_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("about", sa.String(9), primary_key=True, comment="failure or complaint"),
    sa.Column("kind", sa.String(9), nullable=False),
    sa.Column("cause", sa.String(20), nullable=False),
    sa.Column("state", sa.String(10), nullable=False, comment="what it did: counted, suppressed, held, settled"),
    sa.Column("code", sa.Integer),
    sa.Column("status", sa.String(12)),
    sa.Column("words", sa.Text, nullable=False, comment="the report's: a stranger's"),
    sa.Column("source", sa.String(12), nullable=False, comment="mail, or the provider that said so"),
    sa.Column("newsletter", sa.String(40), nullable=False),
    sa.Column("domain", sa.String(255), nullable=False, comment="of the address; empty once it is erased"),
    sa.Column("sent_at", Instant, comment="when the mail was sent"),
    sa.Column("at", Instant, nullable=False, index=True, comment="when it was heard"),
    comment="what came back of a delivery, once for each",
    sqlite_with_rowid=False,
)
pause = sa.Table(
    "pause",
    metadata,
    sa.Column("newsletter", sa.String(40), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("ended_at", Instant, comment="when the operator let it go on; what came back before counts no more"),
)
domain = sa.Table(
    "domain",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("rule", sa.String(8), nullable=False, comment="blocked or allowed"),
    sa.Column("at", Instant, nullable=False),
    comment="what the operator has decided about a domain of readers",
)
hook_call = sa.Table(
    "hook_call",
    metadata,
    sa.Column("key", sa.String(43), primary_key=True, comment="a keyed hash of what makes a call unique"),
    sa.Column("at", Instant, nullable=False),
    comment="the calls of providers that were heard: none is heard twice",
)
