"""The columns of a judgment table."""

from collections.abc import Sequence

from annotation.errors import InputError

REQUIRED = ("item_id", "annotator", "label")


TEXT_COLUMNS = ("item_id", "annotator", "label", "source_id", "stratum", "role", "gold")


COLUMNS = (
    "item_id",
    "annotator",
    "label",
    "seconds",
    "created_at",
    "source_id",
    "updated_at",
    "cancelled",
    "stratum",
    "role",
    "gold",
)


SUFFIXES = (".csv", ".parquet")


def check_columns(names: Sequence[object], where: str) -> None:
    """Raise InputError if a required column is missing, or one of the table's occurs twice."""
    there = ", ".join(str(name) for name in names) or "none"
    for name in COLUMNS:
        if list(names).count(name) > 1:
            raise InputError(f"{where}: column '{name}' occurs twice; keep one.")
    for name in REQUIRED:
        if name not in names:
            raise InputError(f"{where}: column '{name}' is missing; the columns are: {there}.")
