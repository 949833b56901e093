"""The paper's probe: the fast form takes the same steps as a plain loop over the features."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from training.probes import paper_probe
from training.probes.paper_probe import fit_paper_probe, fit_paper_probes, initial_weights
from training.probes.probe import LinearProbe, ProbeJob

Array = NDArray[np.float64]
Features = NDArray[np.float32]
Mask = NDArray[np.bool_]


def draw(items: int, width: int, fewest: int = 4) -> tuple[Features, NDArray[np.int64], Mask]:
    """Items with `fewest` to four choices; the label follows a direction, noisily."""
    rng = np.random.default_rng([items, width, fewest])
    mask = np.arange(4)[None, :] < rng.integers(fewest, 5, items)[:, None]
    features = rng.normal(3.0, 2.0, (items, 4, width)) * rng.uniform(0.5, 5.0, width)
    scores = features @ rng.normal(size=width) / features.std() + rng.gumbel(size=mask.shape)
    labels = np.where(mask, scores, -np.inf).argmax(1)
    features[~mask] = 1e6  # must never be read
    return features.astype(np.float32), labels, mask


def slow_fit(features: Features, targets: Array, mask: Mask, start: Array) -> Array:
    """The loop of the paper's code in torch's own parts, in float64; (width,)."""
    rows = torch.from_numpy(features[mask]).double()
    mean, deviation = rows.mean(0), rows.std(0, correction=0)
    scaled = (torch.from_numpy(features).double() - mean) / deviation
    weights = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimiser = torch.optim.SGD([weights], lr=0.05)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.1, total_iters=100)
    for _ in range(100):
        scores = (scaled @ weights).masked_fill(~torch.from_numpy(mask), -torch.inf)
        chances = torch.softmax(scores, 1)[torch.from_numpy(mask)]
        data = -(torch.from_numpy(targets[mask]) * chances.log()).sum() / len(targets)
        loss = data + torch.linalg.vector_norm(weights)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([weights], 1.0)
        optimiser.step()
        schedule.step()
    return weights.detach().numpy()


def assert_same(probe: LinearProbe, expected: Array, relative: float = 1e-9) -> None:
    error = np.linalg.norm(probe.weights[0] - expected) / np.linalg.norm(expected)
    assert error < relative


@pytest.mark.parametrize("fewest", [4, 1], ids=["four choices", "one to four choices"])
@pytest.mark.parametrize(("items", "width"), [(8, 200), (40, 12), (1, 30)])
def test_weights_equal_a_plain_loop(items: int, width: int, fewest: int) -> None:
    features, labels, mask = draw(items, width, fewest)
    probe = fit_paper_probe(features, labels, mask)
    start = initial_weights(width, 0)
    expected = slow_fit(features, np.eye(4)[labels], mask, start)
    assert_same(probe, expected)
    assert np.linalg.norm(expected - start) > 0.1
    assert probe.penalty == 1.0
    rows = features[mask].astype(np.float64)
    np.testing.assert_allclose(probe.mean, rows.mean(0))
    np.testing.assert_allclose(probe.scale, rows.std(0))
    np.testing.assert_array_equal(probe.intercepts, [0.0])


def test_float32_as_in_the_paper_is_as_near_as_float32_can_be() -> None:
    features, labels, mask = draw(30, 100)
    scaled = torch.from_numpy((features - features.mean((0, 1))) / features.std((0, 1)))
    weights = torch.nn.Parameter(torch.from_numpy(initial_weights(100, 0)).float())
    optimiser = torch.optim.SGD([weights], lr=0.05)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.1, total_iters=100)
    for _ in range(100):
        chosen = torch.softmax(scaled @ weights, 1)[torch.arange(30), torch.from_numpy(labels)]
        optimiser.zero_grad()
        (-chosen.log().mean() + weights.norm()).backward()
        torch.nn.utils.clip_grad_norm_([weights], 1.0)
        optimiser.step()
        schedule.step()
    assert_same(fit_paper_probe(features, labels, mask), weights.detach().double().numpy(), 1e-5)


def test_jobs_of_a_grid_are_fitted_as_if_alone() -> None:
    features, _, mask = draw(60, 150, 2)
    rng = np.random.default_rng(0)
    jobs = []
    for rows in (range(1), range(5), range(5, 12), range(60), [3, 3, 7]):
        for _ in range(2):
            targets = np.where(mask[rows], rng.dirichlet(np.ones(4), len(rows)), 0.0)
            targets /= targets.sum(1, keepdims=True)
            jobs.append(ProbeJob(np.array(rows), targets))
    starts = rng.normal(size=(len(jobs), 150)) / 10
    probes = fit_paper_probes(features, mask, jobs, starts)
    for job, probe, start in zip(jobs, probes, starts, strict=True):
        expected = slow_fit(features[job.rows], job.targets, mask[job.rows], start)
        assert_same(probe, expected)
        alone = fit_paper_probes(features, mask, [job], start)[0]
        np.testing.assert_allclose(alone.weights, probe.weights, rtol=0, atol=1e-12)


def test_the_start_is_that_of_a_linear_layer() -> None:
    torch.manual_seed(5)
    layer = torch.nn.Linear(40, 1, bias=False)
    np.testing.assert_array_equal(initial_weights(40, 5), layer.weight.detach()[0].numpy())
    features, labels, mask = draw(8, 40)
    given = fit_paper_probe(features, labels, mask, initial_weights(40, 5))
    np.testing.assert_array_equal(
        fit_paper_probe(features, labels, mask, seed=5).weights, given.weights
    )


def test_the_start_is_all_but_forgotten() -> None:
    """On wide features its share falls below .01, so that seeds of the start do not matter."""
    features, labels, mask = draw(40, 2000)
    first, second = (fit_paper_probe(features, labels, mask, seed=seed) for seed in (0, 1))
    apart = np.linalg.norm(initial_weights(2000, 0) - initial_weights(2000, 1))
    assert np.linalg.norm(first.weights - second.weights) < 0.01 * apart


def test_from_zero_the_length_has_no_pull() -> None:
    """At w = 0 the first step goes along the clipped gradient of the likelihood alone."""
    features, labels, mask = draw(10, 50)
    expected = slow_fit(features, np.eye(4)[labels], mask, np.zeros(50))
    assert_same(fit_paper_probe(features, labels, mask, np.zeros(50)), expected)


def test_a_constant_feature_counts_as_zero() -> None:
    features, labels, mask = draw(10, 20)
    features[:, :, 3] = 0.1
    start = initial_weights(20, 0)
    probe = fit_paper_probe(features, labels, mask, start)
    assert probe.scale[3] == 1.0
    assert probe.mean[3] == np.float32(0.1)
    # Only the penalty moves its weight: in proportion, towards zero.
    assert abs(probe.weights[0, 3]) < abs(start[3])
    others = np.delete(features, 3, 2)
    start[3] = 0.0
    left = fit_paper_probe(features, labels, mask, start).weights[0]
    assert left[3] == pytest.approx(0.0, abs=1e-15)
    without = fit_paper_probe(others, labels, mask, np.delete(start, 3)).weights[0]
    np.testing.assert_allclose(np.delete(left, 3), without, rtol=0, atol=1e-12)


def test_weights_that_are_not_finite_are_fitted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only theirs: with a quarter of the clipping length and four times the penalty, twice here."""
    features, labels, mask = draw(10, 50)
    jobs = [ProbeJob(np.arange(n), np.eye(4)[labels[:n]]) for n in (10, 10, 6)]
    plain = fit_paper_probes(features, mask, jobs)
    real, seen = paper_probe._descend, []

    def break_twice(
        problem: paper_probe._Problem, clip: torch.Tensor, penalty: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        shares, sums = real(problem, clip, penalty)
        seen.append((clip.clone(), penalty.clone()))
        if len(seen) <= 2:
            sums[-1, 0, 1] = torch.nan  # sets are sorted by size: job 1
        return shares, sums

    monkeypatch.setattr(paper_probe, "_descend", break_twice)
    probes = fit_paper_probes(features, mask, jobs)
    assert [probe.penalty for probe in probes] == [1.0, 16.0, 1.0]
    np.testing.assert_array_equal(probes[0].weights, plain[0].weights)
    np.testing.assert_array_equal(probes[2].weights, plain[2].weights)
    assert seen[-1][0][-1, 1] == 1 / 16
    assert np.linalg.norm(probes[1].weights) < np.linalg.norm(plain[1].weights)


def test_weights_that_stay_infinite_are_an_error() -> None:
    features, labels, mask = draw(10, 50)
    jobs = [ProbeJob(np.arange(10), np.eye(4)[labels])] * 2
    starts = np.stack([initial_weights(50, 0), np.full(50, 1e308)])
    with pytest.raises(ValueError, match="job 1: weights are not finite, not even after 5"):
        fit_paper_probes(features, mask, jobs, starts)


def test_shared_choices_are_refused() -> None:
    features, labels, mask = draw(10, 50)
    with pytest.raises(ValueError, match="'features' should have a row per choice"):
        fit_paper_probe(features[:, :1], labels, mask)
