"""The local engine: trials on this machine, in order or side by side."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from annotation.errors import InputError
from training.engines.base import StoringEngine, closing
from training.engines.dispatch import Dispatcher, WorkerLostError, attempt
from training.models.quiet import quiet_libraries
from training.models.source import ModelSource
from training.progress import Passed
from training.store import TrialStore
from training.task import Task
from training.trial import Trial, TrialResult

if TYPE_CHECKING:
    from training.running.runner import TrialRunner

DEVICES_VARIABLE = "CUDA_VISIBLE_DEVICES"
RETRIES = 1  # a worker that the system ended for its memory would end again


class LocalEngine(StoringEngine):
    """Runs trials on this machine.

    Probe trials run in this process. With more than one worker all others run in processes of one
    thread each, unless there is only one trial and no GPU. Where there are GPUs each worker sees
    its own: one each, several each where there are more GPUs than workers, or one between several
    workers where there are fewer. The results do not depend on the number of workers: every trial
    is seeded by itself.

    `workers` is by default one for each GPU. One worker is this process itself, with all GPUs: for
    a model that needs several of them.
    """

    def __init__(
        self,
        task: Task,
        source: ModelSource,
        folder: Path,
        store: TrialStore,
        workers: int | None = None,
    ) -> None:
        super().__init__(task, source, folder, store)
        devices = visible_devices()
        self._workers = max(1, len(devices)) if workers is None else workers
        self._shares = share_devices(devices, self._workers)

    def _uses_workers(self, trials: int) -> bool:
        # A lone trial is not worth a process, unless this one would then hold a model on a GPU
        # that a worker needs.
        return self._workers > 1 and (trials > 1 or self._shares[0] is not None)

    def _make_dispatcher(self) -> Dispatcher:
        def hire(slot: int) -> _WorkerProcess:
            return _WorkerProcess(*self._arguments, self._shares[slot])

        return Dispatcher(hire, self._workers, RETRIES)


@contextmanager
def local_engine(
    task: Task,
    source: ModelSource,
    folder: Path,
    store: TrialStore,
    workers: int | None = None,
) -> Iterator[LocalEngine]:
    """A LocalEngine whose worker processes end with the block."""
    with closing(LocalEngine(task, source, folder, store, workers)) as engine:
        yield engine


def visible_devices() -> list[str]:
    """The GPUs that this process sees, by the names that CUDA_VISIBLE_DEVICES gives them."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = os.environ.get(DEVICES_VARIABLE)
    names = [name.strip() for name in named.split(",")] if named else list(map(str, range(count)))
    return names[:count]


def share_devices(devices: Sequence[str], workers: int) -> list[str | None]:
    """For each worker its value of CUDA_VISIBLE_DEVICES; None where there are no GPUs."""
    if not devices:
        return [None] * workers
    if workers >= len(devices):
        return [devices[slot % len(devices)] for slot in range(workers)]
    ends = [len(devices) * slot // workers for slot in range(workers + 1)]
    return [",".join(devices[ends[slot] : ends[slot + 1]]) for slot in range(workers)]


class _WorkerProcess:
    """One process with a model of its own: a pool of one, so that its loss concerns one trial."""

    def __init__(self, task: Task, source: ModelSource, folder: Path, devices: str | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._told, self._sent = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            max_workers=1,
            mp_context=context,
            initializer=_start_worker,
            initargs=(task, source, folder, self._sent),
        )
        others = set(multiprocessing.active_children())
        # The first call starts the process. Its GPUs are in the environment that it starts with:
        # unpickling its arguments imports libraries that look for GPUs at once.
        try:
            with _interrupts_held_back(), _devices_set(devices):
                self._ready: Future[InputError | None] = self._pool.submit(_say_ready)
        except BaseException:  # a Ctrl-C that was held back: nobody else knows of this pool yet
            self._processes = set(multiprocessing.active_children()) - others
            self.end(at_once=True)
            raise
        self._processes = set(multiprocessing.active_children()) - others

    def ready(self) -> Future[InputError | None]:
        return self._ready

    def run(self, trial: Trial) -> Future[TrialResult | InputError]:
        try:
            return self._pool.submit(_run_in_worker, trial)
        except BrokenProcessPool as error:  # it ended while it had nothing to do
            lost: Future[TrialResult | InputError] = Future()
            lost.set_exception(error)
            return lost

    def told(self) -> Passed | None:
        latest: Passed | None = None
        with suppress(EOFError, OSError):  # a worker that is gone tells nothing any more
            while self._told.poll():
                latest = self._told.recv()
        return latest

    def own_error(self, error: BaseException) -> BaseException:
        if isinstance(error, BrokenProcessPool):
            return WorkerLostError("the process was killed or crashed")
        return error

    def end(self, at_once: bool) -> None:
        for process in self._processes if at_once else ():
            process.terminate()
        self._pool.shutdown(cancel_futures=True)
        self._told.close()
        self._sent.close()


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


@contextmanager
def _devices_set(devices: str | None) -> Iterator[None]:
    """Processes started here see these GPUs only."""
    if devices is None:
        yield
        return
    before = os.environ.get(DEVICES_VARIABLE)
    os.environ[DEVICES_VARIABLE] = devices
    try:
        yield
    finally:
        if before is None:
            del os.environ[DEVICES_VARIABLE]
        else:
            os.environ[DEVICES_VARIABLE] = before


_worker_arguments: tuple[Task, ModelSource, Path] | None = None
_worker_runner: "TrialRunner | None" = None
_worker_tells: Connection | None = None


def _start_worker(task: Task, source: ModelSource, folder: Path, tells: Connection) -> None:
    global _worker_arguments, _worker_tells
    quiet_libraries()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker_arguments = task, source, folder
    _worker_tells = tells
    if os.name == "posix":  # a message is shorter than PIPE_BUF: written whole or not at all
        os.set_blocking(tells.fileno(), False)


def _end_with_parent() -> None:
    """A killed parent cannot end its workers: each ends itself when the parent is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _say_ready() -> None:
    return None


def _tell_parent(passed: Passed) -> None:
    """Say how far the trial is; unsaid where the parent is busy and has not heard the last yet."""
    assert _worker_tells is not None
    with suppress(OSError):
        _worker_tells.send(passed)


def _run_in_worker(trial: Trial) -> TrialResult | InputError:
    global _worker_runner
    if _worker_runner is None:
        from training.running.runner import TrialRunner

        assert _worker_arguments is not None
        _worker_runner = TrialRunner(*_worker_arguments)
    return attempt(_worker_runner, trial, _tell_parent)
