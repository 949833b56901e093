"""Imports go one way, annotation <- training <- analysis <- budget; the command starts light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("annotation", "training", "analysis", "budget")  # each may import those before it
HEAVY = {
    "accelerate",
    "bitsandbytes",
    "datasets",
    "matplotlib",
    "pandas",
    "peft",
    "pyarrow",
    "scipy",
    "sklearn",
    "torch",
    "transformers",
}


def imported_modules(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Line and absolute module name of every import in `source`, wherever it stands.

    `package` is the dotted name of the package that holds the module; relative imports start
    there. Modules named by a literal in `import_module(...)` count as well.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=module, level=0):
                yield node.lineno, str(module)
            case ast.ImportFrom(module=module, level=level):
                parts = package.split(".")
                base = parts[: len(parts) - level + 1]
                yield node.lineno, ".".join([*base, module] if module else base)
            case ast.Call(
                func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield node.lineno, name


def upward_imports(source: str, package: str) -> list[tuple[int, str]]:
    """The imports in `source` of packages that stand above its own."""
    above = PACKAGES[PACKAGES.index(package.split(".")[0]) + 1 :]
    return [
        (line, module)
        for line, module in imported_modules(source, package)
        if module.split(".")[0] in above
    ]


@pytest.mark.parametrize(
    ("statement", "module"),
    [
        ("import budget", "budget"),
        ("import numpy, analysis.run.result as result", "analysis.run.result"),
        ("from analysis.run.result import Estimate", "analysis.run.result"),
        ("def fit():\n    from budget import planner", "budget"),
        ("if TYPE_CHECKING:\n    import analysis.accuracy", "analysis.accuracy"),
        ("import importlib\nimportlib.import_module('budget.commands.app')", "budget.commands.app"),
    ],
)
def test_every_kind_of_upward_import_is_seen(statement: str, module: str) -> None:
    found = upward_imports(statement, "training.pico")
    assert [name for _, name in found] == [module]


def test_imports_within_and_below_are_allowed() -> None:
    source = "import annotation.items.table\nfrom training import store\nfrom . import running_text"
    assert upward_imports(source, "training.pico") == []


def test_relative_imports_are_resolved() -> None:
    source = "from . import a\nfrom .b import c\nfrom ..store import d"
    names = [name for _, name in imported_modules(source, "training.pico")]
    assert names == ["training.pico", "training.pico.b", "training.store"]


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_imports_upward(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    found = []
    for path in files:
        relative = path.relative_to(ROOT)
        source = path.read_text(encoding="utf-8")
        for line, module in upward_imports(source, ".".join(relative.parent.parts)):
            found.append(f"{relative}:{line} imports {module}")
    assert not found, "\n".join(found)


def test_the_command_imports_nothing_heavy() -> None:
    code = f"import sys, budget.commands.app; print(*sorted({HEAVY!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []
