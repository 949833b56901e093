import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.groups import group_folds
from annotation.hardness import predicted
from annotation.hardness.predicted import predict_hardness
from annotation.hardness.ridge import fit_ridge


def data(rated: int = 40, new: int = 7) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(rated)
    features = rng.normal(size=(rated + new, 5))
    measured = features[:, 0] * 2 + rng.normal(0, 0.5, rated + new)
    measured[rng.permutation(rated + new)[:new]] = np.nan
    return features, measured


def test_intervals_are_those_of_the_obvious_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicted, "_VALUES_AT_ONCE", 100)  # new items in several blocks
    features, measured = data()
    found = predict_hardness(features, measured, coverage=0.8, folds=4, seed=3)
    known = ~np.isnan(measured)
    rows, truth = features[known], measured[known]
    fold_of = group_folds(np.arange(len(measured))[known].tolist(), 4, 3)
    fits = [fit_ridge(rows[fold_of != fold], truth[fold_of != fold]) for fold in range(4)]
    for item in np.flatnonzero(~known):
        lows, highs = [], []
        for place in range(len(rows)):
            fit = fits[fold_of[place]]
            centre = fit.predict(features[[item]])[0]
            residual = abs(truth[place] - fit.predict(rows[[place]])[0])
            lows.append(centre - residual)
            highs.append(centre + residual)
        rank = math.floor(0.2 * 41)  # Barber et al. 2021: the 8th smallest and largest of 40
        value = fit_ridge(rows, truth).predict(features[[item]])[0]
        assert found.values[item] == pytest.approx(value)
        assert found.low[item] == pytest.approx(min(value, sorted(lows)[rank - 1]))
        assert found.high[item] == pytest.approx(max(value, sorted(highs)[-rank]))
    out = np.array([fits[fold_of[p]].predict(rows[[p]])[0] for p in range(len(rows))])
    assert found.out_of_fold[known] == pytest.approx(out)
    assert found.explained == pytest.approx(1 - ((truth - out) ** 2).mean() / truth.var())


def test_rated_items_keep_their_measure() -> None:
    features, measured = data()
    found = predict_hardness(features, measured)
    known = ~np.isnan(measured)
    for column in (found.values, found.low, found.high):
        assert column[known].tolist() == measured[known].tolist()
        assert np.isfinite(column).all()
    assert np.isnan(found.out_of_fold[~known]).all()
    assert (found.rated, found.spearman > 0.8) == (40, True)


def test_features_that_tell_nothing_are_told() -> None:
    rng = np.random.default_rng(0)
    found = predict_hardness(np.zeros((30, 2)), rng.normal(size=30))
    assert found.explained <= 0
    constant = predict_hardness(rng.normal(size=(30, 2)), np.ones(30))
    assert math.isnan(constant.spearman) and constant.explained == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"measured": np.where(np.arange(30) < 19, 1.0, np.nan)}, "19 have it, at least 20"),
        ({"groups": ["one"] * 30}, r"all rated items are of one group \('one'\)"),
        ({"coverage": 0.99}, "intervals of coverage 0.99 need at least 99 rated items; got 30"),
    ],
)
def test_too_little_to_learn_from(changes: dict[str, Any], message: str) -> None:
    features = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.raises(InputError, match=message):
        predict_hardness(**{"features": features, "measured": features[:, 0], **changes})


def test_as_many_rated_items_as_the_coverage_needs() -> None:
    features, measured = data(rated=99)
    found = predict_hardness(features, measured, coverage=0.99)  # the outermost of 99
    assert (found.high - found.low)[np.isnan(measured)].min() > 0
    features, measured = data(rated=98)
    with pytest.raises(InputError, match="at least 99 rated items; got 98"):
        predict_hardness(features, measured, coverage=0.99)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": np.zeros(30)}, r"should be \(items, width\)"),
        ({"features": np.full((30, 2), np.inf)}, "'features' should be finite"),
        ({"coverage": 1.0}, "'coverage' should be within 0 and 1"),
    ],
)
def test_wrong_input(changes: dict[str, Any], message: str) -> None:
    arguments = {"features": np.zeros((30, 2)), "measured": np.arange(30.0), **changes}
    with pytest.raises(ValueError, match=message):
        predict_hardness(**arguments)


def test_predictions_no_better_than_chance_tell_nothing() -> None:
    features, measured = data()
    assert predict_hardness(features, measured).tells
    told = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        noise = np.where(np.isnan(measured), np.nan, rng.normal(size=len(measured)))
        told += predict_hardness(features, noise, seed=seed).tells
    assert told <= 4  # of 40; one in twenty is expected at most
