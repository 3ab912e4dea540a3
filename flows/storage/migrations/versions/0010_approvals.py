"""What operators decide of an edition before it is delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("newsletter", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(10), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("state", sa.String(5), nullable=False, comment="asked, send, hold or skip"),
        sa.Column("otherwise", sa.String(5), nullable=False, comment="what happens at the deadline"),
        sa.Column("deadline_at", sa.BigInteger, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("by", sa.String(8), nullable=False, server_default="", comment="operator or deadline"),
        sa.Column("subject", sa.Text, nullable=False, server_default=""),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("dropped", sa.Text, nullable=False, server_default="[]", comment="papers, as JSON"),
        sa.Column("lead", sa.String(40), nullable=False, server_default=""),
        sa.Column("reason", sa.Text, nullable=False, server_default="", comment="why it is held or skipped"),
        sa.Column("run", sa.String(36), nullable=False, server_default="", comment="Prefect's run that asked"),
        sa.Column(
            "answered", sa.String(36), nullable=False, server_default="", comment="the run whose answer was taken"
        ),
        sa.Column("tested_at", sa.BigInteger, comment="when it was mailed to the operator"),
        comment="what operators decided of an edition before its delivery",
    )
