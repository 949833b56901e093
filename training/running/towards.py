"""Train towards any targets, and tell how probable a model holds each choice of other items.

Trials keep which answers came out right. How sure a model is of them, which log loss and
calibration ask for, is told here.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax

from annotation.arrays import Array, Positions
from annotation.whole_files import whole_file
from training.probes.fit import fit_with
from training.probes.probe import ProbeJob, score_probes
from training.progress import ReadProgress, TokenProgress
from training.prompts import find_prompt
from training.running.runner import TrialRunner
from training.targets.posteriors import choice_mask
from training.trial import RECIPE_VERSION, Recipe
from training.tuning import qlora


@dataclass(frozen=True)
class Training:
    """Items (labels,), what they are trained towards (labels, most choices), and a seed."""

    positions: Positions
    targets: Array
    seed: int


def probe_probabilities(
    runner: TrialRunner,
    recipe: Recipe,
    trainings: Sequence[Training],
    tested: Positions,
    read: ReadProgress = lambda _items, _tokens: None,
) -> Array:
    """Probability of every choice of the tested items after each training.

    `read` is told of items that the model has read, and of their tokens.

    Returns (trainings, tested, most choices), 0 where an item has fewer.

    Raises InputError if the items have no choices.
    """
    task = runner.task
    task.require_choices("probe")
    positions = np.unique(np.concatenate([tested, *(own.positions for own in trainings)]))
    per_choice = dict(recipe.settings).get("optimiser") == "paper"
    features = runner.features(recipe.prompt, per_choice).get(positions, runner.reader, read)
    mask = choice_mask(task.choice_counts[positions], int(task.choice_counts.max()))
    jobs = [ProbeJob(np.searchsorted(positions, own.positions), own.targets) for own in trainings]
    probes = fit_with(dict(recipe.settings), features, mask, jobs, task.groups.codes[positions])
    rows = np.searchsorted(positions, tested)
    return np.asarray(softmax(score_probes(probes, features[rows], mask[rows]), axis=2))


def adapter_probabilities(
    runner: TrialRunner,
    recipe: Recipe,
    training: Training,
    tested: Positions,
    kept: Path,
    progress: TokenProgress = lambda _done, _total, _tokens: None,
) -> Array:
    """The same after training one adapter (QLoRA): (tested, most choices).

    What was told is kept in the folder `kept` under everything that changes it, so that work that
    was stopped goes on from there.

    Raises InputError if the items have no choices, TrainingDivergedError if a loss is not finite.
    """
    task = runner.task
    task.require_choices("qlora")
    file = kept / f"{_key(runner, recipe, training, tested)}.npy"
    if file.exists():
        return np.asarray(np.load(file, allow_pickle=False), dtype=np.float64)
    settings = dict(recipe.settings)
    normalisation = settings.pop("normalisation", "sum")
    settings.pop("objective", None)
    loaded = runner.model(recipe.quantisation, with_head=runner.source.kind == "encoder")
    prompt = find_prompt(recipe.prompt, runner.source.label)
    scores = qlora.train_and_score(
        loaded,
        runner.encoded(training.positions, loaded, prompt),
        training.targets,
        runner.encoded(tested, loaded, prompt),
        qlora.QloraSettings(**settings),
        training.seed,
        progress,
        normalisation=normalisation,
    )
    found = np.zeros((tested.size, int(task.choice_counts.max())))
    found[:, : scores.shape[1]] = softmax(scores.double().numpy(), axis=1)
    kept.mkdir(parents=True, exist_ok=True)
    with whole_file(file) as unfinished, unfinished.open("wb") as stream:
        content = io.BytesIO()
        np.save(content, found, allow_pickle=False)
        stream.write(content.getvalue())
    return found


def zero_shot_probabilities(
    runner: TrialRunner,
    prompt: str,
    positions: Positions,
    read: ReadProgress = lambda _items, _tokens: None,
) -> Array:
    """What an untrained decoder holds of the choices of these items: (positions, most choices).

    By the log-probabilities of the choices' whole texts. `read` is told of items that it has
    read, and of their tokens.
    """
    scores = runner.features(prompt).scores(positions, runner.model, read).by("sum")
    return np.asarray(softmax(scores, axis=1))


def _key(runner: TrialRunner, recipe: Recipe, training: Training, tested: Positions) -> str:
    digest = hashlib.sha256()
    source = runner.source
    names = (RECIPE_VERSION, source.label, source.revision, recipe, training.seed)
    digest.update(f"{runner.task.split_fingerprint} {names}".encode())
    for array in (training.positions, training.targets, tested):
        digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]
