import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.hardness.ridge import PENALTIES, fit_ridge


@pytest.mark.parametrize("of_a_group", [1, 3])
@pytest.mark.parametrize(("rows", "width"), [(12, 40), (40, 6), (9, 9)])
def test_solution_and_penalty_are_those_of_the_obvious_way(
    rows: int, width: int, of_a_group: int
) -> None:
    rng = np.random.default_rng(rows)
    features = rng.normal(2, 3, (rows, width))
    features[:, 0] = 7.0  # constant
    values = features @ rng.normal(size=width) + rng.normal(0, 2, rows)
    groups = rng.permutation(rows) // of_a_group  # sizes 3 and, where they do not come out, less
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
        for left_out in np.unique(groups):
            out = groups == left_out
            weights, intercept = solve(~out, float(penalty))
            total += ((values[out] - scaled[out] @ weights - intercept) ** 2).sum()
        errors[penalty] = total
    best = min(errors, key=lambda penalty: errors[penalty])
    found = fit_ridge(features, values, groups.tolist())
    assert found.penalty == pytest.approx(best)
    if of_a_group == 1:
        assert fit_ridge(features, values).penalty == found.penalty
    weights, intercept = solve(np.ones(rows, dtype=bool), float(best))
    assert found.predict(features) == pytest.approx(scaled @ weights + intercept)


def test_constant_values_are_predicted_as_they_are() -> None:
    features = np.random.default_rng(0).normal(size=(8, 3))
    assert fit_ridge(features, np.full(8, 4.0)).predict(features) == pytest.approx(np.full(8, 4.0))
    nothing = fit_ridge(np.zeros((8, 2)), np.arange(8, dtype=np.float64))
    assert nothing.predict(np.zeros((1, 2))) == pytest.approx([3.5])


def test_rows_of_a_group_do_not_choose_the_penalty_for_each_other() -> None:
    """Features that name the group: within it they tell all, of another group little."""
    lost: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        group = np.repeat(np.arange(60), 5)
        centres = rng.normal(size=(60, 30))
        mean = centres[:, 0] + rng.normal(0, 3, 60)
        features = centres[group] + rng.normal(0, 0.01, (300, 30))
        values = mean[group] + rng.normal(0, 0.01, 300)
        new = rng.normal(size=(500, 30))
        for grouped in lost:
            found = fit_ridge(features, values, group.tolist() if grouped else None)
            lost[grouped].append(float(np.mean((found.predict(new) - new[:, 0]) ** 2)))
    assert np.mean(lost[True]) < 0.7 * np.mean(lost[False])


def test_one_group_alone_is_left_out_row_by_row() -> None:
    features = np.random.default_rng(1).normal(size=(20, 3))
    values = features[:, 0] + np.random.default_rng(2).normal(size=20)
    assert fit_ridge(features, values, ["one"] * 20).penalty == fit_ridge(features, values).penalty
