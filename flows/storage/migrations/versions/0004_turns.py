"""The pace that all processes that send share."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "turn",
        sa.Column("place", sa.String(255), primary_key=True, comment="a domain; empty: all together"),
        sa.Column(
            "free_at", sa.BigInteger, nullable=False, comment="the first turn not taken, in ms of the database's clock"
        ),
    )
