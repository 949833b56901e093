import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.hardness.ridge import PENALTIES, fit_ridge


@pytest.mark.parametrize(("rows", "width"), [(12, 40), (40, 6), (9, 9)])
def test_solution_and_penalty_are_those_of_the_obvious_way(rows: int, width: int) -> None:
    rng = np.random.default_rng(rows)
    features = rng.normal(2, 3, (rows, width))
    features[:, 0] = 7.0  # constant
    values = features @ rng.normal(size=width) + rng.normal(0, 2, rows)
    spread = features.std(0)
    scaled = (features - features.mean(0)) / np.where(spread > 0, spread, 1)
    unit = (scaled**2).sum() / rows

    def solve(keep: NDArray[np.bool_], penalty: float) -> tuple[NDArray[np.float64], float]:
        x, y = scaled[keep], values[keep]
        design = np.column_stack([x, np.ones(len(x))])
        weigh = np.diag([penalty * unit] * width + [0.0])
        both = np.linalg.solve(design.T @ design + weigh, design.T @ y)
        return both[:-1], float(both[-1])

    errors = {}
    for penalty in PENALTIES:
        total = 0.0
        for left_out in range(rows):
            keep = np.arange(rows) != left_out
            weights, intercept = solve(keep, float(penalty))
            total += (values[left_out] - scaled[left_out] @ weights - intercept) ** 2
        errors[penalty] = total
    best = min(errors, key=lambda penalty: errors[penalty])
    found = fit_ridge(features, values)
    assert found.penalty == pytest.approx(best)
    weights, intercept = solve(np.ones(rows, dtype=bool), float(best))
    assert found.predict(features) == pytest.approx(scaled @ weights + intercept)


def test_constant_values_are_predicted_as_they_are() -> None:
    features = np.random.default_rng(0).normal(size=(8, 3))
    assert fit_ridge(features, np.full(8, 4.0)).predict(features) == pytest.approx(np.full(8, 4.0))
    nothing = fit_ridge(np.zeros((8, 2)), np.arange(8, dtype=np.float64))
    assert nothing.predict(np.zeros((1, 2))) == pytest.approx([3.5])
