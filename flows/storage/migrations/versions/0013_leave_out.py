"""A reader may leave out papers by words, phrases and authors."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscription", sa.Column("leave_out", sa.Text, nullable=False, server_default="[]"))
