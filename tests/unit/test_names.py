"""Two things never share a name: every public type of the four packages is called by its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("annotation", "training", "analysis", "budget")


def public_types(source: str) -> Iterator[str]:
    """Classes and names of types (`Array = NDArray[...]`) that a file defines at its top.

    Type variables are no types of their own, nor is what an option or a field of a configuration
    is annotated with.
    """
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name) if not name.startswith("_"):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if not _is_local(value):
                if name[0].isupper() and not name.isupper():  # else a value, or a constant
                    yield name


def _is_local(value: ast.expr) -> bool:
    match value:
        case ast.Call(func=ast.Name(id="TypeVar")) | ast.Subscript(value=ast.Name(id="Annotated")):
            return True
    return False


def test_types_that_count() -> None:
    source = (
        "class SGR: ...\nclass _Own: ...\nCounts = NDArray[np.int64]\nSome = TypeVar('Some')\n"
        "MOST = 1\nmore = 2\nSeed = Annotated[int, Field(ge=0)]\ndef f():\n    class Inner: ...\n"
    )
    assert list(public_types(source)) == ["SGR", "Counts"]


def test_no_two_types_share_a_name() -> None:
    where: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for name in public_types(path.read_text(encoding="utf-8")):
                where.setdefault(name, []).append(str(path.relative_to(ROOT)))
    twice = [f"{name}: {', '.join(paths)}" for name, paths in where.items() if len(paths) > 1]
    assert not twice, "\n".join(twice)
