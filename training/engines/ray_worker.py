"""What runs on the nodes of a Ray cluster: one model, one trial at a time."""

import socket
import tempfile
from dataclasses import replace
from pathlib import Path

from annotation.errors import InputError
from training.engines.dispatch import attempt
from training.models.quiet import quiet_libraries
from training.models.source import SHORT_NAMES, ModelSource, find_model
from training.running.runner import TrialRunner
from training.task import Task
from training.trial import (
    RECIPE_VERSION,
    Trial,
    TrialResult,
    number_type,
)


class TrialWorker:
    """A worker on a node; loads the model when the first trial needs it and keeps it.

    It has a scratch folder of its own, so that no two workers of a machine write one file. The
    threads are those that Ray gives (OMP_NUM_THREADS, as many as the worker has CPUs), or one.
    """

    def __init__(self, task: Task, source: ModelSource, in_folder: bool) -> None:
        self._task = task
        self._source = source
        self._in_folder = in_folder  # for the driver, the model is a folder, not a hub id
        self._scratch = tempfile.TemporaryDirectory(prefix="labelmix-")
        self._runner: TrialRunner | None = None

    def ready(self) -> InputError | None:
        """Prepare for trials; the reason where that cannot be."""
        quiet_libraries()
        try:
            source = _source_here(self._source) if self._in_folder else self._source
        except InputError as error:
            return error
        self._source = source
        self._runner = TrialRunner(self._task, source, Path(self._scratch.name))
        return None

    def run(self, trial: Trial) -> TrialResult | InputError:
        """Run a trial that this machine computes as its key says; bad input is returned."""
        assert self._runner is not None
        if (refusal := _refusal(trial, self._source)) is not None:
            return refusal
        return attempt(self._runner, trial)


def _source_here(source: ModelSource) -> ModelSource:
    """The same model on this machine: the one of a short name, or the same folder."""
    node = socket.gethostname()
    if source.name not in SHORT_NAMES and not Path(source.location).is_dir():
        raise InputError(
            f"model '{source.name}': node {node} has no folder {source.location}; put the model "
            "where all nodes see it under one path, or give a hub id."
        )
    here = find_model(source.name if source.name in SHORT_NAMES else source.location)
    if here.revision != source.revision:
        raise InputError(
            f"model '{source.name}': node {node} has another model there (revision "
            f"{here.revision}, here {source.revision}); bring the same files to all nodes."
        )
    return replace(source, location=here.location)


def _refusal(trial: Trial, source: ModelSource) -> InputError | None:
    """Why this machine would not compute what the trial's key stands for."""
    node = socket.gethostname()
    if trial.version != RECIPE_VERSION:
        return InputError(
            f"node {node} has another version of labelmix (trials of recipe {RECIPE_VERSION}, "
            f"asked for {trial.version}); install the same version on all nodes."
        )
    compute = number_type(source, trial.method, trial.recipe.quantisation)
    if compute != trial.compute:
        return InputError(
            f"node {node} computes in {compute}, the machine that asks in {trial.compute}, and "
            "results would not compare; start labelmix on a node like the workers' (with a GPU "
            "where they have GPUs)."
        )
    return None
