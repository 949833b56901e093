"""Fit the hardness model: the most probable parameters, and how sure they are."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import optimize, sparse

from annotation.arrays import Array
from annotation.truth.coding import NO_GOLD, Coded
from annotation.truth.hardness_model import HardnessModel, Parameters

# Priors, in logits: weak beside some dozen judgments, but they keep a stratum finite in which
# nobody errs, and the spread where few judgments per item tell nothing about it.
LEVEL_MEAN, LEVEL_SD = 1.0, 2.0
LOG_SPREAD_MEAN, LOG_SPREAD_SD = 0.0, 0.5
_USUAL_ABILITY_SD = 0.7
_PRIOR_ANNOTATORS = 2.0  # how many annotators' worth the usual spread of abilities counts
_ABILITY_ROUNDS = 3
_FIRST = 50_000  # judgments of a first fit, from which that to all of them starts
_MOST_EXACT = 60  # parameters up to which second derivatives are computed
_MOST_DENSE = 1500  # annotators up to which their dependence on each other is kept


@dataclass(frozen=True)
class _Root:
    """Turns standard normal noise into noise with the posterior's covariance.

    Either by a Cholesky factor of the precision; or, for very many annotators, as abilities that
    are independent of each other given levels and spreads.
    """

    lower: Array | None  # precision = lower @ lower.T
    own: Array | None = None  # precision of every ability, (annotators,)
    shared: Array | None = None  # Cholesky factor of the rest's precision, abilities summed out
    link: Array | None = None  # how abilities move with the rest, (annotators, rest)

    def times(self, noise: Array) -> Array:
        from scipy.linalg import solve_triangular

        if self.lower is not None:
            return np.asarray(solve_triangular(self.lower, noise.T, lower=True, trans="T").T)
        assert self.own is not None
        assert self.shared is not None
        assert self.link is not None
        many = self.own.size
        rest = solve_triangular(self.shared, noise[:, many:].T, lower=True, trans="T").T
        return np.hstack([noise[:, :many] / np.sqrt(self.own) - rest @ self.link.T, rest])


@dataclass(frozen=True)
class HardnessFit:
    """The most probable parameters, how sure they are, and the spread of abilities.

    `root` holds their covariance, `variances` (parameters,) its diagonal.
    """

    model: HardnessModel
    parameters: Parameters
    ability_sd: float
    root: _Root
    variances: Array
    coded: Coded

    @cached_property
    def log_likelihood(self) -> float:
        """Of the judgments, abilities at their most probable values."""
        return float(self.model.scores(self.parameters).log_likelihood.sum())

    def posteriors(self) -> Array:
        """Probability of every choice of every item, (items, most choices)."""
        uncertain = self.variances[: self.model.annotators]
        return self.model.posteriors(self.parameters, uncertain)

    def unchecked(self) -> Array | None:
        """The same as if no item's right answer were known; None where none is."""
        if not (self.model.gold != NO_GOLD).any():
            return None
        blind = HardnessModel(self.coded, use_gold=False)
        return blind.posteriors(self.parameters, self.variances[: self.model.annotators])

    def draw(self, draws: int, seed: int) -> Array:
        """Parameters from their approximate posterior, (draws, parameters)."""
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal((draws, self.parameters.vector().size))
        return self.parameters.vector() + self.root.times(noise)


def fit_hardness_model(coded: Coded, use_gold: bool = True) -> HardnessFit:
    """Fit the model of `annotation.truth.hardness_model` to judgments.

    Abilities are normal around 0 with a standard deviation that is estimated along (empirical
    Bayes). Levels and spreads are those that are most probable when abilities are averaged over
    how uncertain they are: taken at their own most probable values, many annotators with few
    judgments each would make strata look up to 2 points better than they are. The posterior is
    taken as normal around its mode: its precision comes from second derivatives, or, where there
    are many items for every parameter or very many parameters, from the outer products of the
    items' scores, which then say the same (Berndt et al. 1974).
    """
    model = HardnessModel(coded, use_gold)
    vector, ability_sd, rounds = _prior_mean(model), _USUAL_ABILITY_SD, _ABILITY_ROUNDS
    if model.item.size > 2 * _FIRST:
        part = HardnessModel(_some_items(coded, _FIRST), use_gold)
        vector, ability_sd, _, _ = _climb(part, vector, ability_sd, rounds)
        rounds = 2  # the first says how sure abilities are, the second takes account of it
    vector, ability_sd, variances, root = _climb(model, vector, ability_sd, rounds)
    parameters = Parameters.from_vector(vector, model.annotators)
    return HardnessFit(model, parameters, ability_sd, root, variances, coded)


def _climb(
    model: HardnessModel, vector: Array, ability_sd: float, rounds: int
) -> tuple[Array, float, Array, _Root]:
    """The mode, the spread of abilities, the variances there and the root of the covariance."""
    root: _Root | None = None
    variances: Array | None = None
    many = model.annotators
    for _ in range(rounds):
        posterior = _Posterior(model, ability_sd, None if variances is None else variances[:many])
        vector = posterior.climb(vector)
        root, variances = _precision(posterior, vector)
        squares = float((vector[:many] ** 2 + variances[:many]).sum())
        counted = squares + _PRIOR_ANNOTATORS * _USUAL_ABILITY_SD**2
        ability_sd = float(np.sqrt(counted / (many + _PRIOR_ANNOTATORS)))
    assert root is not None
    assert variances is not None
    return vector, ability_sd, variances, root


