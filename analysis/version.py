"""Which version of labelmix wrote a result."""

from importlib.metadata import PackageNotFoundError, version


def labelmix_version() -> str:
    """The installed version."""
    try:
        return version("labelmix")
    except PackageNotFoundError:
        return "0+unknown"
