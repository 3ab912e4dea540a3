"""Summaries that a model wrote."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "summary",
        sa.Column("paper_id", sa.String(40), primary_key=True),
        sa.Column("text", sa.Text, nullable=False, comment="empty: none came that could be used"),
        sa.Column("asked_at", sa.BigInteger, nullable=False, comment="when the model was asked for it"),
        comment="summaries that a model wrote, or was asked for",
    )
    op.create_index("ix_summary_asked_at", "summary", ["asked_at"])
