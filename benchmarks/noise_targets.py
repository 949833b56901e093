"""What noise-aware targets gain over hard labels, in points of accuracy on hard test items.

No claim of speed, but the evidence behind docs/method/noise.md. Linear probes, the penalty
cross-validated for every kind of target, on generated word problems (hidden states of pico) and
on SST-5 (MiniLM). Targets are made with the error rates that the annotators are simulated with.
All kinds of a condition share items, errors and seeds, so that gains are paired; their intervals
are bootstraps over test items and seeds. `--qlora` measures adapters on pico instead.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from _machine import write_result
from _noise_adapters import SEEDS as ADAPTER_SEEDS
from _noise_adapters import measure_adapters
from _noise_conditions import (
    PURCHASES,
    Arm,
    Condition,
    Purchase,
    Real,
    buy,
    conditions_of,
    targets_of,
)
from _noise_worlds import World, sst5_world, workshop_world
from analysis.accuracy import ItemClusters, difference_table
from analysis.estimates import Estimate
from training.models.quiet import quiet_libraries
from training.probes.probe import ProbeJob, fit_probes, score_probes
from training.targets.make import entropy_uncertainty

SEEDS = 20
SIZES = (160, 640)
FOLDS = 4

Run = tuple[Condition, int]  # and its seed
Measured = dict[Condition, dict[Arm, NDArray[np.bool_]]]  # arm -> (seeds, test items)


def measure_probes(world: World) -> Iterator[Measured]:
    """All arms, the conditions of one purchase and size after the other."""
    for purchase in PURCHASES:
        for items in SIZES:
            yield measure_group(world, conditions_of(purchase, items))


def measure_group(world: World, conditions: list[Condition]) -> Measured:
    """All fits that share their items are handed over together: they are solved together."""
    bought = {(c, seed): buy(world, c, seed) for c in conditions for seed in range(SEEDS)}
    hard = {run: job(world, "hard_labels", one) for run, one in bought.items()}
    of_hard = fit_probes(world.features, world.mask, list(hard.values()))
    fitted = {(*run, "hard_labels"): probe for run, probe in zip(hard, of_hard, strict=True)}
    penalties = {run: fitted[*run, "hard_labels"].penalty for run in hard}
    # Of several judgments their posterior tells the uncertainty, of one a model.
    single = {run: own for run, own in hard.items() if run[0].judges == 1}
    uncertain = model_uncertainties(world, single, penalties)
    jobs = {
        (*run, arm): job(world, arm, one, uncertain.get(run))
        for run, one in bought.items()
        for arm in run[0].arms()
    }
    probes = fit_probes(world.features, world.mask, list(jobs.values()))
    fitted.update(zip(jobs, probes, strict=True))
    features, mask = world.features[world.test], world.mask[world.test]
    scores = score_probes(list(fitted.values()), features, mask)  # (runs, test items, classes)
    right = dict(zip(fitted, scores.argmax(2) == world.answers[world.test], strict=True))
    return {
        c: {arm: np.stack([right[c, seed, arm] for seed in range(SEEDS)]) for arm in with_hard(c)}
        for c in conditions
    }


def with_hard(condition: Condition) -> tuple[Arm, ...]:
    """All arms of a condition, the one that the others are compared with first."""
    return ("hard_labels", *condition.arms())


def job(world: World, arm: Arm, bought: Purchase, uncertainties: Real | None = None) -> ProbeJob:
    """A probe on this purchase, towards what the arm says."""
    targets = targets_of(world, arm, bought, uncertainties)
    return ProbeJob(bought.rows, targets.probabilities, targets.redraw_rates)


def model_uncertainties(
    world: World, jobs: Mapping[Run, ProbeJob], penalties: Mapping[Run, float]
) -> dict[Run, Real]:
    """Entropy of every item of every run under a probe that was fitted on the other folds.

    The penalty is that of the run's own probe.
    """
    found: dict[Run, Real] = {run: np.empty(own.rows.size) for run, own in jobs.items()}
    for penalty in {penalties[run] for run in jobs}:
        parts = {
            (run, fold): np.arange(own.rows.size) % FOLDS == fold
            for run, own in jobs.items()
            if penalties[run] == penalty
            for fold in range(FOLDS)
        }
        kept = [
            ProbeJob(jobs[run].rows[~out], jobs[run].targets[~out])
            for (run, _), out in parts.items()
        ]
        probes = fit_probes(world.features, world.mask, kept, (penalty,))
        for ((run, _), out), probe in zip(parts.items(), probes, strict=True):
            rows = jobs[run].rows[out]
            scores = probe.scores(world.features[rows], world.mask[rows])
            found[run][out] = entropy_uncertainty(softmax(scores, 1), world.choice_counts[rows])
    return found


def evaluate(measured: Iterator[Measured], groups: NDArray[np.object_]) -> dict[str, Any]:
    """Every condition's accuracies and gains, and the mean gain over the rates above 0."""
    clusters = ItemClusters(groups)
    rows: list[dict[str, Any]] = []
    gains: dict[tuple[str, int, int, Arm], list[Real]] = {}
    started = time.perf_counter()
    for group in measured:
        for condition, of_arm in group.items():
            base = of_arm["hard_labels"]
            row = {
                **asdict(condition),
                "hard_labels": in_points(clusters.accuracy(base)),
                "gains": {},
            }
            for arm in condition.arms():
                gain = difference_table(of_arm[arm], base)
                row["gains"][arm] = in_points(clusters.mean(gain))
                if condition.rate > 0:
                    key = (condition.purchase, condition.items, condition.judges, arm)
                    gains.setdefault(key, []).append(gain)
            rows.append(row)
            print(line(row), flush=True)
        print(f"{time.perf_counter() - started:.0f} s so far", flush=True)
    means_of = []
    for (purchase, items, judges, arm), parts in gains.items():
        found = in_points(clusters.mean(np.mean(parts, axis=0)))
        named = {"purchase": purchase, "items": items, "judges": judges, "arm": arm}
        means_of.append({**named, "rates": len(parts), **found})
    return {"test_items": int(groups.size), "conditions": rows, "means": means_of}


