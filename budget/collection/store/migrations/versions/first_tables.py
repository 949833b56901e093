"""The tables of the first version. Never change this file: add one beside it."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = ("ledger", "events")


def upgrade() -> None:
    """Make all tables, and refuse every change of what the ledger and the events hold."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "about",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("number", number, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("batch", number),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_table(
        "batches",
        sa.Column("number", number, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.Column("approved_at", sa.Text),
        sa.Column("approved_by", sa.Text),
        sa.Column("ordered_at", sa.Text),
        sa.Column("why", sa.Text),
        sa.Column("extra_judgments", sa.Text, nullable=False),
        sa.Column("most", sa.BigInteger, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
    )
    op.create_table(
        "order_lines",
        sa.Column("line", number, primary_key=True, autoincrement=False),
        sa.Column("batch", number, sa.ForeignKey("batches.number"), nullable=False),
        sa.Column("supplier", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("stratum", sa.Text, nullable=False),
        sa.Column("judgments", sa.Integer, nullable=False),
        sa.Column("gold", sa.Text),
        sa.Column("per_judgment", sa.Text, nullable=False),
        sa.Column("per_hour", sa.Text, nullable=False),
        sa.Column("most_seconds", sa.Text, nullable=False),
        sa.Column("pay_skipped", sa.Boolean, nullable=False),
        sa.UniqueConstraint("batch", "supplier", "item_id", name="one_line_per_item"),
    )
    op.create_index("order_lines_of_item", "order_lines", ["supplier", "item_id"])
    op.create_table(
        "judgments",
        sa.Column("judgment", number, primary_key=True, autoincrement=False),
        sa.Column("supplier", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("seconds", sa.Double),
        sa.Column("created_at", sa.Text),
        sa.Column("updated_at", sa.Text),
        sa.Column("cancelled", sa.Boolean, nullable=False),
        sa.Column("stratum", sa.Text),
        sa.Column("role", sa.Text),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("line", number, sa.ForeignKey("order_lines.line")),
        sa.Column("arrived", number, nullable=False),
        sa.UniqueConstraint("supplier", "source_id", name="one_row_per_source_id"),
    )
    op.create_index("judgments_of_line", "judgments", ["line"])
    op.create_table(
        "ledger",
        sa.Column("entry", number, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("batch", number, sa.ForeignKey("batches.number"), nullable=False),
        sa.Column("supplier", sa.Text, nullable=False),
        sa.Column("stratum", sa.Text),
        sa.Column("annotator", sa.Text),
        sa.Column("judgment", number, sa.ForeignKey("judgments.judgment")),
        sa.Column("line", number, sa.ForeignKey("order_lines.line")),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.CheckConstraint("amount > 0", name="amount_above_0"),
        sa.CheckConstraint(
            "kind IN ('planned', 'committed', 'released', 'spent', 'refunded')", name="known_kind"
        ),
    )
    op.create_index("ledger_of_batch", "ledger", ["batch"])
    refuse = {"sqlite": _refuse_in_sqlite, "postgresql": _refuse_in_postgresql}
    for table in _APPEND_ONLY:
        refuse[op.get_bind().dialect.name](table)


def _refuse_in_sqlite(table: str) -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"
        )


def _refuse_in_postgresql(table: str) -> None:
    op.execute(
        f"CREATE FUNCTION {table}_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'rows of {table} are only ever added'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuses_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuses()"
    )
