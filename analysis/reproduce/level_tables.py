"""Tables (seeds, items) over the test items of several levels, whose means are what is wanted.

A test set has not as many items of every level as there are: weights make up for that. So an
interval of the mean is that of the weighted accuracy, with all items' own spread.
"""

import numpy as np

from analysis.accuracy import ItemClusters
from annotation.arrays import Array, Correct
from training.lab import Lab


def all_items(lab: Lab) -> ItemClusters:
    """Clusters of the whole test set."""
    return ItemClusters(lab.task.test_groups)


def as_common(lab: Lab, table: Array) -> Array:
    """A table (seeds, test items) weighted so that its mean has every level as common as it is."""
    task = lab.task
    weights = np.zeros(table.shape[-1])
    known = [name for name in task.strata.names if (task.test_strata == name).any()]
    counts = {name: int((task.stratum_of == name).sum()) for name in known}
    for name in known:
        mask = task.test_strata == name
        share = counts[name] / sum(counts.values())
        weights[mask] = share * weights.size / mask.sum()
    return np.asarray(table * weights)


def level_contrast(lab: Lab, correct: Correct) -> tuple[Array, ItemClusters]:
    """Accuracy on the easiest less that on the hardest test items, as the mean of a table.

    An item of either level counts by how far it is from its level's mean, so that the table's
    spread is that of the difference of the two means.
    """
    task = lab.task
    easy, hard = task.test_strata == lab.easiest, task.test_strata == lab.target
    size = correct.shape[-1]
    values = correct.astype(np.float64)
    table = np.zeros(correct.shape)
    difference = float(values[:, easy].mean() - values[:, hard].mean())
    for mask, sign in ((easy, 1.0), (hard, -1.0)):
        own = values[:, mask]
        table[:, mask] = sign * (own - own.mean()) * size / mask.sum()
    return table + difference, all_items(lab)
