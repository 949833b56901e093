"""The top of the repository holds what it is meant to hold, and nothing else."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "analysis",
    "annotation",
    "benchmarks",
    "budget",
    "docs",
    "pyproject.toml",
    "tests",
    "training",
}


def test_top_level_is_exactly_as_designed(require: Callable[[bool, str], None]) -> None:
    require(shutil.which("git") is not None, "git is not installed")
    require((ROOT / ".git").exists(), "not a git checkout")
    # A checkout may belong to another user than the one who runs the tests, as in a container.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {Path(name).parts[0] for name in listed.split("\0") if name} == TOP_LEVEL


def test_every_package_is_typed() -> None:
    for package in ("annotation", "training", "analysis", "budget"):
        assert (ROOT / package / "py.typed").is_file(), package
