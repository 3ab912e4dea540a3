"""What readers do themselves: sign-up, changes that can be undone, the outbox, suppressions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriber", sa.Column("suppressed", sa.String(12)))
    for column in (
        sa.Column("weekday", sa.Integer),
        sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
        sa.Column("previous", sa.Text, comment="the settings before the last change, as JSON"),
        sa.Column("frequency_at", sa.BigInteger, comment="when the frequency was last changed"),
        sa.Column("asked_at", sa.BigInteger, comment="when it was last asked for; null: it is not asked for"),
        sa.Column("confirmed_at", sa.BigInteger),
        sa.Column("left_at", sa.BigInteger),
        sa.Column("left_reason", sa.Text, nullable=False, server_default=""),
        sa.Column("consent_version", sa.String(20), nullable=False, server_default=""),
        sa.Column("consent_network", sa.String(43), nullable=False, server_default=""),
    ):
        op.add_column("subscription", column)
    op.create_index("ix_subscription_asked_at", "subscription", ["asked_at"])
    op.create_table(
        "suppression",
        sa.Column("address_key", sa.String(43), primary_key=True, comment="a keyed hash of the address"),
        sa.Column("reason", sa.String(12), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "address_change",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "subscriber_id",
            sa.Integer,
            sa.ForeignKey("subscriber.id", ondelete="CASCADE", name="fk_address_change_subscriber_id_subscriber"),
            nullable=False,
        ),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("former", sa.String(320), comment="the address before; null: the new one is not confirmed"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_address_change_subscriber_id", "address_change", ["subscriber_id"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column(
            "subscription_id",
            sa.Integer,
            sa.ForeignKey("subscription.id", ondelete="CASCADE", name="fk_outbox_subscription_id_subscription"),
            nullable=False,
        ),
        sa.Column("address_change_id", sa.Integer, comment="the change of address that it is about"),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, comment="not before; null: it is final"),
        sa.Column("first_at", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger),
        sa.Column("lease", sa.String(22)),
        sa.Column("lease_until", sa.BigInteger, comment="milliseconds of the database's clock"),
        sa.Column("code", sa.Integer),
        sa.Column("words", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_due_at", "outbox", ["due_at"])
    op.create_index("ix_outbox_subscription_id", "outbox", ["subscription_id"])
    op.create_table(
        "rate",
        sa.Column("bucket", sa.String(43), primary_key=True, comment="a keyed hash of what is counted"),
        sa.Column("window_at", sa.BigInteger, primary_key=True, comment="when its window began"),
        sa.Column("count", sa.Integer, nullable=False),
    )
