"""How often intervals of the exchange rate hold the rate that is true.

No claim of speed, but the evidence behind docs/method/intervals.md. Two kinds of world: those drawn
from the surface's own prior, where the true rate is known exactly; and generated tasks on which
real probes train, where it is measured: the accuracy after so many easy labels, and how many hard
labels come to the same, each the mean over many purchases.
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from _machine import write_result
from _prior_worlds import PILOT, prior_worlds
from budget.backtest.evidence import WorldEvidence
from budget.backtest.trainer import ProbeTrainer
from budget.campaign.planner import run_planner
from budget.campaign.play import play
from budget.config.sections import PilotSection
from budget.worlds.generated import draw_recipe, generated_world

Real = NDArray[np.float64]
Row = dict[str, float]
CONFIDENCES = (0.9, 0.95)
PLAN = {"easy": 4 * PILOT, "hard": 2 * PILOT}  # of worlds of the prior
FIRST_RECIPE = 50_000  # no backtest has come so far
TRUTH_SEEDS = range(100, 164)
FEWEST_LABELS, SIZES = 6, 9
TOO_WIDE = 30.0  # an interval that spans a larger factor gives no rate


def held(draws: Real, low: float, high: float) -> Row:
    """Whether the intervals of draws meet what may be true, from `low` to `high`."""
    known = draws[~np.isnan(draws)]
    found = {}
    for confidence in CONFIDENCES:
        ends = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
        found[f"holds {confidence:g}"] = float(ends[0] <= high and low <= ends[1])
        if confidence == CONFIDENCES[-1]:
            told = ends[0] > 0 and ends[1] < np.inf and ends[1] / ends[0] <= TOO_WIDE
            found["told"] = float(told)
    return found


def of_the_prior(count: int) -> dict[str, list[Row]]:
    """At the pilot, over the plan, and of the next labels after it."""
    rows: dict[str, list[Row]] = {"pilot": [], "plan": [], "next label": []}
    for world in prior_worlds(count):
        fitted, true = world.fitted, world.true
        for name, labels in (("pilot", PILOT), ("plan", PLAN["easy"])):
            truth = float(true.rates("easy", labels)[0])
            rows[name].append(held(fitted.rates("easy", labels), truth, truth))
        truth = float(true.marginal_rates("easy", PLAN, 10)[0])
        draws = fitted.marginal_rates("easy", PLAN, 10)
        if not np.isnan(truth) and np.isnan(draws).mean() <= 0.05:
            rows["next label"].append(held(draws, truth, truth) | {"told": 1.0})
    return rows


def of_probes(count: int) -> dict[str, list[Row]]:
    """At the pilot and over the plan, of generated tasks as `labelmix run` plans them."""
    rows: dict[str, list[Row]] = {"pilot": [], "plan": []}
    for number in range(FIRST_RECIPE, FIRST_RECIPE + count):
        world = generated_world(*draw_recipe(number))
        trainer = ProbeTrainer(world, "per_size")
        campaign = trainer.campaign(1)
        planner = run_planner(PilotSection(), 1)
        playing = planner.explore(campaign, campaign.generator("planner"))
        (explored,) = play([playing], [campaign], WorldEvidence(trainer))
        planned = planner.plan(campaign, explored.surface).used
        easy, hard = world.items.strata[0], world.items.target
        most = int(world.items.pools[hard].size)
        sizes = np.unique(np.geomspace(FEWEST_LABELS, most, SIZES).round().astype(int))
        curve = mean_accuracy(trainer, hard, sizes.tolist())
        for name, labels in (("pilot", explored.bought[easy]), ("plan", planned.get(easy, 0))):
            if labels == 0:
                continue
            (reached,) = mean_accuracy(trainer, easy, [labels])
            low, high = equivalent(sizes, curve, reached)
            rows[name].append(
                held(explored.surface.rates(easy, labels), low / labels, high / labels)
            )
        print(number, {name: own[-1] for name, own in rows.items() if own}, flush=True)
    return rows


def mean_accuracy(trainer: ProbeTrainer, stratum: str, sizes: Sequence[int]) -> Real:
    """Of so many labels of one stratum, over purchases, (sizes,)."""
    sets = [
        trainer.annotators.labels(stratum, size, seed) for size in sizes for seed in TRUTH_SEEDS
    ]
    return np.asarray(trainer.correct(sets).mean(1).reshape(len(sizes), -1).mean(1))


def equivalent(sizes: NDArray[np.int64], curve: Real, reached: float) -> tuple[float, float]:
    """How many target labels reach an accuracy, from a number to a number.

    Both are the same where the curve gets there; from its end to infinity where it never does, from
    nothing to its start where it begins higher.
    """
    rising = np.maximum.accumulate(curve)
    if reached > rising[-1]:
        return float(sizes[-1]), np.inf
    if reached <= rising[0]:
        return 0.0, float(sizes[0])
    place = int(np.searchsorted(rising, reached))
    left, right = rising[place - 1], rising[place]
    share = (reached - left) / (right - left)
    logs = np.log(sizes[place - 1 : place + 1])
    found = float(np.exp(logs[0] + share * (logs[1] - logs[0])))
    return found, found


def summary(rows: list[Row]) -> Row:
    """Shares of the worlds; intervals that hold are counted in all of them, told or not."""
    found = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    of_told = [row for row in rows if row["told"]]
    found["holds 0.95, of those told"] = float(np.mean([row["holds 0.95"] for row in of_told]))
    return {"worlds": len(rows), **{name: round(own, 4) for name, own in found.items()}}


def main() -> None:
    """Shares of intervals that hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=400, help="of the prior")
    parser.add_argument("--probe-worlds", type=int, default=80, help="generated tasks")
    options = parser.parse_args()
    started = time.perf_counter()
    found = {
        "prior": {name: summary(own) for name, own in of_the_prior(options.worlds).items()},
        "probes": {name: summary(own) for name, own in of_probes(options.probe_worlds).items()},
    }
    for kind, tried in found.items():
        for name, own in tried.items():
            print(kind, name, own)
    print(f"{time.perf_counter() - started:.0f} s")
    write_result("exchange_rate_coverage", {"kinds": found})


if __name__ == "__main__":
    main()
