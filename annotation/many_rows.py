"""Work on many rows at once, without Python's search for objects that hold each other."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_search_for_circles() -> Iterator[None]:
    """No row holds another, so nothing is found; also a decorator.

    The search is done again and again while rows become more, and halts all threads each time. It
    took a third of the time to book 100,000 judgments.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
