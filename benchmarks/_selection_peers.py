"""Items chosen by other libraries: ActiveLab of cleanlab, BADGE of scikit-activeml.

Neither is installed with labelmix: `pip install 'labelmix[bench]'`.
"""

import io
import warnings
from contextlib import redirect_stdout
from importlib.util import find_spec

import numpy as np

from annotation.arrays import Array, IntArray


def activelab(
    labels: IntArray,
    annotators: IntArray,
    given: IntArray,
    chances: Array,
    open_items: IntArray,
    number: int,
    rng: np.random.Generator,
) -> IntArray | None:
    """Items to ask, new or again, by ActiveLab (Goh and Mueller 2023); None where it gives none.

    `labels`, `annotators` (items, turns) as answered, of which the first `given` (items,) are
    known; `chances` (items, choices) by a probe that has not seen an item's own label.
    """
    from cleanlab.multiannotator import get_active_learning_scores

    judged, new = np.flatnonzero(given > 0), open_items[given[open_items] == 0]
    item = np.repeat(np.arange(judged.size), given[judged])
    turn = np.concatenate([np.arange(count) for count in given[judged]])
    said, who = labels[judged[item], turn], annotators[judged[item], turn]
    if np.unique(said).size < chances.shape[1]:
        return None  # it wants every class among the labels
    people, column = np.unique(who, return_inverse=True)
    table = np.full((judged.size, people.size), np.nan)
    table[item, column] = said
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):  # it prints its warnings
        warnings.simplefilter("ignore")
        unseen = chances[new] if new.size else None
        old_scores, new_scores = get_active_learning_scores(table, chances[judged], unseen)
    scores = np.full(given.size, np.inf)
    scores[judged] = old_scores
    if new.size:
        scores[new] = new_scores
    mixed = rng.permutation(open_items)
    return np.asarray(mixed[np.argsort(scores[mixed], kind="stable")][:number])


def badge(
    features: Array,
    labels: IntArray,
    classes: int,
    new: IntArray,
    number: int,
    seed: int,
) -> IntArray:
    """New items by BADGE (Ash et al. 2020), with scikit-learn's logistic regression.

    `features` (items, width); `labels` (items,), -1 where there is none.
    """
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import Badge
    from sklearn.linear_model import LogisticRegression

    classifier = SklearnClassifier(
        LogisticRegression(max_iter=200), classes=list(range(classes)), missing_label=-1
    )
    query = Badge(missing_label=-1, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = query.query(
            features, labels, classifier, candidates=new, batch_size=min(number, new.size)
        )
    return np.asarray(chosen)


def missing() -> list[str]:
    """The packages that are not there."""
    return [name for name in ("cleanlab", "skactiveml") if find_spec(name) is None]
