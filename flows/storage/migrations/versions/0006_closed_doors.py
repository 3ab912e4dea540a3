"""Operators who are logged in, and which keys an installation has."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operator_session",
        sa.Column("key", sa.String(43), primary_key=True, comment="a keyed hash of its token"),
        sa.Column("until", sa.BigInteger, nullable=False, comment="when it ends"),
    )
    op.create_table(
        "fingerprint",
        sa.Column("name", sa.String(40), primary_key=True, comment="the setting that holds the key"),
        sa.Column("value", sa.String(43), nullable=False, comment="a hash that tells the key from others"),
    )
