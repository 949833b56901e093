"""Many probes at once: each equals a plain minimisation of its own, whatever else is solved."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from training.probes.probe import (
    GRADIENT_TOLERANCE,
    PENALTIES,
    ProbeJob,
    fit_probe,
    fit_probes,
    score_probes,
)

Array = NDArray[np.float64]
Features = NDArray[np.float32]
Mask = NDArray[np.bool_]

ITEMS, CHOICES = 40, 4


def draw(width: int, own_choices: bool, seed: int = 0) -> tuple[Features, Mask]:
    """Features and mask of items, some with two or three of the four choices."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(2, CHOICES + 1, ITEMS)
    mask = np.arange(CHOICES)[None, :] < counts[:, None]
    features = rng.normal(2.0, 1.5, (ITEMS, CHOICES if own_choices else 1, width))
    return features.astype(np.float32), mask


def draw_job(mask: Mask, rows: Sequence[int], seed: int, kind: str) -> ProbeJob:
    """A job with hard targets, soft targets, or hard targets and redraw rates."""
    rng = np.random.default_rng([seed, len(kind)])
    chances = np.where(mask[rows], rng.dirichlet(np.ones(CHOICES), len(rows)), 0.0)
    chances /= chances.sum(1, keepdims=True)
    targets = chances if kind == "soft" else np.eye(CHOICES)[chances.argmax(1)]
    rates = rng.choice([0.0, 0.2, 0.7], len(rows)) if kind == "corrected" else None
    return ProbeJob(np.array(rows), targets, rates)


def slow_losses(
    weights: torch.Tensor, intercepts: torch.Tensor, scaled: Array, mask: Mask, job: ProbeJob
) -> list[torch.Tensor]:
    """Every item's loss, as the definition has it."""
    losses = []
    for item, row in enumerate(job.rows):
        there = np.flatnonzero(mask[row])
        vectors = torch.from_numpy(scaled[item])
        if len(vectors) == 1:
            scores = torch.stack([vectors[0] @ weights[k] + intercepts[k] for k in there])
        else:
            scores = torch.stack([vectors[k] @ weights[0] for k in there])
        rate = 0.0 if job.redraw_rates is None else float(job.redraw_rates[item])
        chances = (1 - rate) * scores.softmax(0) + rate / len(there)
        losses.append(-(torch.from_numpy(job.targets[item, there]) * chances.log()).sum())
    return losses


def slow_scale(features: Features, mask: Mask, rows: NDArray[np.int64]) -> Array:
    own = features[rows].astype(np.float64)
    flat = own[:, 0] if own.shape[1] == 1 else own[mask[rows]]
    scaled: Array = (own - flat.mean(0)) / (flat.std(0) * np.sqrt(own.shape[2]))
    return scaled


def slow_fit(scaled: Array, mask: Mask, job: ProbeJob, penalty: float) -> tuple[Array, Array]:
    """One fit in all its coordinates, started from zero."""
    width, heads = scaled.shape[2], CHOICES if scaled.shape[1] == 1 else 1

    def objective(flat: Array) -> tuple[float, Array]:
        parameters = torch.tensor(flat, requires_grad=True)
        weights = parameters[: heads * width].reshape(heads, width)
        losses = slow_losses(weights, parameters[heads * width :], scaled, mask, job)
        loss = torch.stack(losses).mean() + penalty / 2 * (weights**2).sum()
        loss.backward()
        assert parameters.grad is not None
        return loss.item(), parameters.grad.numpy()

    start = np.zeros(heads * width + (heads if heads > 1 else 0))
    found = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-8}).x
    return found[: heads * width].reshape(heads, width), found[heads * width :]


