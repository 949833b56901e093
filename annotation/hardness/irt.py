"""Item response theory: how hard items are, from who answered which of them right.

The chance that a respondent of ability t answers item j right is  1 / (1 + exp(-a_j (t - b_j))),
with difficulty b_j and discrimination a_j: the two-parameter model (Birnbaum 1968), or, with one a
for all items, the one-parameter model (Rasch 1960). Abilities are taken as drawn from N(0, 1), so
difficulties are in standard deviations of the respondents' ability about its mean.

Fitted by marginal likelihood: abilities are integrated out (Bock and Aitkin 1981, Psychometrika 46,
443-459), with weak priors log a ~ N(0, .5^2) and b ~ N(0, 2^2) as penalties (Mislevy 1986,
Psychometrika 51, 177-195). No randomness is used. Standard errors are those of the penalised
observed information (Louis 1982, JRSS B 44, 226-233), see `annotation.hardness.irt_errors`. In
simulations their 90 % intervals cover 87 to 89 % with 60 respondents and more, 85 % with 25.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logsumexp

from annotation.arrays import Array
from annotation.errors import InputError
from annotation.hardness.irt_errors import standard_errors

Model = Literal["1PL", "2PL"]

LOG_DISCRIMINATION_SD = 0.5
DIFFICULTY_SD = 2.0

_REACH = 6.0  # of the grid of abilities, in standard deviations
_WIDEST_STEP, _NARROWEST_STEP = 0.25, 0.02
_GRADIENT_TOLERANCE = 1e-5
_MOST_ITERATIONS = 2000


@dataclass(frozen=True)
class ItemResponse:
    """A fitted model.

    Attributes
    ----------
    difficulty, difficulty_error : (items,), with its standard error; NaN where nobody answered
    discrimination, discrimination_error : (items,), one number for all items under "1PL"
    ability, ability_error : (respondents,), posterior mean and standard deviation
    converged : whether the gradient vanished within the iterations allowed
    """

    difficulty: Array
    difficulty_error: Array
    discrimination: Array
    discrimination_error: Array
    ability: Array
    ability_error: Array
    converged: bool


def fit_item_response(right: Array, model: Model = "2PL") -> ItemResponse:
    """Fit item response theory to right and wrong answers.

    Parameters
    ----------
    right
        1 for right, 0 for wrong, NaN for no answer, (respondents, items).
    model
        "2PL", or "1PL" with one discrimination for all items; take the latter where items have
        fewer than about 50 answers each.

    Raises
    ------
    InputError
        If there are fewer than two respondents, or nobody answered anything.
    ValueError
        If `right` has another shape or holds other numbers.
    """
    if right.ndim != 2:
        raise ValueError(f"'right' should be (respondents, items); got {right.shape}.")
    if not (np.isnan(right) | (right == 0) | (right == 1)).all():
        raise ValueError("'right' should hold 0, 1 and NaN alone.")
    from scipy.optimize import minimize  # half a second to load

    given = ~np.isnan(right)
    if given.any(1).sum() < 2:
        raise InputError(
            f"item response theory needs answers of at least 2 respondents; "
            f"{int(given.any(1).sum())} answered."
        )
    answered = np.asarray(given.any(0))
    problem = _Problem(right[:, answered], shared=model == "1PL")
    found = minimize(
        problem.loss,
        problem.start(),
        jac=True,
        method="L-BFGS-B",
        options={
            "gtol": _GRADIENT_TOLERANCE,
            "ftol": 0.0,
            "maxiter": _MOST_ITERATIONS,
            "maxfun": 2 * _MOST_ITERATIONS,
            "maxcor": 30,
        },
    )
    return problem.result(found.x, answered)


class _Problem:
    """The penalised marginal likelihood; unknowns are log a (items, or one), then b (items)."""

    def __init__(self, right: Array, shared: bool) -> None:
        self.right = np.where(right == 1, 1.0, 0.0)
        self.wrong = np.where(right == 0, 1.0, 0.0)
        self.items = right.shape[1]
        self.slopes = 1 if shared else self.items
        most = float((self.right + self.wrong).sum(1).max())
        # The trapezoid rule is exact to 1e-8 while its step is at most the posterior's deviation.
        step = min(_WIDEST_STEP, max(_NARROWEST_STEP, 1 / np.sqrt(1 + most)))
        count = 2 * int(np.ceil(_REACH / step)) + 1
        self.grid = np.linspace(-_REACH, _REACH, count)
        log_weights = -(self.grid**2) / 2
        self.log_weights = log_weights - logsumexp(log_weights)

    def start(self) -> Array:
        """Discrimination 1, difficulty by the share of right answers."""
        share = (self.right.sum(0) + 0.5) / (self.right.sum(0) + self.wrong.sum(0) + 1)
        return np.concatenate([np.zeros(self.slopes), -np.log(share / (1 - share))])

    def parameters(self, unknowns: Array) -> tuple[Array, Array]:
        """Discrimination and difficulty, (items,) each."""
        slopes = np.exp(unknowns[: self.slopes])
        return np.broadcast_to(slopes, (self.items,)), unknowns[self.slopes :]

    def posterior(self, logits: Array) -> tuple[Array, float]:
        """Of abilities on the grid, (respondents, grid), and the log-likelihood of all."""
        joint = self.right @ log_expit(logits) + self.wrong @ log_expit(-logits) + self.log_weights
        total = logsumexp(joint, axis=1, keepdims=True)
        return np.exp(joint - total), float(total.sum())

    def loss(self, unknowns: Array) -> tuple[float, Array]:
        """Minus the penalised log-likelihood, and its gradient."""
        slope, difficulty = self.parameters(unknowns)
        distance = self.grid[None, :] - difficulty[:, None]
        logits = slope[:, None] * distance  # (items, grid)
        posterior, likelihood = self.posterior(logits)
        right, wrong = self.right.T @ posterior, self.wrong.T @ posterior
        residual = right - (right + wrong) * expit(logits)  # d likelihood / d logits
        of_slope = (residual * logits).sum(1)
        of_difficulty = -slope * residual.sum(1)
        log_slopes = unknowns[: self.slopes]
        if self.slopes == 1:
            of_slope = of_slope.sum(keepdims=True)
        gradient = np.concatenate(
            [
                log_slopes / LOG_DISCRIMINATION_SD**2 - of_slope,
                difficulty / DIFFICULTY_SD**2 - of_difficulty,
            ]
        )
        penalty = (log_slopes**2).sum() / (2 * LOG_DISCRIMINATION_SD**2)
        penalty += (difficulty**2).sum() / (2 * DIFFICULTY_SD**2)
        return float(penalty) - likelihood, gradient

    def result(self, unknowns: Array, answered: NDArray[np.bool_]) -> ItemResponse:
        slope, difficulty = self.parameters(unknowns)
        logits = slope[:, None] * (self.grid[None, :] - difficulty[:, None])
        posterior, _ = self.posterior(logits)
        ability = posterior @ self.grid
        spread = np.sqrt(np.maximum(posterior @ self.grid**2 - ability**2, 0.0))
        errors = standard_errors(
            self.right,
            self.wrong,
            slope,
            difficulty,
            (ability, spread),
            shared=self.slopes == 1,
            prior_precisions=(LOG_DISCRIMINATION_SD**-2, DIFFICULTY_SD**-2),
        )
        _, gradient = self.loss(unknowns)

        def everywhere(values: Array) -> Array:
            out = np.full(answered.size, np.nan)
            out[answered] = values
            return out

        return ItemResponse(
            difficulty=everywhere(difficulty),
            difficulty_error=everywhere(errors[1]),
            discrimination=everywhere(slope),
            discrimination_error=everywhere(slope * errors[0]),
            ability=ability,
            ability_error=spread,
            converged=bool(np.abs(gradient).max() <= 1e-2),
        )
