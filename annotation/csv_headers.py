"""The first line of a CSV file: whether its values are separated as they should be."""

from collections.abc import Sequence
from pathlib import Path

from annotation.errors import InputError


def check_separator(header: Sequence[str], path: Path) -> None:
    """Raise InputError if the header is one name that another separator divides into columns."""
    for separator, name in ((";", "';'"), ("\t", "tabs"), ("|", "'|'")):
        if len(header) == 1 and separator in header[0].strip():
            raise InputError(
                f"{path}: line 1: values are separated by {name}; save it with commas, numbers "
                "with decimal points (in a spreadsheet: 'CSV UTF-8 (comma delimited)')."
            )
