"""NAME=VALUE, as options, files and axes write it."""


def name_and_value(text: str, at_first: bool = False) -> tuple[str, str] | None:
    """Split NAME=VALUE, without the spaces around both; None where there is no equals sign.

    It is split at the last equals sign, so that a name may hold some (an annotator's address);
    `at_first` at the first, where it is the value that may (a column of a user's file).
    """
    name, sign, value = text.partition("=") if at_first else text.rpartition("=")
    return (name.strip(), value.strip()) if sign else None
