"""Where a store is: what is understood, and that no password is ever shown."""

from pathlib import Path

import pytest

from annotation.errors import InputError
from budget.collection.store.addresses import store_address

SECRET = "s3cr%40t"


@pytest.mark.parametrize(
    ("where", "path"),
    [
        (Path("a/b.sqlite"), Path("a/b.sqlite")),
        (Path("/odd/100%?#.sqlite"), Path("/odd/100%?#.sqlite")),
        ("sqlite:///a/b.sqlite", Path("a/b.sqlite")),
        ("sqlite:////a/b?c.sqlite", Path("/a/b?c.sqlite")),
    ],
)
def test_files(where: str | Path, path: Path) -> None:
    address = store_address(where)
    assert (address.path, address.shown, address.url) == (path, str(path), None)


@pytest.mark.parametrize(
    ("rest", "shown"),
    [
        (f"ann:{SECRET}@db.example:5433/labels", "labels of ann@db.example:5433"),
        (f"ann:{SECRET}@db.example/labels?sslmode=require", "labels of ann@db.example"),
        (f"/labels?host=/run/pg&password={SECRET}", "labels of this machine"),
        ("ann@[::1]/labels", "labels of ann@::1"),
    ],
)
@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_servers(scheme: str, rest: str, shown: str) -> None:
    address = store_address(f"{scheme}://{rest}")
    assert address.shown == f"PostgreSQL database {shown}"
    assert address.path is None and address.url is not None
    assert address.url.drivername == "postgresql+psycopg"
    for text in (address.shown, repr(address), str(address)):
        assert SECRET not in text and "s3cr@t" not in text


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("", "has no address that labelmix knows"),
        ("collection.sqlite", "has no address that labelmix knows"),
        ("sqlite://", "begins with 'sqlite://'"),
        ("sqlite:///", "begins with 'sqlite://'"),
        (f"mysql://ann:{SECRET}@db/labels", "begins with 'mysql://'"),
        (f"{SECRET}://db/labels", "has no address that labelmix knows"),
        (f"postgresql://ann:{SECRET}@db", "cannot be read"),
        (f"postgresql://ann:{SECRET}@db/", "cannot be read"),
        (f"postgresql://ann:{SECRET}@db:port/labels", "cannot be read"),
        (f"postgresql://ann:{SECRET}/x@db:5432:/labels:", "cannot be read"),
        (f"postgresql:ann:{SECRET}@db/labels", "has no address"),
    ],
)
def test_what_is_none_is_told_without_the_password(where: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        store_address(where)
    message = str(raised.value)
    assert says in message
    assert "postgresql://USER:PASSWORD@HOST:PORT/DATABASE" in message
    assert SECRET not in message