def _prior_mean(model: HardnessModel) -> Array:
    strata = np.ones(model.strata)
    return np.concatenate(
        [np.zeros(model.annotators), LEVEL_MEAN * strata, LOG_SPREAD_MEAN * strata]
    )


def _some_items(coded: Coded, judgments: int) -> Coded:
    """About so many judgments: those of items drawn without looking."""
    items = len(coded.item_ids)
    share = judgments / coded.item.size
    chosen = np.random.default_rng(0).random(items) < share
    number = np.cumsum(chosen) - 1
    kept = chosen[coded.item]
    return replace(
        coded,
        item_ids=coded.item_ids[chosen],
        item=number[coded.item[kept]],
        annotator=coded.annotator[kept],
        label=coded.label[kept],
        row=coded.row[kept],
        stratum=coded.stratum[chosen],
        choice_counts=coded.choice_counts[chosen],
        gold=coded.gold[chosen],
        own=(),  # nobody reads texts here
    )


class _Posterior:
    """Log-posterior density and its gradient.

    `variance` (annotators,) is how uncertain abilities are, over which the likelihood is averaged.
    """

    def __init__(
        self, model: HardnessModel, ability_sd: float, variance: Array | None = None
    ) -> None:
        self.model = model
        self.variance = variance
        self.mean = _prior_mean(model)
        self.precision = np.concatenate(
            [
                np.full(model.annotators, ability_sd**-2),
                np.full(model.strata, LEVEL_SD**-2),
                np.full(model.strata, LOG_SPREAD_SD**-2),
            ]
        )

    def negative(self, vector: Array) -> tuple[float, Array]:
        scores = self.model.scores(
            Parameters.from_vector(vector, self.model.annotators), self.variance
        )
        rest = vector - self.mean
        value = scores.log_likelihood.sum() - (self.precision * rest**2).sum() / 2
        return -float(value), self.precision * rest - self.model.gradient(scores)

    def climb(self, vector: Array) -> Array:
        """The mode, from `vector`, both (parameters,).

        Steps are in units of about how far each parameter may move: a stratum's level is known far
        better than an ability.
        """
        scale = 1 / np.sqrt(_outer_products(self, vector).diagonal())

        def scaled(units: Array) -> tuple[float, Array]:
            value, slope = self.negative(units * scale)
            return value, slope * scale

        limits = {"maxiter": 200, "ftol": 1e-10, "gtol": 1e-3}
        found = optimize.minimize(
            scaled, vector / scale, jac=True, method="L-BFGS-B", options=limits
        )
        return np.asarray(found.x * scale)


def _precision(posterior: _Posterior, vector: Array) -> tuple[_Root, Array]:
    """A root of the posterior's covariance, and the variances, (parameters,)."""
    model = posterior.model
    many = model.annotators
    if vector.size <= _MOST_EXACT and model.item_start.size < 50 * vector.size:
        precision = _second_derivatives(posterior, vector)
    elif many <= _MOST_DENSE:
        precision = np.asarray(_outer_products(posterior, vector).todense())
    else:
        return _arrow(_outer_products(posterior, vector).tocsr(), many)
    lower = _factor(precision)
    inverse = np.linalg.inv(lower)
    return _Root(lower), np.asarray((inverse**2).sum(axis=0))


def _second_derivatives(posterior: _Posterior, vector: Array, step: float = 1e-4) -> Array:
    rows = []
    for place in range(vector.size):
        moved = np.zeros(vector.size)
        moved[place] = step
        above = posterior.negative(vector + moved)[1]
        below = posterior.negative(vector - moved)[1]
        rows.append((above - below) / (2 * step))
    matrix = np.array(rows)
    return np.asarray((matrix + matrix.T) / 2)


def _outer_products(posterior: _Posterior, vector: Array) -> sparse.csr_matrix:
    """Sum over items of their scores' outer products, plus the prior's precision."""
    model = posterior.model
    scores = model.scores(Parameters.from_vector(vector, model.annotators), posterior.variance)
    level = model.annotators + model.stratum
    values = np.r_[scores.by_level, scores.by_level, scores.by_spread]
    columns = np.r_[model.annotator, level, level + model.strata]
    shape = (model.item_start.size, vector.size)
    of_items = sparse.csr_matrix((values, (np.tile(model.item, 3), columns)), shape=shape)
    return (of_items.T @ of_items + sparse.diags(posterior.precision)).tocsr()


def _arrow(precision: sparse.csr_matrix, many: int) -> tuple[_Root, Array]:
    """Abilities independent given the rest."""
    own = precision.diagonal()[:many]
    cross = np.asarray(precision[:many, many:].todense())
    link = cross / own[:, None]
    rest = np.asarray(precision[many:, many:].todense()) - cross.T @ link
    lower = _factor(rest)
    inverse = np.linalg.inv(lower)
    variances = 1 / own + ((inverse @ link.T) ** 2).sum(axis=0)
    rest_variances = (inverse**2).sum(axis=0)
    return _Root(None, own, lower, link), np.concatenate([variances, rest_variances])


def _factor(matrix: Array) -> Array:
    """Cholesky factor of the matrix, made steeper where rounding has left it flat."""
    try:
        return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(matrix)
        steeper = np.maximum(values, 1e-6 * values[-1])
        return np.asarray(np.linalg.cholesky((vectors * steeper) @ vectors.T), dtype=np.float64)
