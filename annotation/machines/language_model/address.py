"""The address of an endpoint: checked before anything is sent there."""

from urllib.parse import urlsplit

from annotation.errors import InputError


def checked_address(url: str) -> str:
    """The address without a slash at its end.

    Raises InputError if it is no http(s) address, or holds what should not be shown.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = parts = None
    if parts is None or not host or parts.scheme not in ("http", "https"):
        raise InputError(
            "the address of the endpoint should look like https://api.openai.com/v1; mend --url."
        )
    if parts.username or parts.password:
        raise InputError(
            "the address of the endpoint holds a user name or password; leave them out of --url, "
            "and give the key by --key-file or the environment."
        )
    if parts.query or parts.fragment:
        raise InputError("the address of the endpoint should end before '?' or '#'; mend --url.")
    return url.strip().rstrip("/")
