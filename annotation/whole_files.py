"""Write files whole or not at all, and never onto an input."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from annotation.errors import InputError
from annotation.faults import os_failure
from annotation.leftovers import remove_leftovers, unfinished_ending
from annotation.written_together import waits_for_others

_OWNER_ALONE = 0o600  # reads and writes; nobody else does


def check_folder(path: Path) -> None:
    """Before long work whose results go to a folder, which need not be there yet.

    Raises InputError if it cannot be made, because a file stands there.
    """
    in_the_way = next((own for own in (path, *path.parents) if own.exists()), None)
    if in_the_way is not None and not in_the_way.is_dir():
        raise InputError(
            f"{path}: cannot be made a folder: {in_the_way} is a file; give another --out."
        )


@contextmanager
def whole_file(path: Path, private: bool = False) -> Iterator[Path]:
    """Give a path to write to, and put what was written at `path` once it is all there.

    Its folder is made where needed. An interruption or an error leaves whatever stood at `path`
    before; what a process that was killed left beside it goes with the next write. A device or a
    pipe, such as /dev/stdout, is written to and stays what it is. Of several files, all or none:
    see `annotation.written_together`.

    A `private` file, of people's names, answers or pay, is readable by its owner alone, from its
    first byte on; so it is even where it replaces one that others could read.

    Raises InputError if the file cannot be written: MachineError if the disk is full or fails.
    """
    with writing(path):
        if path.exists() and not path.is_file() and not path.is_dir():
            with tempfile.TemporaryDirectory() as folder:
                unfinished = Path(folder) / path.name
                yield unfinished
                with unfinished.open("rb") as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target)
            return
        unfinished = path.with_name(f".{path.name}{unfinished_ending()}")
        waits = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(path)
            if private:
                unfinished.unlink(missing_ok=True)
                os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ALONE))
            yield unfinished
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())  # some disks tell only now that they are full
            waits = waits_for_others(unfinished, path)
            if not waits:
                unfinished.replace(path)
        finally:
            if not waits:
                with suppress(OSError):  # there may be no such folder
                    unfinished.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the failures of writing `path` into one line that names it.

    Raises InputError if the path is wrong, MachineError if the disk is full or fails.
    """
    try:
        yield
    except OSError as error:
        raise os_failure(path, "written", error) from None


def append_line(path: Path, line: str) -> None:
    """Add a line to a file of lines, which is made where needed: all of the line, or nothing.

    Raises InputError if it cannot be written: MachineError if the disk is full or fails.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            add_whole(file, line.encode() + b"\n")


def add_whole(file: io.FileIO, content: bytes) -> None:
    """Write at the end of an unbuffered file and wait for the disk; a failure leaves no part.

    Raises OSError.
    """
    end = file.seek(0, os.SEEK_END)
    try:
        written = 0
        while written < len(content):
            written += file.write(content[written:])
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            file.truncate(end)
        raise


def not_an_input(out: Path | None, inputs: Iterable[Path | None]) -> None:
    """Check, before anything is read, that writing `out` overwrites none of the inputs.

    Two names of one file (a link, another spelling of its path) are that one file. None stands for
    an option that was not given.

    Raises InputError if `out` is one of the inputs.
    """
    if out is None:
        return
    for path in inputs:
        if path is not None and is_same_file(out, path):
            raise InputError(f"{out}: is an input and would be overwritten; name another file.")


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None] = ()) -> list[Path]:
    """The files that a command will write, checked before anything is done.

    None stands for an option that was not given.

    Raises InputError if one is an input, a folder, or in a folder that cannot be there, or if two
    are the same file.
    """
    written = [path for path in outputs if path is not None]
    read = list(inputs)
    for number, path in enumerate(written):
        not_an_input(path, read)
        if path.is_dir():
            raise InputError(f"{path}: is a folder; name a file.")
        if any(is_same_file(path, other) for other in written[:number]):
            raise InputError(f"{path}: is written twice; name another file.")
        in_the_way = next((own for own in path.parents if own.exists()), None)
        if in_the_way is not None and not in_the_way.is_dir():
            raise InputError(
                f"{path}: cannot be written: {in_the_way} is a file; name another file."
            )
    return written


def is_same_file(one: Path, other: Path) -> bool:
    """Whether two paths name one file, there or yet to be written."""
    with suppress(OSError):
        return one.samefile(other)
    return os.path.abspath(one) == os.path.abspath(other)  # noqa: PTH100 - resolve() may fail
