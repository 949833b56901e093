"""Hand trials to workers, one at a time each; the trial of a lost worker goes to another."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, Protocol

from annotation.errors import InputError
from training.progress import Passed, Tell, nobody
from training.trial import Trial, TrialResult

Outcome = TrialResult | BaseException

_SECONDS_BETWEEN_LOOKS = 0.5  # at how far the workers are


class WorkerLostError(Exception):
    """A worker ended without an answer: killed, crashed, or its machine is gone."""


class Worker(Protocol):
    """Runs one trial at a time, somewhere else. Bad input comes back as a value, not raised."""

    def ready(self) -> Future[InputError | None]:
        """Done when the worker can take trials, or with the reason why it never will."""

    def run(self, trial: Trial) -> Future[TrialResult | InputError]:
        """Start a trial."""

    def told(self) -> Passed | None:
        """The last that it told of how far its trial is, if it told anything since it was asked."""

    def own_error(self, error: BaseException) -> BaseException:
        """The error as it was raised there; WorkerLostError if the worker is gone."""

    def end(self, at_once: bool) -> None:
        """Give the worker up, after what it does now or in the middle of it."""


class TrialRuns(Protocol):
    """What runs a trial here, such as a TrialRunner."""

    def run(self, trial: Trial, tell: Tell) -> TrialResult: ...


def attempt(runner: TrialRuns, trial: Trial, tell: Tell = nobody) -> TrialResult | InputError:
    """Run a trial; bad input is returned, so that it crosses processes as it is."""
    try:
        return runner.run(trial, tell)
    except InputError as error:
        return error


class Dispatcher:
    """Keeps up to `size` workers busy; `hire(slot)` starts one, with `slot` in range(size).

    Workers are hired when trials wait for them, and kept for later trials. A trial whose worker
    is lost is run again, at most `retries` times, by whichever worker is free first: one that
    cannot be replaced holds nothing up.
    """

    def __init__(self, hire: Callable[[int], Worker], size: int, retries: int) -> None:
        self._hire = hire
        self._retries = retries
        self._free_slots = deque(range(size))
        self._workers: dict[int, Worker] = {}
        self._starting: dict[Future[InputError | None], int] = {}
        self._idle: deque[int] = deque()
        self._running: dict[Future[TrialResult | InputError], tuple[int, Trial]] = {}
        self._waiting: deque[Trial] = deque()
        self._losses: Counter[str] = Counter()  # by key of the trial
        self._lost_starts = 0  # since a worker last became ready

    def start(self, trials: Sequence[Trial]) -> None:
        """Queue trials, the longest first: no worker is then left alone with one at the end."""
        self._waiting.extend(sorted(trials, key=lambda trial: -trial.size))
        self._assign()

    def outcomes(
        self, block: bool, tell: Callable[[str, Passed], None] = lambda _name, _passed: None
    ) -> Iterator[tuple[Trial, Outcome]]:
        """Trials as they end: all of them, or without `block` those that have ended by now.

        `tell` is told, by a trial's name, how far those are that run.

        Raises InputError if workers do not start, or what a worker says of its start.
        """
        while self._running or self._waiting:
            pending: list[Future[Any]] = [*self._starting, *self._running]
            done, _ = wait(pending, _SECONDS_BETWEEN_LOOKS if block else 0, FIRST_COMPLETED)
            for slot, trial in self._running.values():
                if (passed := self._workers[slot].told()) is not None:
                    tell(trial_name(trial), passed)
            if not done and not block:
                return
            for started in [future for future in self._starting if future in done]:
                self._welcome(started)
            for ended in [future for future in self._running if future in done]:
                if (pair := self._settle(ended)) is not None:
                    yield pair
            self._assign()

    def stop(self) -> None:
        """Start no further trial; those that run now go on."""
        self._waiting.clear()

    def close(self, abandon: bool) -> None:
        """End the workers: when they are done, or at once where their work is abandoned."""
        self.stop()
        for slot in list(self._workers):
            self._dismiss(slot, at_once=abandon)
        self._starting.clear()
        self._running.clear()
        self._idle.clear()

    def _assign(self) -> None:
        while self._waiting and self._idle:
            slot, trial = self._idle.popleft(), self._waiting.popleft()
            self._running[self._workers[slot].run(trial)] = slot, trial
        while len(self._waiting) > len(self._starting) and self._free_slots:
            slot = self._free_slots.popleft()
            self._workers[slot] = self._hire(slot)
            self._starting[self._workers[slot].ready()] = slot

    def _dismiss(self, slot: int, at_once: bool) -> None:
        self._workers.pop(slot).end(at_once)
        self._free_slots.append(slot)

    def _welcome(self, started: Future[InputError | None]) -> None:
        slot = self._starting.pop(started)
        error = started.exception()
        if error is None:
            if (refusal := started.result()) is not None:
                raise refusal
            self._idle.append(slot)
            self._lost_starts = 0
            return
        own = self._workers[slot].own_error(error)
        self._dismiss(slot, at_once=True)
        if not isinstance(own, WorkerLostError):
            raise own
        self._lost_starts += 1
        if self._lost_starts > self._retries:
            raise InputError(f"a worker ended before it could start a trial: {own}.") from own

    def _settle(self, ended: Future[TrialResult | InputError]) -> tuple[Trial, Outcome] | None:
        slot, trial = self._running.pop(ended)
        error = ended.exception()
        own = None if error is None else self._workers[slot].own_error(error)
        if not isinstance(own, WorkerLostError):
            self._idle.append(slot)
            return trial, ended.result() if own is None else own
        self._dismiss(slot, at_once=True)
        self._losses[trial.key] += 1
        losses = self._losses[trial.key]
        if losses <= self._retries:
            self._waiting.appendleft(trial)
            return None
        return trial, InputError(
            f"trial {trial_name(trial)}: lost its worker {losses} times ({own}); where memory ran "
            "out, use fewer workers or a smaller model."
        )


def trial_name(trial: Trial) -> str:
    """A trial in words, such as "qlora on 6 easy + 9 hard labels, seed 2"."""
    parts = [f"{count} {stratum}" for stratum, count in trial.mix]
    if trial.borrowed:
        parts.append(f"{trial.borrowed} borrowed {trial.target}")
    bought = " + ".join(parts)
    on = f" on {bought} labels" if bought else ""
    if trial.rehearses:
        guessed = " + ".join(f"{count} {stratum}" for stratum, count in trial.rehearses)
        on = f" on {guessed} guessed labels (from {bought})"
    return f"{trial.method}{on}, seed {trial.seed}"
