"""A grid of probes: labelmix against the paper's optimiser and scikit-learn, fit by fit.

5 seeds x 6 sizes (10 to 320 labels, nested) x 4 error rates are 120 probes, on 8,192 features and 4
choices. Generated features with a weak linear signal. Peers are timed on one seed, 24 fits, and so
is labelmix where it is compared; nothing is scaled up. A fit's time begins with the features as
they are stored; scoring the 1,000 test items is timed by itself. The paper's code scales the
features in every step, and so does the loop; one that scales them once is shown beside it.
"""

import multiprocessing
import resource
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from _machine import Timing, interleaved_medians, write_result
from _probe_peers import (
    Array,
    Features,
    Labels,
    classify,
    classify_by_folds,
    paper_weights,
    scale,
)
from training.probes.paper_probe import fit_paper_probes, initial_weights
from training.probes.probe import (
    PENALTIES,
    LinearProbe,
    ProbeJob,
    fit_probe,
    fit_probes,
    score_probes,
)

WIDTH = 8192
CHOICES = 4
SIZES = (10, 20, 40, 80, 160, 320)
ERROR_RATES = (0.0, 0.1, 0.2, 0.3)
SEEDS = 5
POOL, TEST = 800, 1000
PENALTY = 0.01  # where one is enough
Answers = NDArray[np.int64]


def draw(
    own_choices: bool, items: int = POOL + TEST, width: int = WIDTH
) -> tuple[Features, Labels]:
    """Correlated features and right answers; every answer's mark is small beside the noise.

    Items have a vector per choice, of which the right one is shifted, or one vector, shifted
    towards its class.
    """
    rng = np.random.default_rng(1)
    basis = rng.standard_normal((64, width), dtype=np.float32)
    answers = rng.integers(0, CHOICES, items)
    features = np.empty((items, CHOICES if own_choices else 1, width), dtype=np.float32)
    for item, answer in enumerate(answers):
        hidden = rng.standard_normal((features.shape[1], 64), dtype=np.float32)
        if own_choices:
            hidden[answer, :4] += 0.7
        else:
            hidden[0, 4 * answer : 4 * answer + 4] += 0.7
        noise = rng.standard_normal(features.shape[1:], dtype=np.float32)
        features[item] = hidden @ basis + 2 * noise
    return features, answers


def grid(answers: Labels, seeds: int = SEEDS, sizes: Sequence[int] = SIZES) -> list[ProbeJob]:
    """Jobs seed by seed, size by size; a share of the labels is redrawn from all choices."""
    jobs = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        order = rng.permutation(POOL)[: max(sizes)]
        draws, others = rng.random(order.size), rng.integers(0, CHOICES, order.size)
        for size in sizes:
            for rate in ERROR_RATES:
                labels = np.where(draws < rate, others, answers[order])[:size]
                jobs.append(ProbeJob(order[:size], np.eye(CHOICES)[labels]))
    return jobs


def against_the_paper(features: Features, answers: Labels) -> dict[str, Any]:
    """The paper's optimiser: equal weights, equal accuracies, and seconds."""
    jobs = grid(answers, 1)
    start = initial_weights(WIDTH, 0)

    kept: dict[str, list[Array]] = {}  # the last weights of every contestant

    def loop(scale_once: bool) -> None:
        kept["loop"] = [
            paper_weights(features[job.rows], job.targets.argmax(1), start, scale_once)
            for job in jobs
        ]

    def ours() -> list[LinearProbe]:
        return fit_paper_probes(features, np.ones((len(features), CHOICES), bool), jobs, start)

    timings = interleaved_medians(
        {
            "labelmix": ours,
            "paper's loop, scaled once": lambda: loop(scale_once=True),
            "paper's loop": lambda: loop(scale_once=False),
        },
        repetitions=2,
    )
    probes, weights = ours(), kept["loop"]
    errors = [
        float(np.linalg.norm(probe.weights[0] - own) / np.linalg.norm(own))
        for probe, own in zip(probes, weights, strict=True)
    ]
    assert max(errors) < 1e-5, f"weights differ by {max(errors):.1e}"
    test = features[POOL:]
    mask = np.ones((TEST, CHOICES), dtype=bool)

    def score_one_by_one() -> list[Answers]:
        """Scale the test items by the training items' mean and deviation, and score: per fit."""
        found = []
        for probe, own in zip(probes, weights, strict=True):
            scaled = (test - probe.mean.astype(np.float32)) / probe.scale.astype(np.float32)
            found.append(np.asarray((scaled @ own.astype(np.float32)).argmax(1)))
        return found

    found, expected = score_probes(probes, test, mask).argmax(-1), np.stack(score_one_by_one())
    accuracies = compare_accuracies(found, expected, answers[POOL:])
    scoring = interleaved_medians(
        {
            "labelmix": lambda: score_probes(probes, test, mask),
            "one by one": score_one_by_one,
        },
        repetitions=3,
    )
    print(f"paper's optimiser, 24 fits, weights equal to {max(errors):.0e}, accuracies equal:")
    return {
        "largest_relative_error_of_weights": max(errors),
        "accuracies": accuracies,
        "fit": report(timings, "labelmix"),
        "score": report(scoring, "labelmix", "scoring 1,000 items by 24 probes: "),
    }


