"""Where welcomes brought an edition and PAPERROUND_MAIL_UNCERTAIN was "hold", SQLite kept a text as the time that the
delivery was due at: it was never made, and a report of the edition could not be read."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "UPDATE delivery SET due_at = CAST(round((julianday(due_at) - 2440587.5) * 86400000) AS INTEGER) "
            "WHERE typeof(due_at) = 'text'"
        )