def in_points(found: Estimate) -> dict[str, float]:
    """In points of accuracy, with a 95 % interval."""
    return {name: round(100 * float(bound), 3) for name, bound in found.model_dump().items()}


def line(row: Mapping[str, Any]) -> str:
    """One condition for people."""
    gains = "".join(f"  {arm} {shown(gain)}" for arm, gain in row["gains"].items())
    return (
        f"{row['purchase']:6s}{row['items']:4d} x {row['judges']}, redraw {row['rate']:.1f}: "
        f"{row['hard_labels']['estimate']:5.1f} %{gains}"
    )


def shown(gain: Mapping[str, float]) -> str:
    """A gain with its interval; a star where that excludes 0."""
    star = "*" if gain["low"] > 0 or gain["high"] < 0 else " "
    return f"{gain['estimate']:+5.1f} [{gain['low']:+.1f}, {gain['high']:+.1f}]{star}"


def report(name: str, measured: Iterator[Measured], world: World) -> dict[str, Any]:
    """Print the table of a task as it comes, then the means; return both."""
    print(f"\n{name}: accuracy on hard test items, and gains over hard labels in points")
    result = evaluate(measured, world.groups)
    print("\nmean gain over the redraw rates above 0")
    for mean in result["means"]:
        print(
            f"{mean['purchase']:6s}{mean['items']:4d} x {mean['judges']}  "
            f"{mean['arm']:12s}{shown(mean)}"
        )
    return result


def main() -> None:
    """Run, print tables and write the results."""
    parser = argparse.ArgumentParser(description="What noise-aware targets gain.")
    parser.add_argument("--qlora", action="store_true", help="adapters on pico, few seeds")
    with_adapters = parser.parse_args().qlora
    quiet_libraries()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workshop = workshop_world(folder)
        if with_adapters:
            result = report("workshop, pico, QLoRA", measure_adapters(workshop), workshop)
            write_result("noise_targets_qlora", {"seeds": ADAPTER_SEEDS, "workshop": result})
            return
        results = {"workshop": report("workshop, pico", measure_probes(workshop), workshop)}
        if (sst5 := sst5_world(folder)) is not None:
            results["sst5"] = report("SST-5, MiniLM", measure_probes(sst5), sst5)
    write_result("noise_targets", {"seeds": SEEDS, "worlds": results})


if __name__ == "__main__":
    main()
