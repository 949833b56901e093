"""How far long work is, for a person: bars on a terminal, lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from budget.commands.printing import say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from training.progress import Passed

_SECONDS_OF_SILENCE = 60.0  # at most, between two lines of progress
_SECONDS_TO_TELL = 5.0  # of work, before its rate says how long the rest takes
_SECONDS_TO_WAIT = 60.0  # left, for which an estimate is worth a line of its own


class ProgressWatcher:
    """Shows one bar per stage of the work, on standard error, and one per long step of it."""

    def __init__(self, progress: "Progress", clock: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._clock = clock
        self._current: TaskID | None = None
        self._work = _Work(0, clock())
        self._steps: dict[str, TaskID] = {}

    def stage(self, description: str, total: int) -> None:
        self._progress.start()  # does nothing when it runs already
        for step in list(self._steps):
            self.ended(step)
        if self._current is not None:
            done = self._progress.tasks[self._current].total
            self._progress.update(self._current, completed=done)
        self._work = _Work(total, self._clock())
        self._current = self._progress.add_task(description, total=total, speed="")

    def advance(self, steps: int = 1, tokens: int = 0) -> None:
        self._work.advance(steps, tokens)
        self._show()

    def within(self, step: str, passed: "Passed") -> None:
        if step not in self._steps:
            self._steps[step] = self._progress.add_task("", total=passed.total, speed="")
        self._progress.update(
            self._steps[step],
            description=f"  {step}: {passed.what}",
            total=passed.total,
            completed=passed.done,
            speed=f"{passed.unit}{_speed(passed.tokens, passed.seconds)}",
        )
        self._work.steps[step] = passed
        self._show()

    def ended(self, step: str) -> None:
        self._work.steps.pop(step, None)
        if step in self._steps:
            self._progress.remove_task(self._steps.pop(step))

    def _show(self) -> None:
        if self._current is None:
            return
        speed = _speed(self._work.tokens, self._clock() - self._work.began).removeprefix(", ")
        self._progress.update(self._current, completed=self._work.worth, speed=speed)


class LineWatcher:
    """Prints a line at the start of every stage, at every quarter of it and every minute, for logs.

    Once a stage has taken a while, with its rate and the time that is left at that rate; where
    that is long, as soon as it is known. Long steps that are under way are told in the same line.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._description = ""
        self._clock = clock
        self._told = clock()
        self._work = _Work(0, self._told)
        self._estimated = False

    def stage(self, description: str, total: int) -> None:
        self._description, self._estimated = description, False
        self._work = _Work(total, self._clock())
        self._print()

    def advance(self, steps: int = 1, tokens: int = 0) -> None:
        work = self._work
        quarter = 4 * work.done // max(1, work.total)
        work.advance(steps, tokens)
        self._print_if_due(4 * work.done // max(1, work.total) > quarter)

    def within(self, step: str, passed: "Passed") -> None:
        self._work.steps[step] = passed
        self._print_if_due(False)

    def ended(self, step: str) -> None:
        self._work.steps.pop(step, None)

    def _print_if_due(self, at_a_quarter: bool) -> None:
        now = self._clock()
        passed = now - self._work.began
        long = not self._estimated and passed >= _SECONDS_TO_TELL
        first_estimate = long and self._work.seconds_left(now) >= _SECONDS_TO_WAIT
        if at_a_quarter or first_estimate or now - self._told >= _SECONDS_OF_SILENCE:
            self._print()

    def _print(self) -> None:
        self._told = self._clock()
        work = self._work
        line = f"{self._description}: {work.done}/{work.total}{self._left()}"
        for step, passed in work.steps.items():
            line += f"; {step}: {passed.what} {passed.done}/{passed.total} {passed.unit}"
            line += _speed(passed.tokens, passed.seconds)
            if 0 < passed.done < passed.total:
                line += f", about {_duration(passed.seconds_left)} left"
        with suppress(OSError):  # work that goes on is worth more than a line of progress
            say(line, err=True)

    def _left(self) -> str:
        """The rate so far and the time left, where they are worth a word."""
        work, passed = self._work, self._told - self._work.began
        if not work.worth or work.worth >= work.total or passed < _SECONDS_TO_TELL:
            return ""
        self._estimated = True
        rate = work.worth / passed
        speed = f"{rate:,.1f} a second" if rate >= 1 else f"{60 * rate:.1f} a minute"
        left = _duration(work.seconds_left(self._told))
        return f", {speed}{_speed(work.tokens, passed)}, about {left} left"


class _Work:
    """What of a stage is done: whole steps, and how far others are."""

    def __init__(self, total: int, began: float) -> None:
        self.total, self.began = total, began
        self.done = self.tokens = 0
        self.steps: dict[str, Passed] = {}

    def advance(self, steps: int, tokens: int) -> None:
        self.done, self.tokens = self.done + steps, self.tokens + tokens

    @property
    def worth(self) -> float:
        """Steps that are done, with the shares of those that are under way."""
        return self.done + sum(passed.of_trial for passed in self.steps.values())

    def seconds_left(self, now: float) -> float:
        """At the rate so far."""
        return (self.total - self.worth) * (now - self.began) / self.worth if self.worth else 0.0


def _speed(tokens: int, seconds: float) -> str:
    """Tokens a second, where there are any to speak of."""
    return f", {tokens / seconds:,.0f} tokens a second" if tokens > seconds > 0 else ""


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
        TextColumn("{task.fields[speed]}", markup=False),
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
