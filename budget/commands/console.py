"""What the command line shows a person: progress, results, the one-line error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

import typer

from annotation.errors import InputError
from budget.commands.printing import say

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.progress import Progress, TaskID

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")
Result = TypeVar("Result", bound="BaseModel")


def fail(message: str) -> NoReturn:
    """Print one line and leave with exit code 2."""
    say(f"labelmix: {message}", err=True)
    raise typer.Exit(2)


def guarded(command: Callable[Arguments, Returned]) -> Callable[Arguments, Returned]:
    """Make wrong input one line and exit code 2, and Ctrl-C one line and exit code 130."""

    @wraps(command)
    def inner(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Returned:
        try:
            return command(*args, **kwargs)
        except InputError as error:
            fail(str(error))
        except KeyboardInterrupt:
            say(
                "labelmix: interrupted; what is done is kept, the same command goes on from there.",
                err=True,
            )
            raise typer.Exit(130) from None

    return inner


def tell(result: Result, as_json: bool, show: Callable[[Result], None]) -> None:
    """Print a result: as JSON for machines, or by `show` for a person."""
    if as_json:
        say(result.model_dump_json(indent=2))
    else:
        show(result)


class ProgressWatcher:
    """Shows one bar per stage of the work, on standard error."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._current: TaskID | None = None

    def stage(self, description: str, total: int) -> None:
        self._progress.start()  # does nothing when it runs already
        if self._current is not None:
            done = self._progress.tasks[self._current].total
            self._progress.update(self._current, completed=done)
        self._current = self._progress.add_task(description, total=total)

    def advance(self, steps: int = 1) -> None:
        if self._current is not None:
            self._progress.advance(self._current, steps)


class LineWatcher:
    """Prints a line at the start of every stage and at every quarter of it, for logs."""

    def __init__(self) -> None:
        self._description, self._total, self._done = "", 0, 0

    def stage(self, description: str, total: int) -> None:
        self._description, self._total, self._done = description, total, 0
        self._print()

    def advance(self, steps: int = 1) -> None:
        quarter = 4 * self._done // max(1, self._total)
        self._done += steps
        if 4 * self._done // max(1, self._total) > quarter:
            self._print()

    def _print(self) -> None:
        say(f"{self._description}: {self._done}/{self._total}", err=True)


@contextmanager
def progress_watcher() -> Iterator[ProgressWatcher | LineWatcher]:
    """Bars on a terminal, lines elsewhere; bars stand still when the block ends."""
    from rich.progress import (  # after the help, which shows none of it
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from budget.commands.screen import Screen

    console = Screen(stderr=True)
    if not console.is_terminal:
        yield LineWatcher()
        return
    columns = (
        TextColumn("{task.description:<32}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console)
    try:
        yield ProgressWatcher(progress)
    finally:
        # A display that was never started would print an empty line when it stops.
        if progress.live.is_started:
            progress.stop()