@pytest.mark.parametrize("own_choices", [True, False], ids=["own choices", "classes"])
@pytest.mark.parametrize("width", [4, 60], ids=["primal", "dual"])
def test_every_fit_of_a_grid_equals_a_plain_minimisation(own_choices: bool, width: int) -> None:
    features, mask = draw(width, own_choices)
    jobs = [
        draw_job(mask, rows, seed, kind)
        for seed, rows in enumerate([range(6), range(3, 12)])
        for kind in ("hard", "soft", "corrected")
    ]
    penalty = 0.1
    probes = fit_probes(features, mask, jobs, [penalty])
    for probe, job in zip(probes, jobs, strict=True):
        scaled = slow_scale(features, mask, job.rows)
        weights, intercepts = slow_fit(scaled, mask, job, penalty)
        tolerance = 20 * GRADIENT_TOLERANCE / penalty
        np.testing.assert_allclose(probe.weights, weights, rtol=0, atol=tolerance)
        assert np.abs(weights).max() > 10 * tolerance
        # A class that no label names has an intercept of minus infinity: compare chances.
        scores = scaled @ weights[0] if own_choices else scaled[:, 0] @ weights.T + intercepts
        real = mask[job.rows]
        expected = softmax(np.where(real, scores, -np.inf), axis=1)
        found = softmax(probe.scores(features[job.rows], real), axis=1)
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_correction_is_what_its_formula_says() -> None:
    """One item, two choices, one feature: the fit solves an equation in one unknown.

    Rows are scaled to -1 and 1, so p = 1 / (1 + exp(-2 w)). With a share r redrawn, the loss is
    -log((1 - r) p + r / 2), and its slope + penalty * w vanishes at the fit.
    """
    features = np.array([[[5.0], [3.0]]], dtype=np.float32)
    mask = np.ones((1, 2), dtype=bool)
    targets = np.array([[1.0, 0.0]])
    rate, penalty = 0.4, 0.1
    job = ProbeJob(np.array([0]), targets, np.array([rate]))
    w = fit_probes(features, mask, [job], [penalty])[0].weights[0, 0]
    p = 1 / (1 + np.exp(-2 * w))
    slope = -(1 - rate) * 2 * p * (1 - p) / ((1 - rate) * p + rate / 2)
    assert slope + penalty * w == pytest.approx(0.0, abs=GRADIENT_TOLERANCE)
    plain = fit_probes(features, mask, [ProbeJob(np.array([0]), targets)], [penalty])[0]
    assert 0.5 < w < plain.weights[0, 0] - 0.1


