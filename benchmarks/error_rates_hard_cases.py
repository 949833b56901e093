"""Coverage of error rates where it is hard: few judgments, uneven classes, other people.

No claim of speed, but the evidence behind docs/method/error-rates.md. On generated crowds with and
without gold (`--generated`), and on published ones without gold: two judgments an item, classes
thinned to 85 to 15, and half of the people to tell how often the other half is wrong.
"""

import argparse
from pathlib import Path

import numpy as np

from _crowds import Crowd, crowds_of, six_crowds
from _generated_crowds import KINDS, generated
from _machine import write_result
from annotation.intervals import Interval
from annotation.team.error_rates import ErrorRates

GOLD_ITEMS = 20
UNEVEN = 0.85
FEWEST_PEOPLE = 6  # of whom half can stand for the others

Tried = list[tuple[Interval, float]]  # intervals, and what they should hold


def generated_crowds(kinds: list[str], seeds: int) -> dict[str, dict[str, float]]:
    """Coverage and width by kind: of agreement alone, without gold, with it, and of others."""
    found = {}
    for kind in kinds:
        tried: dict[str, Tried] = {"agreement": [], "none": [], "gold": [], "others": []}
        for seed in range(seeds):
            crowd = generated(kind, seed)
            bare = ErrorRates(crowd.coded).stratum(0)
            known = crowd.with_gold(GOLD_ITEMS, np.random.default_rng(seed))
            assert bare.by_agreement is not None
            tried["agreement"].append((bare.by_agreement, crowd.wrong))
            tried["none"].append((bare.rate, crowd.wrong))
            tried["gold"].append((ErrorRates(known).stratum(0).rate, crowd.wrong))
            tried["others"].append((bare.rate, KINDS[kind].wrong))
        found[kind] = {
            f"{name}_{key}": value
            for name, own in tried.items()
            for key, value in summary(own).items()
        }
        show(kind, {name: summary(own) for name, own in tried.items()})
    return found


def published_crowds(crowds: list[Crowd], draws: int) -> dict[str, dict[str, float]]:
    """Coverage without gold by crowd, over draws of what is left out."""
    found = {}
    for crowd in crowds:
        tried: dict[str, Tried] = {"two an item": [], "85 to 15": [], "others": []}
        rng = np.random.default_rng(0)
        for _ in range(draws):
            few = crowd.thinned(2, rng)
            tried["two an item"].append((ErrorRates(few.coded).stratum(0).rate, few.wrong))
            if len(crowd.coded.shared) == 2:
                part = crowd.uneven(UNEVEN, rng)
                tried["85 to 15"].append((ErrorRates(part.coded).stratum(0).rate, part.wrong))
            if len(crowd.coded.annotators) >= FEWEST_PEOPLE:
                half, others = crowd.halves(rng)
                tried["others"].append((ErrorRates(half.coded).stratum(0).rate, others))
        summaries = {name: summary(own) for name, own in tried.items() if own}
        found[crowd.name] = {
            f"{name}_{key}": value for name, own in summaries.items() for key, value in own.items()
        }
        show(crowd.name, summaries)
    return found


def summary(tried: Tried) -> dict[str, float]:
    """Share of intervals that hold, mean width, and mean estimate less the truth."""
    ends = np.array([found.bounds for found, _ in tried])
    truth = np.array([wrong for _, wrong in tried])
    off = np.array([found.estimate or 0.0 for found, _ in tried]) - truth
    return {
        "holds": float(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean()),
        "width": float((ends[:, 1] - ends[:, 0]).mean()),
        "bias": float(off.mean()),
    }


def show(name: str, summaries: dict[str, dict[str, float]]) -> None:
    told = [
        f"{kind} {100 * own['holds']:3.0f} %, {100 * own['width']:.0f}, {100 * own['bias']:+.1f}"
        for kind, own in summaries.items()
    ]
    print(f"{name:32s} {'; '.join(told)}", flush=True)


def main() -> None:
    """Coverage, width and bias in points."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generated", action="store_true", help="generated crowds alone")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), help="of generated crowds")
    parser.add_argument("--draws", type=int, default=60, help="seeds, or draws of a crowd")
    parser.add_argument("--crowds", type=Path, nargs="*", default=[], help="folders with others")
    options = parser.parse_args()
    if options.generated:
        rows = generated_crowds(options.kinds, options.draws)
        write_result("error_rates_generated", {"kinds": rows})
        return
    crowds = list(six_crowds())
    for folder in options.crowds:
        crowds += crowds_of(folder)
    rows = published_crowds(crowds, options.draws)
    write_result("error_rates_hard_cases", {"crowds": rows})


if __name__ == "__main__":
    main()
