"""Full-text search, and the topics of an edition's papers."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paper",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("paper_id", sa.String(40), nullable=False),
        sa.Column("day", sa.Date, nullable=False, comment="the earliest on which a source listed it"),
        sa.Column(
            "topic", sa.Text, nullable=False, comment="of the edition that was composed last; empty: none has it"
        ),
        sa.Column("indexed", sa.Boolean, nullable=False, comment="whether its words can be searched for"),
        sa.UniqueConstraint("paper_id", name="uq_paper_paper_id"),
        comment="a paper as the search knows it",
    )
    op.create_index("ix_paper_day", "paper", ["day"])
    op.create_index("ix_paper_topic_day", "paper", ["topic", "day"])
    if op.get_bind().dialect.name == "sqlite":
        # the words come in one spelling: nothing is left to fold
        op.execute(
            "CREATE VIRTUAL TABLE paper_words USING fts5(title, authors, about, abstract, "
            "tokenize = 'unicode61 remove_diacritics 0')"
        )
    else:
        op.execute(
            "CREATE TABLE paper_words (id integer CONSTRAINT pk_paper_words PRIMARY KEY "
            "CONSTRAINT fk_paper_words_id_paper REFERENCES paper ON DELETE CASCADE, words tsvector NOT NULL)"
        )
        op.execute("CREATE INDEX paper_words_gin ON paper_words USING gin (words)")
    # what was kept so far is indexed by the web app when it starts
    op.execute(
        "INSERT INTO paper (paper_id, day, topic, indexed) "
        "SELECT paper_id, min(day), '', false FROM sighting GROUP BY paper_id"
    )
    op.add_column(
        "edition_paper", sa.Column("topic", sa.Text, nullable=False, server_default="", comment="a topic's slug")
    )
    op.create_index("ix_edition_paper_paper_id", "edition_paper", ["paper_id"])
    _note_topics()


def _note_topics() -> None:
    bind = op.get_bind()
    editions = bind.execute(sa.text("SELECT id FROM edition WHERE state = 'frozen' ORDER BY day, id")).scalars().all()
    for identity in editions:
        document = bind.execute(sa.text("SELECT document FROM edition WHERE id = :id"), {"id": identity}).scalar_one()
        rows = [
            {"edition": identity, "paper": entry["paper"]["id"], "topic": entry["topic"]}
            for section in json.loads(document)["sections"]
            for entry in section["entries"]
        ]
        if rows:
            bind.execute(
                sa.text("UPDATE edition_paper SET topic = :topic WHERE edition_id = :edition AND paper_id = :paper"),
                rows,
            )
            bind.execute(sa.text("UPDATE paper SET topic = :topic WHERE paper_id = :paper"), rows)
