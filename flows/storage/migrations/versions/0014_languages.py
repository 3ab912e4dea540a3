"""A reader has a language, and a frozen edition is kept in the languages that its readers have."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tag = sa.Column(
        "language", sa.String(35), nullable=False, server_default="", comment="a tag; empty: the site's own"
    )
    op.add_column("subscription", tag)
    op.create_table(
        "edition_language",
        sa.Column(
            "edition_id",
            sa.Integer,
            sa.ForeignKey("edition.id", ondelete="CASCADE", name="fk_edition_language_edition_id"),
            primary_key=True,
        ),
        sa.Column("language", sa.String(35), primary_key=True),
        sa.Column("cards", sa.LargeBinary, nullable=False),
        comment="frozen editions in other languages than the site's own",
    )
