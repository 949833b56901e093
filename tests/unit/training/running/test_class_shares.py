"""Answers of probes that are told how common classes are."""

from dataclasses import replace

import numpy as np
import pytest

from training.probes.probe import ProbeJob, fit_probes, score_probes
from training.running.class_shares import CLASS_SHARES, share_corrections, with_class_shares
from training.targets.make import Targets
from training.trial import Recipe

PROBE = Recipe("probe", (("optimiser", "ridge"),))


def test_a_class_that_labels_overlook_is_answered_about_as_often_as_it_is_there() -> None:
    rng = np.random.default_rng(3)
    answers = (rng.random(2400) < 0.75).astype(np.int64)
    drawn = rng.normal(np.where(answers, 0.7, -0.7)[:, None], 1, (2400, 4))
    features = drawn[:, None].astype(np.float32)
    said = np.where((answers == 1) & (rng.random(2400) < 0.6), 0, answers)[:1200]
    targets = np.eye(2)[said]
    mask = np.ones((2400, 2), dtype=bool)
    (probe,) = fit_probes(features, mask, [ProbeJob(np.arange(1200), targets)])
    scores = score_probes([probe], features[1200:], mask[1200:])
    told = share_corrections(with_class_shares(PROBE, (0.25, 0.75)), [Targets(targets)])
    assert told is not None
    right = [(own.argmax(1) == answers[1200:]).mean() for own in (scores[0], scores[0] + told)]
    assert right[0] < 0.6
    assert right[1] > 0.82
    before, after = (float(own.argmax(1).mean()) for own in (scores[0], scores[0] + told))
    assert abs(after - 0.75) < 0.5 * abs(before - 0.75)


def test_labels_that_are_as_common_change_nothing() -> None:
    targets = Targets(np.eye(2)[np.repeat([0, 1], [100, 300])])
    told = share_corrections(with_class_shares(PROBE, (0.25, 0.75)), [targets])
    assert told is not None
    np.testing.assert_allclose(told, 0, atol=5e-3)


def test_a_class_that_nobody_named_is_not_impossible() -> None:
    told = share_corrections(with_class_shares(PROBE, (0.2, 0.8)), [Targets(np.eye(2)[[0] * 9])])
    assert told is not None
    assert np.isfinite(told).all()


def test_a_recipe_that_tells_nothing_is_as_it_was() -> None:
    assert share_corrections(PROBE, [Targets(np.eye(2))]) is None
    told = with_class_shares(PROBE, (0.5, 0.5))
    assert dict(told.settings) == {"optimiser": "ridge", CLASS_SHARES: (0.5, 0.5)}
    assert replace(told, settings=PROBE.settings) == PROBE


@pytest.mark.parametrize("recipe", [Recipe("qlora"), PROBE])
def test_only_probes_take_shares_above_nothing(recipe: Recipe) -> None:
    with pytest.raises(ValueError, match="only probes take class shares, each above 0"):
        with_class_shares(recipe, (0.0, 1.0) if recipe is PROBE else (0.5, 0.5))
