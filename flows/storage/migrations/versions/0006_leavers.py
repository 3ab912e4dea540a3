"""Those who have left are known by a hash when their time is over."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leaver",
        sa.Column("address_key", sa.String(43), primary_key=True, comment="a keyed hash of newsletter and address"),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
