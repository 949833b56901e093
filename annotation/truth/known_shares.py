"""Posteriors that agree with class shares which are known from elsewhere.

People who overlook one class more than they invent it make it look rare, and no number of their
labels shows that. Where it is known how common the classes are, every posterior is reweighted by
one factor a class, p_i(c) w_c / sum_k p_i(k) w_k, with the factors that make the mean posterior
the known share. With calibrated posteriors it is the correction for another prior of Saerens,
Latinne, Decaestecker (2002, Neural Computation 14); of all distributions with these shares it is
the nearest in relative entropy (iterative scaling; Ganchev et al. 2010, Posterior regularization,
JMLR 11). An item whose class is certain stays as it is.
"""

import numpy as np

from annotation.arrays import Array

_MOST_STEPS = 2000
_EXACT = 1e-9
_SMALLEST = 1e-12


def with_shares(posteriors: Array, shares: Array) -> Array:
    """The posteriors (items, classes) whose mean over items is `shares` (classes,), or nearest.

    A class that is possible for no item has no share; what certain items leave no room for is not
    reached. Rows sum to 1.

    Raises ValueError if shapes do not fit, or shares are no distribution.
    """
    if posteriors.ndim != 2 or shares.shape != posteriors.shape[1:]:
        raise ValueError(
            "'posteriors' should be (items, classes) and 'shares' (classes,); got "
            f"{posteriors.shape} and {shares.shape}."
        )
    if (shares < 0).any() or not np.isclose(shares.sum(), 1):
        raise ValueError(f"'shares' should be at least 0 and sum to 1; got {shares}.")
    if not len(posteriors):
        return posteriors
    factors = np.ones(shares.size)
    found = posteriors
    for _ in range(_MOST_STEPS):
        mean = found.mean(axis=0)
        if np.abs(mean - shares).max() < _EXACT:
            break
        factors *= np.maximum(shares, _SMALLEST) / np.maximum(mean, _SMALLEST)
        factors /= factors.sum()
        weighted = posteriors * np.maximum(factors, _SMALLEST)
        found = weighted / weighted.sum(axis=1, keepdims=True)
    return np.asarray(found)
