"""Those who have left are known by a hash when their time is over, and the archive tells less than the operator."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leaver",
        sa.Column("address_key", sa.String(43), primary_key=True, comment="a keyed hash of newsletter and address"),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.add_column(
        "edition",
        sa.Column(
            "told", sa.Text, nullable=False, server_default="", comment="the reason for everybody; empty: the same"
        ),
    )
    op.execute(
        "UPDATE edition SET told = 'The papers could not be had, so that there was nothing to make an edition of.' "
        "WHERE state = 'none' AND (reason LIKE '%://%' OR reason LIKE '%PAPERROUND_%')"
    )
