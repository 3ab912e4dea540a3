"""What has left of each limit's window, how far a warm-up is, and since when something of a batch is due."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "turns_taken",
        sa.Column("place", sa.String(255), primary_key=True, comment="a domain; empty: all together"),
        sa.Column("seconds", sa.Integer, primary_key=True, autoincrement=False, comment="the length of the window"),
        sa.Column("began", sa.BigInteger, primary_key=True, autoincrement=False, comment="a step, seconds since 1970"),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "warm_up",
        sa.Column("place", sa.String(255), primary_key=True, comment="a domain; empty: all together"),
        sa.Column("step", sa.Integer, nullable=False, comment="how many days it has grown"),
        sa.Column("began", sa.BigInteger, nullable=False, comment="when its present day began, seconds since 1970"),
        sa.Column("taken", sa.Integer, nullable=False, comment="turns of the present day, as all that follows"),
        sa.Column("replies", sa.Integer, nullable=False),
        sa.Column("deferred", sa.Integer, nullable=False),
    )
    op.add_column(
        "batch",
        sa.Column("since", sa.BigInteger, comment="when its first delivery was due, where none could leave then"),
    )
