"""The columns of a judgment table."""

from collections.abc import Iterable, Sequence

from annotation.errors import InputError
from annotation.judgments.look_alikes import look

REQUIRED = ("item_id", "annotator", "label")


TEXT_COLUMNS = ("item_id", "annotator", "label", "source_id", "stratum", "role", "gold")


IDENTIFIERS = ("item_id", "annotator", "source_id")


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


_LABEL_STUDIO_TABLE = {"annotation_id", "annotator", "lead_time"}  # in its CSV and JSON-MIN


def header_name(name: object) -> object:
    """The name of a column without outer blanks and what cannot be seen."""
    return look(name) if isinstance(name, str) else name


def is_label_studio_table(names: Iterable[object]) -> bool:
    """Whether these are the columns of Label Studio's export as CSV or JSON-MIN."""
    return set(names) >= _LABEL_STUDIO_TABLE


def check_columns(names: Sequence[object], where: str) -> None:
    """Raise InputError if a required column is missing, or one of the table's occurs twice."""
    there = ", ".join(str(name) for name in names) or "none"
    for name in COLUMNS:
        if list(names).count(name) > 1:
            raise InputError(f"{where}: column '{name}' occurs twice; keep one.")
    is_whole = all(name in names for name in REQUIRED)
    if not is_whole and is_label_studio_table(names):
        raise InputError(
            f"{where}: is Label Studio's export as CSV, which does not say which column is the "
            "answer; name it by --control, or export in the format JSON."
        )
    for name in REQUIRED:
        if name not in names:
            raise InputError(f"{where}: column '{name}' is missing; the columns are: {there}.")


def name_of_row(where: str, row: int) -> str:
    """The `source_id` of a row, counted from 1, of a table without such a column."""
    return f"{where}#{row}"


def row_of_file(source_id: str) -> tuple[str, int] | None:
    """The file and row, counted from 1, of a judgment that `name_of_row` named; else None."""
    file, mark, row = source_id.rpartition("#")
    if not mark or not row.isdecimal() or not file.lower().endswith(SUFFIXES):
        return None
    return file, int(row)
