"""What comes back: bounces and complaints, newsletters that are paused for them, domains, heard webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "subscriber",
        sa.Column("freed_at", sa.BigInteger, comment="what was sent before counts no more against the address"),
    )
    op.create_table(
        "bounce",
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
        sa.Column("sent_at", sa.BigInteger, comment="when the mail was sent"),
        sa.Column("at", sa.BigInteger, nullable=False, comment="when it was heard"),
        comment="what came back of a delivery, once for each",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_bounce_at", "bounce", ["at"])
    op.create_table(
        "pause",
        sa.Column("newsletter", sa.String(40), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column(
            "ended_at",
            sa.BigInteger,
            comment="when the operator let it go on; what came back before counts no more",
        ),
    )
    op.create_table(
        "domain",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("rule", sa.String(8), nullable=False, comment="blocked or allowed"),
        sa.Column("at", sa.BigInteger, nullable=False),
        comment="what the operator has decided about a domain of readers",
    )
    op.create_table(
        "hook_call",
        sa.Column("key", sa.String(43), primary_key=True, comment="a keyed hash of what makes a call unique"),
        sa.Column("at", sa.BigInteger, nullable=False),
        comment="the calls of providers that were heard: none is heard twice",
    )
