"""The Ray engine: trials on the workers of an existing Ray cluster."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from annotation.errors import InputError
from training.engines.base import StoringEngine, closing
from training.engines.dispatch import Dispatcher, WorkerLostError
from training.engines.local import visible_devices
from training.engines.ray_cluster import ANSWER_SECONDS, RayModule, count_places, joined
from training.models.source import ModelSource
from training.progress import Passed
from training.store import TrialStore
from training.task import Task
from training.trial import Trial, TrialResult

RETRIES = 3


@dataclass(frozen=True)
class RayResources:
    """What each trial has for itself: CPU cores (also its threads) and GPUs, may be fractions."""

    cpus: float = 1
    gpus: float = 0

    def __post_init__(self) -> None:
        if self.cpus <= 0 or self.gpus < 0:
            raise InputError(
                f"a trial on a Ray cluster needs more than 0 CPUs and at least 0 GPUs; got "
                f"{self.cpus:g} and {self.gpus:g}."
            )

    @classmethod
    def default(cls) -> "RayResources":
        """One CPU, and one GPU where this machine has any: workers compute as it would."""
        return cls(1, 1 if visible_devices() else 0)


class RayEngine(StoringEngine):
    """Runs trials on workers of a Ray cluster, probes in this process.

    A worker is a Ray actor that holds its resources, so that its model stays loaded on its own
    GPU, and each trial is a task of it; Ray's plain tasks would load the model anew for every
    trial on a GPU. The trial of a lost worker is run again by whichever worker is free first.

    Probes share features: they are computed and solved where the driver runs, as by the local
    engine, so that their file has one writer; fits of a whole grid take less time than a model
    takes to load. Workers get the task and the model's name once, through the object store, and
    return results; only the driver writes the store.
    """

    def __init__(
        self,
        ray: RayModule,
        task: Task,
        source: ModelSource,
        folder: Path,
        store: TrialStore,
        workers: int | None = None,
        resources: RayResources | None = None,
        retries: int = RETRIES,
    ) -> None:
        super().__init__(task, source, folder, store)
        self._ray = ray
        self._resources = resources or RayResources.default()
        places = count_places(ray, self._resources.cpus, self._resources.gpus)
        self._workers = places if workers is None else workers
        self._retries = retries

    def _uses_workers(self, trials: int) -> bool:
        return True

    def _make_dispatcher(self) -> Dispatcher:
        from training.engines.ray_worker import TrialWorker

        task, source, _ = self._arguments
        in_folder = Path(source.location).is_dir()
        if in_folder:  # a node's working folder is another
            source = replace(source, location=str(Path(source.location).resolve()))
        task_reference = self._ray.put(task)
        source_reference = self._ray.put(source)
        actor = self._ray.remote(TrialWorker).options(
            num_cpus=self._resources.cpus, num_gpus=self._resources.gpus, max_restarts=0
        )

        def hire(_slot: int) -> _ActorWorker:
            return _ActorWorker(
                self._ray, actor.remote(task_reference, source_reference, in_folder)
            )

        return Dispatcher(hire, self._workers, self._retries)


@contextmanager
def ray_engine(
    task: Task,
    source: ModelSource,
    folder: Path,
    store: TrialStore,
    address: str = "auto",
    workers: int | None = None,
    resources: RayResources | None = None,
    retries: int = RETRIES,
    answer_seconds: float = ANSWER_SECONDS,
) -> Iterator[RayEngine]:
    """A RayEngine whose workers end with the block; the cluster itself is left as it was.

    Parameters
    ----------
    task, source, folder, store
        As for `local_engine`; `folder` is for the features of items, on the driver's machine.
    address
        "host:port" of the cluster, or "auto" for the one that this machine is a node of.
    workers
        How many trials run at a time; by default as many as the cluster has room for. Where
        others use the cluster, workers wait until there is room.
    resources
        What each of them has; by default `RayResources.default`.
    retries
        How often a trial is run again whose worker was lost.
    answer_seconds
        How long the cluster may take to answer.

    Raises
    ------
    InputError
        If ray is not installed, the cluster does not answer in time or refuses, no node has the
        resources, a node lacks the model or computes in another number type, or a trial lost its
        worker more often than `retries`.
    """
    with joined(address, answer_seconds) as ray:
        engine = RayEngine(ray, task, source, folder, store, workers, resources, retries)
        with closing(engine):
            yield engine


class _ActorWorker:
    """A TrialWorker on a node of the cluster."""

    def __init__(self, ray: RayModule, actor: Any) -> None:  # noqa: ANN401 - Ray's own types
        self._ray = ray
        self._actor = actor
        self._ready: Future[InputError | None] = actor.ready.remote().future()

    def ready(self) -> Future[InputError | None]:
        return self._ready

    def run(self, trial: Trial) -> Future[TrialResult | InputError]:
        ended: Future[TrialResult | InputError] = self._actor.run.remote(trial).future()
        return ended

    def told(self) -> Passed | None:
        return None  # an actor runs one call at a time, and tells when its trial is done

    def own_error(self, error: BaseException) -> BaseException:
        exceptions = self._ray.exceptions
        if isinstance(error, exceptions.RayTaskError):
            own: BaseException = error.cause
            own.__cause__ = error  # its text is the traceback on the node
            return own
        if not isinstance(error, exceptions.RayError):
            return error
        lines = str(error).strip().splitlines() or [type(error).__name__]
        if isinstance(error, exceptions.RayActorError) and error.actor_init_failed:
            return InputError(
                f"a node of the Ray cluster cannot start a worker ({lines[-1].strip()}); install "
                "labelmix on all nodes, in the version that is here."
            )
        return WorkerLostError(lines[0].rstrip("."))

    def end(self, at_once: bool) -> None:
        # One that is let go has nothing to do, or nobody waits for what it does.
        self._ray.kill(self._actor)
