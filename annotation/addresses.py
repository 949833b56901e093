"""Addresses of servers, checked before anything is sent there."""

from urllib.parse import urlsplit

from annotation.errors import InputError


def server_address(url: str, server: str, usual: str, where: str, secret: str) -> str:
    """The address without a slash at its end.

    Parameters
    ----------
    url : as the user gave it
    server : whose address it is, for messages
    usual : an address as it should look
    where : what the user mends
    secret : what to do where a user name or password stands in it

    Raises InputError, which shows nothing of the address, if it is no http(s) address, or holds a
    user name, a password or a query.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = parts = None
    if parts is None or not host or parts.scheme not in ("http", "https"):
        raise InputError(f"the address of {server} should look like {usual}; mend {where}.")
    if parts.username or parts.password:
        raise InputError(f"the address of {server} holds a user name or password; {secret}.")
    if parts.query or parts.fragment:
        raise InputError(f"the address of {server} should end before '?' or '#'; mend {where}.")
    return url.strip().rstrip("/")
