"""Imports go one way: between packages, between the rooms of a package, and between files.

annotation <- training <- analysis <- budget. The rooms of a package are its folders, and the files
that stand in it themselves. The command starts light.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("annotation", "training", "analysis", "budget")  # each may import those before it
# The rooms of every package in order: each may import those before it.
ROOMS = {
    "annotation": (
        *("errors", "faults", "name_value", "arrays", "many_rows", "ties", "groups"),  # the ground
        *("addresses", "file_limits", "spreadsheet_cells", "csv_headers", "packed_files"),
        *(
            "leftovers",
            "written_together",
            "files",
            "whole_files",
            "locks",
            "databases",
            "intervals",
        ),
        *("terms", "items", "strata", "sources"),  # what there is to label, and at what terms
        *("judgments", "truth", "team", "machines"),  # what is said, who is right, who says it
        "monitoring",  # how their work goes on
        *("hardness", "label_studio", "labelling"),
    ),
    "training": (
        *("progress", "models", "prompts", "scoring", "generation", "pico"),  # models that answer
        *("targets", "probes", "tuning"),  # models that learn
        *("split", "task", "commonest", "trial"),  # what is learnt
        *("store", "kept_rows", "item_states", "reading_cost", "features"),  # what is known of it
        *("unlabelled", "running", "engines", "lab", "hardness"),
    ),
    "analysis": (
        *("version", "estimates", "two_way", "accuracy", "over_untrained", "sgr", "efficiency"),
        *("label_words", "numbers", "crossover", "item_groups", "failed_trainings"),
        *("figure_style", "html_page"),
        *("prompts_compared", "run", "curves", "hardness", "single_trial", "reproduce"),
    ),
    "budget": (
        "config",  # what is told
        *("surface", "worlds", "market", "search", "decision", "selection"),  # what to buy
        *("campaign", "collection", "replay", "backtest", "simulate", "reproduction"),
        *("web", "commands"),
    ),
}
HEAVY = {
    "accelerate",
    "alembic",
    "bitsandbytes",
    "datasets",
    "matplotlib",
    "openai",
    "pandas",
    "peft",
    "pyarrow",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "starlette",
    "torch",
    "transformers",
    "uvicorn",
}


def imported_modules(source: str, package: str, whole: bool = False) -> Iterator[tuple[int, str]]:
    """Line and absolute module name of every import in `source`, wherever it stands.

    `package` is the dotted name of the package that holds the module; relative imports start
    there. Modules named by a literal in `import_module(...)` count as well. `whole`: the names
    that are imported from a module go with it, as they may be modules themselves.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=module, level=level, names=names):
                parts = package.split(".") if level else []
                base = ".".join(parts[: len(parts) - level + 1] + ([module] if module else []))
                ends = [f".{alias.name}" for alias in names] if whole else [""]
                yield from ((node.lineno, base + end) for end in ends)
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


def imported_files(root: Path, packages: tuple[str, ...]) -> dict[str, set[str]]:
    """Every Python file of these packages, and those of them that it imports, from `root`."""
    paths = [path for package in packages for path in sorted((root / package).rglob("*.py"))]
    file_of = {module_of(path.relative_to(root)): path.relative_to(root) for path in paths}
    found: dict[str, set[str]] = {}
    for path in file_of.values():
        source = (root / path).read_text(encoding="utf-8")
        package = ".".join(path.parent.parts)
        named = {
            str(file_of[module])
            for _, each in imported_modules(source, package, whole=True)
            if (module := nearest(each, file_of)) is not None
        }
        found[str(path)] = named - {str(path)}
    return found


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def nearest(name: str, modules: Mapping[str, object]) -> str | None:
    """The module that a dotted name is, or is in; None if it is none of them."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def circles(imports: Mapping[str, set[str]]) -> list[str]:
    """Circles of files, each with all its files; one less for every import that is cut."""
    left = {path: set(others) for path, others in imports.items()}
    found: list[str] = []
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle = [str(path) for path in reversed(error.args[1])]  # each imports the next
            found.append(" -> ".join(circle))
            left[circle[0]].discard(circle[1])
        else:
            return found


def room_of(path: str) -> tuple[str, str]:
    """Package and room of a file; a file that stands in the package itself is a room."""
    package, room, *_ = Path(path).with_suffix("").parts
    return package, room


def upward_between_rooms(
    imports: Mapping[str, set[str]], rooms: Mapping[str, tuple[str, ...]]
) -> list[tuple[str, str]]:
    """Imports of files in a later room of the same package: (file, what it imports)."""
    found = []
    for path, others in imports.items():
        package, room = room_of(path)
        for other in sorted(others):
            its_package, its_room = room_of(other)
            if "__init__" in (room, its_room) or its_package != package:
                continue
            if rooms[package].index(its_room) > rooms[package].index(room):
                found.append((path, other))
    return found


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


def test_a_circle_names_its_files(tmp_path: Path) -> None:
    sources = {
        "a": "from room.b import thing",
        "b": "def late():\n    from room import c",
        "c": "if TYPE_CHECKING:\n    import room.a",
        "d": "from room.a import thing",
    }
    (tmp_path / "room").mkdir()
    for name, source in sources.items():
        (tmp_path / "room" / f"{name}.py").write_text(source)
    (found,) = circles(imported_files(tmp_path, ("room",)))
    assert set(found.split(" -> ")) == {"room/a.py", "room/b.py", "room/c.py"}
    assert "room/a.py -> room/b.py" in f"{found} -> {found}"


def test_upward_imports_between_rooms_are_seen() -> None:
    imports = {
        "p/low/a.py": {"p/high/b.py", "q/high.py", "p/low/c.py"},
        "p/high/b.py": {"p/low/c.py", "p/ground.py"},
        "p/ground.py": {"p/low/a.py"},
    }
    found = upward_between_rooms(imports, {"p": ("ground", "low", "high"), "q": ("high",)})
    assert found == [("p/low/a.py", "p/high/b.py"), ("p/ground.py", "p/low/a.py")]


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    return imported_files(ROOT, PACKAGES)


def test_no_files_import_each_other(imports: dict[str, set[str]]) -> None:
    found = circles(imports)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_has_its_place(package: str) -> None:
    there = {
        path.stem
        for path in (ROOT / package).iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.rglob("*.py")))
    }
    listed = set(ROOMS[package])
    new, gone = sorted(there - listed - {"__init__"}), sorted(listed - there)
    assert not new, f"say in ROOMS['{package}'] where these stand: {', '.join(new)}"
    assert not gone, f"take these out of ROOMS['{package}']: {', '.join(gone)}"


def test_nothing_imports_upward_between_rooms(imports: dict[str, set[str]]) -> None:
    upward = upward_between_rooms(imports, ROOMS)
    assert not upward, "\n".join(
        f"{path} imports {other}, of a later room" for path, other in upward
    )


def test_the_command_imports_nothing_heavy() -> None:
    code = f"import sys, budget.commands.app; print(*sorted({HEAVY!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []
