"""What a probe of the labels so far says of items, their own judgments left out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray, Positions
from training.engines import Watcher
from training.lab import Lab
from training.targets.posteriors import choice_mask

MOST_READ = 2000  # items of a stratum that nobody was asked about and that are looked at


@dataclass(frozen=True)
class ItemsRead:
    """Items that a model has read.

    Attributes
    ----------
    rows : (items,), positions in ascending order
    features : (items, width)
    chances : (items, choices), by a probe that has not seen the item's own judgments
    """

    rows: Positions
    features: NDArray[np.floating]
    chances: Array


def read_items(
    lab: Lab,
    labelled: Positions,
    posteriors: Array,
    others: Positions,
    folder: Path,
    seed: int,
    watcher: Watcher,
) -> ItemsRead:
    """What a probe says of items that have judgments and of others.

    The same items and posteriors give the same chances, whatever was read before.

    Parameters
    ----------
    lab
        Of the model, and of how a probe is asked.
    labelled, posteriors
        Items with judgments, at least one, and what these say: (items, choices).
    others
        Items without judgments.
    folder
        Where features are kept.
    seed
        Of the folds.
    watcher
        Told of items that have to be read.
    """
    from training.probes.batches import ProbeJob
    from training.probes.out_of_fold import unseen_chances
    from training.running.runner import TrialRunner

    runner = TrialRunner(lab.task, lab.source, folder)
    store = runner.features(*kind_of_probe(lab))
    rows = np.union1d(labelled, others)
    absent = store.absent(rows)
    if absent:
        watcher.stage("reading items", absent)
    counts = lab.task.choice_counts
    most = int(counts.max())
    features = store.get(rows, runner.model, watcher.advance)
    mask = choice_mask(counts[rows], most)
    job = ProbeJob(np.searchsorted(rows, labelled), posteriors)
    groups: IntArray = lab.task.groups.codes[rows]
    (found,) = unseen_chances(features, mask, [job], seed, groups=groups)
    there = mask[:, : features.shape[1], None]
    flat = (features * there).sum(axis=1) / there.sum(axis=1)
    return ItemsRead(rows, flat, found.chances)


def kind_of_probe(lab: Lab) -> tuple[str, bool]:
    """By which prompt, and whether every choice has features: as the probe's trials have them."""
    recipe = lab.recipes["probe"]
    return recipe.prompt, dict(recipe.settings).get("optimiser") == "paper"
