"""The words that papers hold, for the search to tell what a misspelt one means."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    by_code_points = sa.String(60).with_variant(sa.String(60, collation="C"), "postgresql")
    op.create_table(
        "vocabulary",
        sa.Column("word", by_code_points, primary_key=True, comment="in its one spelling"),
        sa.Column("backwards", by_code_points, nullable=False, comment="from its last letter to its first"),
        sa.Column("written", sa.Text, nullable=False, comment="as the first paper that held it wrote it"),
        comment="the words of all papers that the search knows",
    )
    op.create_index("ix_vocabulary_backwards", "vocabulary", ["backwards"])
    # letters are read in more forms than before: the web app takes in all papers again when it starts, the newest first
    op.execute("UPDATE paper SET indexed = false")
