"""The tables of a collection's store, as this labelmix reads and writes them.

How a database came to have them is in `migrations/`. Times are texts in UTC in one form, so that
their order is that of time; money is whole numbers of the collection's unit; numbers of rows are
given by the store, from 1 without gaps.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

VERSION = 1
VERSION_TABLE = "labelmix_version"

# SQLite gives a whole primary key to this type alone.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

about = Table(
    "about",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),  # budget, state, batch
    Column("batch", _NUMBER),
    Column("value", Text, nullable=False),  # the new budget in units, the new state
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("approved_at", Text),
    Column("approved_by", Text),
    Column("ordered_at", Text),
    Column("why", Text),  # it was cancelled
    Column("extra_judgments", Text, nullable=False),  # a share
    Column("most", BigInteger, nullable=False),  # units
    Column("decision", Text, nullable=False),  # JSON
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("line", _NUMBER, primary_key=True, autoincrement=False),
    Column("batch", _NUMBER, ForeignKey("batches.number"), nullable=False),
    Column("supplier", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("stratum", Text, nullable=False),
    Column("judgments", Integer, nullable=False),
    Column("gold", Text),
    Column("per_judgment", Text, nullable=False),
    Column("per_hour", Text, nullable=False),
    Column("most_seconds", Text, nullable=False),
    Column("pay_skipped", Boolean, nullable=False),
    UniqueConstraint("batch", "supplier", "item_id", name="one_line_per_item"),
    Index("order_lines_of_item", "supplier", "item_id"),
)

judgments = Table(
    "judgments",
    metadata,
    Column("judgment", _NUMBER, primary_key=True, autoincrement=False),
    Column("supplier", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("annotator", Text, nullable=False),
    Column("label", Text),
    Column("seconds", Double),
    Column("created_at", Text),
    Column("updated_at", Text),
    Column("cancelled", Boolean, nullable=False),  # skipped by the annotator
    Column("stratum", Text),
    Column("role", Text),
    Column("gone", Boolean, nullable=False),  # deleted where it came from
    Column("line", _NUMBER, ForeignKey("order_lines.line")),
    Column("arrived", _NUMBER, nullable=False),
    UniqueConstraint("supplier", "source_id", name="one_row_per_source_id"),
    Index("judgments_of_line", "line"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("entry", _NUMBER, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),  # units
    Column("batch", _NUMBER, ForeignKey("batches.number"), nullable=False),
    Column("supplier", Text, nullable=False),
    Column("stratum", Text),
    Column("annotator", Text),
    Column("judgment", _NUMBER, ForeignKey("judgments.judgment")),
    Column("line", _NUMBER, ForeignKey("order_lines.line")),
    Column("why", Text, nullable=False),
    Column("digest", Text, nullable=False),
    CheckConstraint("amount > 0", name="amount_above_0"),
    CheckConstraint(
        "kind IN ('planned', 'committed', 'released', 'spent', 'refunded')", name="known_kind"
    ),
    Index("ledger_of_batch", "batch"),
)
