"""An operator may hold the delivery of an edition: it goes on when they say so, and not by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("edition", sa.Column("held_at", sa.BigInteger, comment="when an operator stopped its delivery"))
    op.add_column("edition", sa.Column("held_why", sa.Text, nullable=False, server_default="", comment="in words"))
