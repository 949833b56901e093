"""Where the command line has trials run: on this machine, or on a Ray cluster."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from annotation.errors import InputError
from training.engines import RayResources, local_engine, ray_engine
from training.engines.base import StoringEngine
from training.models.source import ModelSource
from training.store import TrialStore
from training.task import Task


@dataclass(frozen=True)
class EngineChoice:
    """Processes here, or workers on the Ray cluster at `ray_address`.

    `workers` None: one per GPU here, as many as there is room for on a cluster. `ray_gpus` is what
    a worker there asks for; None: one where this machine has one. `features` is where what the
    model makes of items is kept, for all that read them; None: where the work is.
    """

    workers: int | None = None
    ray_address: str | None = None
    ray_gpus: float | None = None
    features: Path | None = None

    def start(
        self, task: Task, source: ModelSource, folder: Path, store: TrialStore
    ) -> AbstractContextManager[StoringEngine]:
        """The engine; it ends with the block. `folder` is for features where none is named.

        Raises InputError if no cluster answers, or GPUs of one are asked for without it.
        """
        if self.ray_address is None and self.ray_gpus is not None:
            raise InputError("--ray-gpus goes with --ray; name the cluster, or leave it out.")
        folder = folder if self.features is None else self.features
        if self.ray_address is None:
            return local_engine(task, source, folder, store, self.workers)
        resources = None if self.ray_gpus is None else RayResources(gpus=self.ray_gpus)
        return ray_engine(
            task,
            source,
            folder,
            store,
            address=self.ray_address,
            workers=self.workers,
            resources=resources,
        )
