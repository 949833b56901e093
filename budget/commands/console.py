"""What the command line shows a person: results, the one-line error."""

import os
import sqlite3
import sys
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

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")
Result = TypeVar("Result", bound="BaseModel")


INTERRUPTED = 130  # as a shell has it for Ctrl-C
UNREAD = 141  # as a shell has it for a program whose output nobody reads any more
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
