"""Standard errors of item response theory: the inverse of the penalised observed information.

With abilities integrated out the information is  sum_r E_r[I_c] - Var_r[s_c]  plus the priors'
precision: the expectation of the complete-data information and the variance of its score over the
posterior of each respondent's ability (Louis 1982). The posterior is nearly normal, so both are
taken at a few nodes of Gauss and Hermite about its mean.
"""

import numpy as np
from scipy.special import expit, log_expit

from annotation.arrays import Array

NODES = 9
# More unknowns than these make a matrix that is too large: then an item's own two unknowns alone
# are inverted. That leaves out what all items share, a shift or stretch of the whole scale.
LARGEST_JOINT = 4000
_BLOCK_VALUES = 2**22  # respondents x nodes x items at once, 32 MiB an array


def standard_errors(
    right: Array,
    wrong: Array,
    slope: Array,
    difficulty: Array,
    ability: tuple[Array, Array],
    shared: bool,
    prior_precisions: tuple[float, float],
) -> tuple[Array, Array]:
    """Standard errors of log discrimination and of difficulty, (items,) each.

    Parameters
    ----------
    right, wrong : (respondents, items), 1 where the answer is right, or wrong, else 0
    slope, difficulty : (items,), at the maximum of the penalised likelihood
    ability : posterior mean and standard deviation, (respondents,) each
    shared : whether all items have one discrimination
    prior_precisions : of log discrimination and of difficulty

    NaN where the information is not positive, as away from a maximum.
    """
    items = slope.size
    slopes = 1 if shared else items
    joint = slopes + items <= LARGEST_JOINT
    complete = np.zeros((3, items))  # slope-slope, slope-difficulty, difficulty-difficulty
    missing = np.zeros((slopes + items, slopes + items)) if joint else np.zeros((3, items))
    step = max(1, _BLOCK_VALUES // (NODES * items))
    for start in range(0, len(right), step):
        block = slice(start, start + step)
        posterior = (ability[0][block], ability[1][block])
        part, scores = _at_nodes(right[block], wrong[block], slope, difficulty, posterior)
        complete += part
        if shared:
            scores = np.concatenate([scores[:, :items].sum(1, keepdims=True), scores[:, items:]], 1)
        if joint:
            missing += scores.T @ scores
        else:
            of_slope, of_difficulty = scores[:, :slopes], scores[:, slopes:]
            missing[0] += (of_slope**2).sum(0)  # one number for all items where they share it
            missing[1] += (of_slope * of_difficulty).sum(0)
            missing[2] += (of_difficulty**2).sum(0)
    errors = _joint_errors if joint else _separate_errors
    return errors(complete, missing, slopes, prior_precisions)


def _separate_errors(
    complete: Array, missing: Array, slopes: int, prior_precisions: tuple[float, float]
) -> tuple[Array, Array]:
    """As if every item's unknowns stood alone."""
    first, cross, last = complete - missing
    if slopes == 1:  # the one discrimination has all items' information, and is known far better
        first = np.full_like(first, complete[0].sum() - missing[0, 0])
        cross = np.zeros_like(cross)
    first, last = first + prior_precisions[0], last + prior_precisions[1]
    determinant = first * last - cross**2
    return _root(last / determinant), _root(first / determinant)


def _joint_errors(
    complete: Array, missing: Array, slopes: int, prior_precisions: tuple[float, float]
) -> tuple[Array, Array]:
    items = complete.shape[1]
    information = -missing
    places = np.arange(items)
    of_slope = np.zeros(items, dtype=np.int64) if slopes == 1 else places
    of_difficulty = slopes + places
    np.add.at(information, (of_slope, of_slope), complete[0])
    np.add.at(information, (of_slope, of_difficulty), complete[1])
    np.add.at(information, (of_difficulty, of_slope), complete[1])
    information[of_difficulty, of_difficulty] += complete[2]
    precisions = np.repeat(prior_precisions, (slopes, items))
    information[np.diag_indices_from(information)] += precisions
    try:
        variances = np.diag(np.linalg.inv(information))
    except np.linalg.LinAlgError:
        variances = np.full(len(information), np.nan)
    errors = _root(variances)
    return errors[of_slope], errors[of_difficulty]


def _at_nodes(
    right: Array, wrong: Array, slope: Array, difficulty: Array, ability: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Complete information, (3, items), and centred scores, (respondents x nodes, 2 x items).

    Scores are in the two unknowns log discrimination and difficulty; the sum of products of their
    rows is the variance over the posteriors, added up over respondents.
    """
    nodes, weights = np.polynomial.hermite.hermgauss(NODES)
    mean, spread = ability
    points = mean[:, None] + np.sqrt(2) * spread[:, None] * nodes  # (respondents, nodes)
    distance = points[:, :, None] - difficulty  # (respondents, nodes, items)
    logits = slope * distance
    log_likelihood = np.einsum("ri,rni->rn", right, log_expit(logits))
    log_likelihood += np.einsum("ri,rni->rn", wrong, log_expit(-logits))
    log_posterior = log_likelihood - points**2 / 2 + nodes**2 + np.log(weights)
    posterior = np.exp(log_posterior - log_posterior.max(1, keepdims=True))
    posterior /= posterior.sum(1, keepdims=True)

    chance = expit(logits)
    given = (right + wrong)[:, None, :]
    residual = right[:, None, :] - given * chance
    curvature = given * chance * (1 - chance) * posterior[:, :, None]
    weighted = residual * posterior[:, :, None]
    complete = np.stack(
        [
            (curvature * logits**2 - weighted * logits).sum((0, 1)),
            (-slope * curvature * logits + slope * weighted).sum((0, 1)),
            (slope**2 * curvature).sum((0, 1)),
        ]
    )
    scores = np.concatenate([residual * logits, -slope * residual], axis=2)
    scores -= np.einsum("rn,rni->ri", posterior, scores)[:, None, :]
    scores *= np.sqrt(posterior)[:, :, None]
    return complete, scores.reshape(-1, scores.shape[2])


def _root(variances: Array) -> Array:
    return np.asarray(np.sqrt(np.where(variances > 0, variances, np.nan)))
