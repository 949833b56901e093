"""Who is told how far long work is, and what they are told."""

import time
from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[int, int], None]
"""Told how many steps are done, and of how many."""

TokenProgress = Callable[[int, int, int], None]
"""Told how many steps are done, of how many, and the tokens that they all took so far."""

ReadProgress = Callable[[int, int], None]
"""Told of every batch that was read: its items and their tokens."""

_SECONDS_BETWEEN = 0.5  # of what one pass tells; a person reads no faster


@dataclass(frozen=True)
class Passed:
    """How far one long pass of a trial is.

    Attributes
    ----------
    what : the pass, such as "training"
    unit : what it counts, such as "updates"
    done, total : of that unit
    tokens : that were computed so far
    seconds : since the pass began
    before, share : shares of the trial's work, of what came before the pass and of the pass
    """

    what: str
    unit: str
    done: int
    total: int
    tokens: int
    seconds: float
    before: float = 0.0
    share: float = 1.0

    @property
    def of_trial(self) -> float:
        """The share of the whole trial that is done, about."""
        return self.before + self.share * self.done / max(1, self.total)

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float:
        """Of this pass, at its rate so far."""
        return self.seconds * (self.total - self.done) / max(1, self.done)


Tell = Callable[[Passed], None]


def nobody(_passed: Passed) -> None:
    """Is told, and says nothing."""


def no_token_progress(_done: int, _total: int, _tokens: int) -> None:
    """Is told, and says nothing."""


def telling(
    tell: Tell,
    what: str,
    unit: str,
    before: float = 0.0,
    share: float = 1.0,
    clock: Callable[[], float] = time.monotonic,
) -> TokenProgress:
    """A pass that begins now and tells how far it is, now and then and at its end.

    Parameters as in `Passed`.
    """
    began = clock()
    told = began

    def progress(done: int, total: int, tokens: int) -> None:
        nonlocal told
        now = clock()
        if now - told >= _SECONDS_BETWEEN or done >= total:
            told = now
            tell(Passed(what, unit, done, total, tokens, now - began, before, share))

    return progress
