"""Answers of probes that are told how common classes are among the items they answer.

A probe learns, beside what tells classes apart, how common they are among its labels. Where the
items that it answers have them otherwise (people overlook a class; a purchase is of another
stratum), its scores are changed by log(share there / share among its labels) of every class: the
posterior under another prior (Elkan 2001, The foundations of cost-sensitive learning, IJCAI;
Saerens, Latinne, Decaestecker 2002, Neural Computation 14).
"""

from collections.abc import Sequence

import numpy as np

from annotation.arrays import Array
from training.targets.make import Targets
from training.trial import Recipe

CLASS_SHARES = "class_shares"
"""Setting of a probe: share of every class among the items it answers, each above 0."""


def with_class_shares(recipe: Recipe, shares: Sequence[float]) -> Recipe:
    """The same recipe of a probe, told how common classes are.

    Raises ValueError for another method, or a share that is not above 0.
    """
    if recipe.method != "probe" or min(shares) <= 0:
        raise ValueError(
            f"only probes take class shares, each above 0; got method '{recipe.method}' and "
            f"{tuple(shares)}."
        )
    settings = {**dict(recipe.settings), CLASS_SHARES: tuple(shares)}
    return Recipe(
        recipe.method,
        tuple(sorted(settings.items())),
        recipe.prompt,
        recipe.quantisation,
        recipe.target_kind,
        recipe.target_settings,
        recipe.judgments,
    )


def share_corrections(recipe: Recipe, targets: Sequence[Targets]) -> Array | None:
    """What is added to the scores of probes that learnt from targets, (probes, classes).

    A class counts half a label more, so that one that nobody named is not impossible. None where
    the recipe tells no shares.
    """
    shares = dict(recipe.settings).get(CLASS_SHARES)
    if shares is None:
        return None
    learnt = np.stack([own.probabilities.sum(axis=0) + 0.5 for own in targets])
    return np.asarray(np.log(np.asarray(shares)) - np.log(learnt / learnt.sum(1, keepdims=True)))
