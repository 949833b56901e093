"""The `labelmix` command as its users start it, and what its runs leave behind."""

import html
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
LONGEST = 1500  # seconds of one command, on a machine that others use too

Rows = dict[str, tuple[Any, ...]]


@pytest.fixture(scope="session")
def command() -> list[str]:
    """The words that start labelmix: the installed script, or the same without an installation."""
    script = Path(sys.executable).with_name("labelmix")
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-c", "from budget.commands.app import main; main()"]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """One thread a process, and the processor, whose results are the same on every machine."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture(scope="session")
def labelmix(command: list[str], environment: dict[str, str]) -> Callable[..., str]:
    """`labelmix(*arguments)` is what the command prints; it has to succeed."""

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [*command, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment,
            timeout=LONGEST,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return run


@pytest.fixture(scope="session")
def stored_rows() -> Callable[[Path], Rows]:
    """`stored_rows(run)` is the whole row of every finished trial by its key.

    A row number, a time and seconds to 16 digits stand in it: a trial that was run again shows.
    """

    def read(run: Path) -> Rows:
        path = run / "trials.sqlite"
        if not path.exists():
            return {}
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as store:
            if not store.execute("SELECT 1 FROM sqlite_master WHERE name = 'trials'").fetchone():
                return {}
            rows = store.execute("SELECT key, rowid, * FROM trials").fetchall()
        return {row[0]: row[1:] for row in rows}

    return read


@pytest.fixture(scope="session")
def report_text() -> Callable[[Path], str]:
    """`report_text(run)` is what stands on the page of a run, without its figures."""

    def read(run: Path) -> str:
        page = (run / "report.html").read_text(encoding="utf-8")
        page = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
        words = html.unescape(re.sub(r"<[^>]+>", " ", page)).split()  # at no-break spaces too
        return " ".join(words)

    return read
