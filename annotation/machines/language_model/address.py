"""The address of an endpoint: checked before anything is sent there."""

from annotation.addresses import server_address


def checked_address(url: str) -> str:
    """The address without a slash at its end.

    Raises InputError if it is no http(s) address, or holds what should not be shown.
    """
    return server_address(
        url,
        "the endpoint",
        "https://api.openai.com/v1",
        "--url",
        "leave them out of --url, and give the key by --key-file or the environment",
    )
