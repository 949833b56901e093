"""Where trials run. `run_trials` is the local engine: this machine, in order or side by side."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from training.models import ModelSource
from training.quiet import quiet_libraries
from training.runner import TrialRunner
from training.store import TrialStore
from training.task import Task
from training.trials import Trial, TrialResult


class Watcher(Protocol):
    """Told how the work goes on."""

    def stage(self, description: str, total: int) -> None:
        """A stage of `total` steps begins."""

    def advance(self, steps: int = 1) -> None:
        """So many steps of the stage are done."""


class SilentWatcher:
    """Hears and says nothing."""

    def stage(self, description: str, total: int) -> None:
        pass

    def advance(self, steps: int = 1) -> None:
        pass


class LocalEngine:
    """Runs trials on this machine and keeps each result the moment it is there.

    Zero-shot and probe trials run in this process. Adapter trials, far longer, run in `workers`
    processes of one thread each where more than one is asked for. The results do not depend on
    the number of workers: every trial is seeded by itself. Only this process writes the store.
    """

    def __init__(
        self, task: Task, source: ModelSource, folder: Path, store: TrialStore, workers: int = 1
    ) -> None:
        self._arguments = (task, source, folder)
        self._store = store
        self._workers = workers
        self._runner: TrialRunner | None = None
        self._pool: ProcessPoolExecutor | None = None
        self._worker_processes: list[BaseProcess] = []

    @property
    def runner(self) -> TrialRunner:
        if self._runner is None:
            self._runner = TrialRunner(*self._arguments)
        return self._runner

    def run(
        self, trials: Sequence[Trial], watcher: Watcher, description: str
    ) -> dict[str, TrialResult]:
        """Results by key of all `trials`; those already in the store are not run again."""
        missing = self._store.missing(trials)
        probes = [trial for trial in missing if trial.method == "probe"]
        if probes:
            absent = self.runner.features.absent(self.runner.feature_positions(probes))
            if absent:
                watcher.stage("reading items", absent)
                self.runner.prepare_features(probes, watcher.advance)
        if missing:
            watcher.stage(description, len(missing))
        heavy = [trial for trial in missing if trial.method == "qlora"]
        futures = self._start_apart(heavy) if self._workers > 1 and len(heavy) > 1 else {}
        apart = {trial.key for trial in futures.values()}
        try:
            for trial in missing:
                if trial.key not in apart:
                    self._keep(trial, self.runner.run(trial), watcher)
        finally:
            self._keep_all(futures, watcher)
        results = {}
        for trial in trials:
            result_or_none = self._store.get(trial)
            assert result_or_none is not None
            results[trial.key] = result_or_none
        return results

    def _keep(self, trial: Trial, result: TrialResult, watcher: Watcher) -> None:
        self._store.put(trial, result)
        watcher.advance()

    def _start_apart(self, trials: Sequence[Trial]) -> dict[Future[TrialResult], Trial]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                max_workers=self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=self._arguments,
            )
        # The longest first, so that no worker is left alone with one at the end.
        ordered = sorted(trials, key=lambda trial: -sum(trial.labels().values()))
        others = set(multiprocessing.active_children())
        with _interrupts_held_back():  # the first call starts the workers
            futures = {self._pool.submit(_run_in_worker, trial): trial for trial in ordered}
        self._worker_processes += set(multiprocessing.active_children()) - others
        return futures

    def _keep_all(self, futures: dict[Future[TrialResult], Trial], watcher: Watcher) -> None:
        """Keep every result as it comes; only then raise the first error, if there was one."""
        error: BaseException | None = None
        for future in as_completed(futures):
            if future.cancelled():
                continue
            if (failure := future.exception()) is not None:
                error = error or failure
                for waiting in futures:
                    waiting.cancel()
            else:
                self._keep(futures[future], future.result(), watcher)
        if error is not None:
            raise error

    def close(self, abandon: bool = False) -> None:
        """End the workers: when they are done, or at once where their work is abandoned."""
        if self._pool is not None:
            for process in self._worker_processes if abandon else ():
                process.terminate()
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


@contextmanager
def local_engine(
    task: Task, source: ModelSource, folder: Path, store: TrialStore, workers: int = 1
) -> Iterator[LocalEngine]:
    """A LocalEngine whose worker processes end with the block."""
    engine = LocalEngine(task, source, folder, store, workers)
    try:
        yield engine
    except BaseException:
        engine.close(abandon=True)
        raise
    engine.close()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Processes started here never see Ctrl-C, which a terminal sends to all: ours ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # not on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker_runner: Callable[[Trial], TrialResult] | None = None


def _start_worker(task: Task, source: ModelSource, folder: Path) -> None:
    global _worker_runner
    quiet_libraries()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker_runner = TrialRunner(task, source, folder).run


def _end_with_parent() -> None:
    """A killed parent cannot end its workers: each ends itself when the parent is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _run_in_worker(trial: Trial) -> TrialResult:
    assert _worker_runner is not None
    return _worker_runner(trial)