def against_scikit_learn(features: Features, answers: Labels) -> dict[str, Any]:
    """Classes of one vector per item, at fixed penalties: equal accuracies, and seconds.

    The penalties: the one that labelmix chooses most often here, ten times that, and a tenth.
    """
    jobs = grid(answers, 1)
    mask = np.ones((len(features), CHOICES), dtype=bool)
    chosen = Counter(probe.penalty for probe in fit_probes(features, mask, jobs))
    usual = chosen.most_common(1)[0][0]
    results: dict[str, Any] = {"penalties_chosen": {f"{key:g}": n for key, n in chosen.items()}}
    for penalty in (10 * usual, usual, usual / 10):

        def ours(penalty: float = penalty) -> list[LinearProbe]:
            return fit_probes(features, mask, jobs, [penalty])

        def peer(penalty: float = penalty) -> list[Any]:
            return [
                classify(scale(features[job.rows, 0]), job.targets.argmax(1), penalty)
                for job in jobs
            ]

        probes = ours()
        expected = np.stack(
            [
                model.predict((features[POOL:, 0] - probe.mean) / probe.scale)
                for model, probe in zip(peer(), probes, strict=True)
            ]
        )
        found = score_probes(probes, features[POOL:], mask[POOL:]).argmax(-1)
        accuracies = compare_accuracies(found, expected, answers[POOL:])
        timings = interleaved_medians({"labelmix": ours, "scikit-learn": peer}, repetitions=3)
        which = "the usual choice" if penalty == usual else "for comparison"
        print(f"scikit-learn, 24 fits, penalty {penalty:g} ({which}), accuracies equal:")
        results[f"{penalty:g}"] = {
            "accuracies": accuracies,
            "fit": report(timings, "labelmix"),
        }
    return results


def against_folds() -> dict[str, Any]:
    """One probe of two classes with its penalty cross-validated, 768 features."""
    results = {}
    features, answers = draw(False, 3280, 768)
    answers = answers // 2
    rng = np.random.default_rng(2)
    labels = np.where(rng.random(len(answers)) < 0.1, 1 - answers, answers)
    mask = np.ones((len(features), 2), dtype=bool)
    for size in (80, 320, 1280):

        def ours(size: int = size) -> LinearProbe:
            return fit_probe(features[:size], labels[:size], mask[:size])

        def peer(size: int = size) -> tuple[Any, float]:
            return classify_by_folds(scale(features[:size, 0]), labels[:size], PENALTIES)

        probe, (model, penalty) = ours(), peer()
        assert probe.penalty == penalty, f"penalties {probe.penalty} and {penalty}"
        found = probe.scores(features[1280:], mask[1280:]).argmax(1)
        expected = model.predict((features[1280:, 0] - probe.mean) / probe.scale)
        accuracies = compare_accuracies(found[None], expected[None], answers[1280:])
        timings = interleaved_medians({"labelmix": ours, "scikit-learn": peer}, repetitions=3)
        print(f"{size} labels of two classes, penalty chosen by {len(PENALTIES)} x 5 fits:")
        results[str(size)] = {
            "penalty": penalty,
            "accuracies": accuracies,
            "fit": report(timings, "labelmix"),
        }
    return results


def compare_accuracies(found: Answers, expected: Answers, answers: Labels) -> dict[str, float]:
    """Assert that accuracies are equal, up to one item: scores may tie to the last digit."""
    ours, theirs = (found == answers).mean(1), (expected == answers).mean(1)
    apart = float(np.abs(ours - theirs).max())
    assert apart <= 1.001 / len(answers), f"accuracies are up to {apart:.2%} apart"
    return {
        "mean": float(ours.mean()),
        "least": float(ours.min()),
        "most": float(ours.max()),
        "largest_difference": apart,
        "equal_answers": float((found == expected).mean()),
    }


