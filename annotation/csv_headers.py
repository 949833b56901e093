"""The first line of a CSV file: the names of its columns, separated as they should be."""

from collections.abc import Sequence
from pathlib import Path

from annotation.errors import InputError

_UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"  # beside what Python strips as blanks


def column_name(cell: str) -> str:
    """The name that a cell of the header holds, without outer blanks and what cannot be seen."""
    while (name := cell.strip().strip(_UNSEEN)) != cell:
        cell = name
    return name


def check_separator(header: Sequence[str], path: Path) -> None:
    """Raise InputError if the header is one name that another separator divides into columns."""
    for separator, name in ((";", "';'"), ("\t", "tabs"), ("|", "'|'")):
        if len(header) == 1 and separator in header[0].strip():
            raise InputError(
                f"{path}: line 1: values are separated by {name}; save it with commas, numbers "
                "with decimal points (in a spreadsheet: 'CSV UTF-8 (comma delimited)')."
            )


def unknown_kind(path: Path, kinds: str) -> InputError:
    """What to say of a file that is none of the kinds that are read, by its name.

    A table with tabs is told how it becomes one with commas.
    """
    if path.suffix.lower() in (".tsv", ".tab"):
        return InputError(
            f"{path}: tables with tabs are not read; open it in a spreadsheet and save it as 'CSV "
            f"UTF-8 (comma delimited)', or give {kinds}."
        )
    return InputError(f"{path}: unknown kind of file '{path.suffix}'; give {kinds}.")