def test_rates_of_zero_change_nothing_and_of_one_leave_nothing_to_learn() -> None:
    features, mask = draw(20, True)
    plain = draw_job(mask, range(12), 0, "hard")
    jobs = [ProbeJob(plain.rows, plain.targets, np.full(12, rate)) for rate in (0.0, 1.0)]
    none, everything = fit_probes(features, mask, jobs, [0.01])
    without = fit_probes(features, mask, [plain], [0.01])[0]
    np.testing.assert_allclose(none.weights, without.weights, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(everything.weights, 0.0)


def slow_choice(
    features: Features, mask: Mask, job: ProbeJob, penalties: Sequence[float]
) -> tuple[float, float]:
    """The penalty of the least loss on held-out items, and by how much it is ahead."""
    scaled = slow_scale(features, mask, job.rows)
    losses = []
    for penalty in penalties:
        loss = 0.0
        for fold in range(5):
            out = np.arange(job.rows.size) % 5 == fold
            parts = [
                ProbeJob(
                    job.rows[own],
                    job.targets[own],
                    None if job.redraw_rates is None else job.redraw_rates[own],
                )
                for own in (~out, out)
            ]
            weights, intercepts = slow_fit(scaled[~out], mask, parts[0], penalty)
            tensors = torch.from_numpy(weights), torch.from_numpy(intercepts)
            loss += float(sum(slow_losses(*tensors, scaled[out], mask, parts[1])))
        losses.append(loss)
    best, second = sorted(losses)[:2]
    return penalties[int(np.argmin(losses))], second - best


@pytest.mark.parametrize("kind", ["soft", "corrected"])
def test_the_penalty_is_chosen_under_the_jobs_own_targets(kind: str) -> None:
    features, mask = draw(3, True)
    direction = np.array([3.0, -2.0, 1.0])
    scores = np.where(mask, features @ direction, -np.inf)
    chances = np.exp(log_softmax(scores, axis=1))
    hard = np.eye(CHOICES)[scores.argmax(1)]
    rates = np.tile([0.5, 0.0], 20) if kind == "corrected" else None
    rows = np.arange(20)
    targets = (0.6 * chances + 0.4 * mask / mask.sum(1, keepdims=True)) if kind == "soft" else hard
    job = ProbeJob(rows, targets[:20], None if rates is None else rates[:20])
    grid = (1.0, 0.1, 0.01, 0.001)
    expected, ahead = slow_choice(features, mask, job, grid)
    assert ahead > 1e-3
    assert expected < 1.0
    assert fit_probes(features, mask, [job], grid)[0].penalty == expected


@pytest.mark.parametrize("own_choices", [True, False], ids=["own choices", "classes"])
@pytest.mark.parametrize("penalties", [(0.03,), PENALTIES], ids=["one penalty", "chosen"])
def test_a_fit_does_not_depend_on_the_other_jobs(
    own_choices: bool, penalties: Sequence[float]
) -> None:
    features, mask = draw(50, own_choices)
    jobs = [
        draw_job(mask, rows, seed, kind)
        for seed, rows in enumerate([range(1), range(7), range(30), [5, 5, 9, 2], range(7, 12)])
        for kind in ("hard", "soft", "corrected")
    ]
    together = fit_probes(features, mask, jobs, penalties)
    for job, probe in zip(jobs, together, strict=True):
        alone = fit_probes(features, mask, [job], penalties)[0]
        assert probe.penalty == alone.penalty
        np.testing.assert_allclose(probe.weights, alone.weights, rtol=0, atol=1e-8)
        np.testing.assert_allclose(probe.intercepts, alone.intercepts, rtol=1e-7, atol=1e-8)
    backwards = fit_probes(features, mask, jobs[::-1], penalties)[::-1]
    for probe, again in zip(together, backwards, strict=True):
        np.testing.assert_allclose(probe.weights, again.weights, rtol=0, atol=1e-8)


def test_rows_may_be_any_items_in_any_order() -> None:
    features, mask = draw(30, True)
    rows = np.array([17, 3, 3, 29, 11])
    targets = draw_job(mask, list(rows), 0, "hard").targets
    probe = fit_probes(features, mask, [ProbeJob(rows, targets)], [0.1])[0]
    same = fit_probe(features[rows], targets.argmax(1), mask[rows], [0.1])
    np.testing.assert_allclose(probe.weights, same.weights, rtol=0, atol=1e-10)


def test_an_item_twice_counts_twice() -> None:
    """Two like items with unlike hard labels are one item with half a target each."""
    features, mask = draw(30, True)
    rows = np.array([0, 0, 1, 1])
    label = np.array([0, 1, 1, 1])
    twice = ProbeJob(rows, np.eye(CHOICES)[label])
    once = ProbeJob(rows[::2], np.array([[0.5, 0.5, 0, 0], [0, 1.0, 0, 0]]))
    first, second = fit_probes(features, mask, [twice, once], [0.1])
    np.testing.assert_allclose(first.weights, second.weights, rtol=0, atol=1e-5)
    assert np.abs(first.weights).max() > 0.01


def test_a_single_class_in_the_labels_is_always_the_answer() -> None:
    features, mask = draw(30, False)
    mask[:] = True
    job = ProbeJob(np.arange(12), np.eye(CHOICES)[np.full(12, 2)])
    probe = fit_probes(features, mask, [job])[0]
    assert np.isfinite(probe.intercepts).all()
    assert (probe.scores(features, mask).argmax(1) == 2).all()
    np.testing.assert_allclose(probe.weights, 0.0, atol=1e-4)


def test_a_single_choice_has_nothing_to_learn() -> None:
    features, _ = draw(5, False)
    mask = np.ones((ITEMS, 1), dtype=bool)
    probe = fit_probes(features, mask, [ProbeJob(np.arange(9), np.ones((9, 1)))])[0]
    np.testing.assert_array_equal(probe.weights, np.zeros((1, 5)))
    np.testing.assert_array_equal(probe.scores(features, mask), np.zeros((ITEMS, 1)))


@pytest.mark.parametrize("own_choices", [True, False], ids=["own choices", "classes"])
def test_scores_of_all_jobs_are_those_of_each(own_choices: bool) -> None:
    features, mask = draw(30, own_choices)
    jobs = [draw_job(mask, range(8), seed, "soft") for seed in range(3)]
    probes = fit_probes(features, mask, jobs, [0.01])
    scores = score_probes(probes, features, mask)
    assert scores.shape == (3, ITEMS, CHOICES)
    for probe, own in zip(probes, scores, strict=True):
        scaled = (features - probe.mean) / probe.scale
        expected = scaled @ probe.weights[0] if own_choices else scaled[:, 0] @ probe.weights.T
        np.testing.assert_allclose(own[mask], (expected + probe.intercepts)[mask], atol=1e-9)
        assert np.isneginf(own[~mask]).all()


def test_progress_counts_jobs() -> None:
    features, mask = draw(300, True)
    jobs = [draw_job(mask, range(n), n, "hard") for n in (2, 40, 3, 40)]
    seen: list[tuple[int, int]] = []
    fit_probes(features, mask, jobs, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (4, 4)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert fit_probes(features, mask, []) == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_finds_the_same() -> None:
    features, mask = draw(60, True)
    jobs = [draw_job(mask, range(9), seed, "corrected") for seed in range(3)]
    here = fit_probes(features, mask, jobs)
    there = fit_probes(features, mask, jobs, device="cuda")
    for one, other in zip(here, there, strict=True):
        assert one.penalty == other.penalty
        np.testing.assert_allclose(one.weights, other.weights, rtol=0, atol=1e-7)


def test_wrong_jobs_name_themselves() -> None:
    features, mask = draw(5, True)
    mask[0] = [True, True, False, False]
    good = draw_job(mask, [0, 1], 0, "hard")

    def wrong(**changes: object) -> ProbeJob:
        return ProbeJob(**({**vars(good), **changes}))

    absent = np.array([[0, 0, 1.0, 0], good.targets[1]])
    for job, message in (
        (wrong(rows=np.array([0, ITEMS])), f"'rows' should be from 0 to {ITEMS - 1}; got 0 to"),
        (wrong(targets=good.targets[:1]), r"'targets' should be of shape \(2, 4\); got \(1, 4\)"),
        (wrong(targets=absent), "'targets' should be chances .* for item 0"),
        (wrong(targets=good.targets * [[1], [0.5]]), "'targets' should be chances .* for item 1"),
        (wrong(targets=good.targets * np.nan), "'targets' should be chances .* for item 0"),
        (wrong(redraw_rates=np.array([0.2, 1.1])), "'redraw_rates' should be 2 shares"),
        (wrong(redraw_rates=np.array([0.2])), "'redraw_rates' should be 2 shares"),
    ):
        with pytest.raises(ValueError, match=f"job 1: {message}"):
            fit_probes(features, mask, [good, job])
    with pytest.raises(ValueError, match="'mask' should be"):
        fit_probes(features, mask[:, :3], [good])
    for penalties in ((), (1.0, -0.1)):
        with pytest.raises(ValueError, match="'penalties' should be at least one, none negative"):
            fit_probes(features, mask, [good], penalties)