def report(timings: dict[str, Timing], own: str, what: str = "") -> dict[str, Any]:
    """Print a ratio per peer; the record of both."""
    ratios = {}
    ours = timings[own]["median"]
    for name, timing in timings.items():
        if name != own:
            ratios[name] = timing["median"] / ours
            print(f"  {what}labelmix {ours:.3f} s, {name} {timing['median']:.3f} s")
            print(f"ratio: {ratios[name]:.1f}")
    return {"ratios": ratios, "timings": timings}


def growth(features: Features, answers: Labels) -> dict[str, Any]:
    """Exponents of time in features, seeds and labels, penalties chosen; and of the whole grid."""
    mask = np.ones((len(features), CHOICES), dtype=bool)

    def seconds(width: int, jobs: list[ProbeJob]) -> float:
        own = np.ascontiguousarray(features[:, :, :width])
        timed = interleaved_medians({"fit": lambda: fit_probes(own, mask, jobs)}, repetitions=2)
        return timed["fit"]["median"]

    cases: dict[str, dict[int, Callable[[], float]]] = {
        "features": {
            width: lambda width=width: seconds(width, grid(answers, 1))  # type: ignore[misc]
            for width in (1024, 2048, 4096, 8192)
        },
        "seeds": {
            count: lambda count=count: seconds(2048, grid(answers, count, SIZES[:5]))  # type: ignore[misc]
            for count in (1, 2, 4, 8)
        },
        "labels": {
            size: lambda size=size: seconds(2048, grid(answers, 1, [size]))  # type: ignore[misc]
            for size in (40, 80, 160, 320, 640)
        },
    }
    results: dict[str, Any] = {}
    for name, points in cases.items():
        found = {size: run() for size, run in points.items()}
        exponent = float(np.polyfit(np.log(list(found)), np.log(list(found.values())), 1)[0])
        results[name] = {"exponent": exponent, "seconds": found}
        listed = ", ".join(f"{size}: {value:.2f} s" for size, value in found.items())
        print(f"time grows with {name} to the power of {exponent:.2f} ({listed})")
    jobs = grid(answers)
    for name, penalties in (("one penalty", (PENALTY,)), ("penalties chosen", PENALTIES)):
        timing = interleaved_medians(
            {"fit": lambda own=penalties: fit_probes(features, mask, jobs, own)},  # type: ignore[misc]
            repetitions=1,
        )["fit"]
        fits = len(jobs) * (1 if len(penalties) == 1 else 6 * len(penalties))
        results[f"whole grid, {name}"] = {"fits": fits, **timing}
        print(f"whole grid, {name}: {len(jobs)} probes, {fits} fits, {timing['median']:.2f} s")
    timing = interleaved_medians(
        {"fit": lambda: fit_paper_probes(features, mask, jobs)}, repetitions=1
    )["fit"]
    results["whole grid, paper's optimiser"] = {"fits": len(jobs), **timing}
    print(f"whole grid, paper's optimiser: {len(jobs)} fits, {timing['median']:.2f} s")
    return results


def peak_memory(kind: str) -> int:
    """Bytes that one seed's 24 fits take on top of the features, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_memory, (kind,))


def _peak_memory(kind: str) -> int:
    features, answers = draw(True, POOL)
    mask = np.ones((POOL, CHOICES), dtype=bool)
    job, *_ = jobs = grid(answers, 1)
    start = initial_weights(WIDTH, 0)
    fit_probes(features[:, :, :64].copy(), mask, [job])  # what libraries load on first use
    before = _most_memory()
    if kind == "penalties chosen":
        fit_probes(features, mask, jobs)
    elif kind == "paper's optimiser":
        fit_paper_probes(features, mask, jobs, start)
    else:
        largest = jobs[-1]  # the loop fits one by one
        paper_weights(features[largest.rows], largest.targets.argmax(1), start, scale_once=False)
    return _most_memory() - before


def _most_memory() -> int:
    """The most bytes this process has held. The kernel's rusage may count its parent's as well."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    """Compare, then show how labelmix grows."""
    memory = {
        kind: peak_memory(kind)
        for kind in ("penalties chosen", "paper's optimiser", "paper's loop")
    }
    features, answers = draw(True)
    paper = against_the_paper(features, answers)
    growing = growth(features, answers)
    del features
    peer = against_scikit_learn(*draw(False))
    folds = against_folds()
    for kind, value in memory.items():
        print(f"peak memory of 24 fits, {kind}: {value / 2**20:.0f} MiB")
    write_result(
        "probe_grid",
        {
            "width": WIDTH,
            "choices": CHOICES,
            "test_items": TEST,
            "fits_compared": len(SIZES) * len(ERROR_RATES),
            "paper": paper,
            "scikit_learn": peer,
            "cross_validated": folds,
            "growth": growing,
            "peak_bytes": memory,
        },
    )


if __name__ == "__main__":
    main()
