"""The one exception that means: the user's input is wrong, and here is how to mend it."""


class InputError(ValueError):
    """Input that labelmix cannot use.

    The message is one line for a person: what is wrong, where (file, row, column, the bad
    value) and what to do. The command line prints it and exits with code 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
