"""What the command line shows a person: progress, results, the one-line error."""

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

import typer

from annotation.errors import InputError, MachineError
from annotation.faults import database_failure, os_failure
from budget.commands.printing import say

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.progress import Progress, TaskID

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")
Result = TypeVar("Result", bound="BaseModel")


INTERRUPTED = 130  # as a shell has it for Ctrl-C
UNREAD = 141  # as a shell has it for a program whose output nobody reads any more
_SECONDS_OF_SILENCE = 60.0  # at most, between two lines of progress
_SECONDS_TO_TELL = 5.0  # of work, before its rate says how long the rest takes
_OUTPUT = "the output"  # what is written to where a failure names no file


def fail(message: str, exit_code: int = InputError.exit_code) -> NoReturn:
    """Print one line and leave."""
    with suppress(OSError):  # standard error may be full as well
        say(f"labelmix: {message}", err=True)
    raise typer.Exit(exit_code)


def guarded(command: Callable[Arguments, Returned]) -> Callable[Arguments, Returned]:
    """Make every failure that is foreseen one line, with its exit code.

    Wrong input 2, a fault of the machine 3, Ctrl-C 130. Output that nobody reads any more
    (`labelmix ... | head`) ends the command without a line, with 141.
    """

    @wraps(command)
    def inner(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Returned:
        try:
            return command(*args, **kwargs)
        except InputError as error:
            fail(str(error), error.exit_code)
        except BrokenPipeError:
            raise typer.Exit(UNREAD) from None
        except (OSError, sqlite3.Error, MemoryError) as error:
            failure = _failure(error)
            fail(str(failure), failure.exit_code)
        except KeyboardInterrupt:
            fail(
                "interrupted; what is done is kept, the same command goes on from there.",
                INTERRUPTED,
            )

    return inner


def _failure(error: OSError | sqlite3.Error | MemoryError) -> InputError:
    """What reached the command although nobody on its way knew the file."""
    if isinstance(error, sqlite3.Error):
        return database_failure("a file of results", error, "name another folder with --out")
    if isinstance(error, MemoryError):
        return MachineError("not enough memory; take fewer items or workers, or a smaller model.")
    return os_failure(error.filename or _OUTPUT, "used" if error.filename else "written", error)


@contextmanager
def written_output() -> Iterator[None]:
    """See to it that what was printed arrives: else one line and exit code 3.

    Raises SystemExit if it does not.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        raise SystemExit(UNREAD) from None
    except OSError as error:
        _discard_output()
        failure = _failure(error)
        with suppress(OSError):
            say(f"labelmix: {failure}", err=True)
        raise SystemExit(failure.exit_code) from None


def _discard_output() -> None:
    """What is still in the buffer would fail once more when the process ends."""
    with suppress(OSError, ValueError):  # a standard output without a number is none of ours
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


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
    """Prints a line at the start of every stage, at every quarter of it and every minute, for logs.

    Once a stage has taken a while, with its rate and the time that is left at that rate.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._description, self._total, self._done = "", 0, 0
        self._clock = clock
        self._began = self._told = clock()

    def stage(self, description: str, total: int) -> None:
        self._description, self._total, self._done = description, total, 0
        self._began = self._clock()
        self._print()

    def advance(self, steps: int = 1) -> None:
        quarter = 4 * self._done // max(1, self._total)
        self._done += steps
        at_a_quarter = 4 * self._done // max(1, self._total) > quarter
        if at_a_quarter or self._clock() - self._told >= _SECONDS_OF_SILENCE:
            self._print()

    def _print(self) -> None:
        self._told = self._clock()
        with suppress(OSError):  # work that goes on is worth more than a line of progress
            say(f"{self._description}: {self._done}/{self._total}{self._left()}", err=True)

    def _left(self) -> str:
        """The rate so far and the time left, where they are worth a word."""
        passed, left = self._told - self._began, self._total - self._done
        if not self._done or left <= 0 or passed < _SECONDS_TO_TELL:
            return ""
        rate = self._done / passed
        speed = f"{rate:,.1f} a second" if rate >= 1 else f"{60 * rate:.1f} a minute"
        return f", {speed}, about {_duration(left / rate)} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


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
