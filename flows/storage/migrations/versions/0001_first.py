"""Papers, editions, subscribers and the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sighting",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("paper_id", sa.String(40), primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        comment="a paper as a source listed it on a day",
    )
    op.create_index("ix_sighting_paper_id", "sighting", ["paper_id"])
    op.create_table(
        "collection",
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("papers", sa.Integer, nullable=False),
        sa.Column("skipped", sa.Text, nullable=False),
        sa.Column("silence", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("collected_at", sa.BigInteger, nullable=False),
        comment="how the last collection of a day from a source went",
    )
    op.create_table(
        "edition",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("newsletter", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("state", sa.String(10), nullable=False, comment="draft, frozen, or none with a reason"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("cards", sa.LargeBinary),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.BigInteger, comment="when the ledger had a row for each of its readers"),
        sa.UniqueConstraint("newsletter", "kind", "day", name="uq_edition_newsletter_kind_day"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "edition_paper",
        sa.Column(
            "edition_id",
            sa.Integer,
            sa.ForeignKey("edition.id", ondelete="CASCADE", name="fk_edition_paper_edition_id"),
            primary_key=True,
        ),
        sa.Column("paper_id", sa.String(40), primary_key=True),
        comment="the papers of frozen editions",
    )
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_key", sa.String(320), nullable=False, comment="the address in lower case"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("email_key", name="uq_subscriber_email_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "subscription",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "subscriber_id",
            sa.Integer,
            sa.ForeignKey("subscriber.id", ondelete="CASCADE", name="fk_subscription_subscriber_id"),
            nullable=False,
        ),
        sa.Column("newsletter", sa.String(40), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("topics", sa.Text, nullable=False),
        sa.Column("keywords", sa.Text, nullable=False),
        sa.Column("authors", sa.Text, nullable=False),
        sa.Column("size", sa.Integer),
        sa.Column("frequency", sa.String(10), nullable=False),
        sa.Column("hour", sa.Integer),
        sa.Column("zone", sa.String(60), nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("paused_until", sa.Date),
        sa.Column("consent_at", sa.BigInteger),
        sa.Column("consent_source", sa.String(200), nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("subscriber_id", "newsletter", name="uq_subscription_subscriber_id_newsletter"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscription_newsletter_id", "subscription", ["newsletter", "id"])
    op.create_table(
        "delivery",
        sa.Column("edition_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("subscription_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger, comment="not before; null: at once"),
        sa.Column("first_at", sa.BigInteger, comment="when its first attempt began"),
        sa.Column("changed_at", sa.BigInteger),
        sa.Column("lease", sa.String(22), comment="the token under which it was last marked"),
        sa.Column("code", sa.Integer, comment="the server's last reply, or null"),
        sa.Column("words", sa.Text, nullable=False, comment="the server's last words, or why it was skipped"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE delivery SET (fillfactor = 50)")
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("edition_id", sa.Integer, nullable=False),
        sa.Column("lo", sa.Integer, nullable=False, comment="the first subscription"),
        sa.Column("hi", sa.Integer, nullable=False, comment="the last one"),
        sa.Column("next_at", sa.BigInteger, comment="when its next delivery is due; null: all are final"),
        sa.Column("lease_until", sa.BigInteger, comment="milliseconds of the database's clock"),
        sa.Column("lease", sa.String(22)),
    )
    op.create_index("ix_batch_edition_id", "batch", ["edition_id"])
