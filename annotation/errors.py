"""Errors that a person can mend: exceptions for them, and how values look in messages."""


class InputError(ValueError):
    """Input that labelmix cannot use.

    The message is one line for a person: what is wrong, where (file, row, column, the bad
    value) and what to do. The command line prints it and exits with `exit_code`.
    """

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class MachineError(InputError):
    """What stops labelmix is the machine, not the input: a full disk, a damaged file that it kept.

    Whoever catches InputError because the work cannot go on catches this as well.
    """

    exit_code = 3


def short(value: object, longest: int = 60) -> str:
    """A value for a message: as Python prints it, cut where it is longer than `longest`."""
    try:
        text = repr(value)
    except Exception:  # a value whose own code fails cannot be shown, and should stop nothing
        text = f"<{type(value).__name__}>"
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
