"""How often intervals hold the truth, where seeds, items or their interaction dominate.

No claim of speed, but the evidence behind docs/method/intervals.md. Answers are drawn in worlds
whose truth is known: whether an item is answered right after training with one seed has the log
odds of the item's easiness, plus the seed's luck, plus what that seed does to that item alone.
Easy and hard labels meet the same items, whose easiness they share in large part; their seeds have
the same luck or each their own. The intervals are the product's own, beside the bootstrap over
items and seeds (the paper's, and with seeds widened by sqrt(S / (S - 1))).
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from _machine import RESULTS, write_result
from analysis.accuracy import ItemClusters
from analysis.efficiency import per_cost, sgr_per_cost
from analysis.estimates import Estimate
from analysis.sgr import supervision_gap_recovered

Real = NDArray[np.float64]
Found = dict[str, tuple[Estimate, float]]  # what an interval is about -> it, and the truth
Method = Callable[["World", dict[str, float], ItemClusters], Found]


@dataclass(frozen=True)
class Regime:
    """Standard deviations in log odds: between items, between seeds, of single cells."""

    items: float
    seeds: float
    cells: float


REGIMES = {
    "items dominate": Regime(2.0, 0.03, 0.3),
    "interaction dominates": Regime(0.3, 0.03, 2.0),
    "seeds matter": Regime(1.2, 0.15, 0.7),
    "seeds dominate": Regime(0.8, 0.4, 0.5),
}
SEEDS, ITEMS = (3, 5, 10), (200, 400, 800)
LOG_ODDS = {"unsupervised": -0.8, "easy": 0.6, "hard": 1.0}
OWN_EASINESS = 0.3  # share of an item's easiness that belongs to one arm alone
COST = {"easy": 160.0, "hard": 320.0}
AT_ONCE = 50  # worlds


@dataclass(frozen=True)
class World:
    """What was measured, each (seeds, items), and whether easy and hard share their seeds' luck."""

    easy: NDArray[np.bool_]
    hard: NDArray[np.bool_]
    unsupervised: NDArray[np.bool_]


def truths(regime: Regime) -> dict[str, float]:
    """True accuracies, by quadrature over items, seeds and cells at once."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    spread = np.sqrt(regime.items**2 + regime.seeds**2 + regime.cells**2)
    untrained = np.sqrt(regime.items**2 + regime.cells**2)
    found = {}
    for arm, centre in LOG_ODDS.items():
        own = untrained if arm == "unsupervised" else spread
        chances = 1 / (1 + np.exp(-(centre + own * nodes)))
        found[arm] = float((weights * chances).sum() / weights.sum())
    return found


def worlds(
    regime: Regime, seeds: int, items: int, count: int, shared: bool, rng: np.random.Generator
) -> Iterator[World]:
    """Worlds of one regime; `shared`: a seed has the same luck with easy and with hard labels."""
    for first in range(0, count, AT_ONCE):
        some = min(AT_ONCE, count - first)
        easiness = rng.standard_normal((some, 1, items))
        luck = rng.standard_normal((some, seeds, 1))
        answers = {}
        for arm, centre in LOG_ODDS.items():
            trained = arm != "unsupervised"
            shape = (some, seeds if trained else 1, items)
            own = np.sqrt(1 - OWN_EASINESS) * easiness
            own = own + np.sqrt(OWN_EASINESS) * rng.standard_normal((some, 1, items))
            odds = centre + regime.items * own + regime.cells * rng.standard_normal(shape)
            if trained:
                odds += regime.seeds * (luck if shared else rng.standard_normal(luck.shape))
            answers[arm] = rng.random(shape) < 1 / (1 + np.exp(-odds))
        for number in range(some):
            yield World(**{arm: own[number] for arm, own in answers.items()})


def of_product(world: World, truth: dict[str, float], clusters: ItemClusters) -> Found:
    """The intervals that labelmix reports."""
    gap = truth["hard"] - truth["unsupervised"]
    share = (truth["easy"] - truth["unsupervised"]) / gap
    sgr = supervision_gap_recovered(world.easy, world.hard, world.unsupervised, clusters, 160)
    costly = sgr_per_cost({"easy": world.easy}, COST, world.hard, world.unsupervised, clusters) or {
        "easy": Estimate(estimate=None, low=None, high=None)
    }
    return {
        "accuracy": (clusters.accuracy(world.hard), truth["hard"]),
        "difference": (
            clusters.difference(world.easy, world.hard),
            truth["easy"] - truth["hard"],
        ),
        "SGR": (Estimate(estimate=sgr.estimate, low=sgr.low, high=sgr.high), share),
        "SGR per cost": (costly["easy"], per_cost(share, COST["easy"])),
    }


@dataclass
class Bootstrap:
    """Items and seeds drawn with replacement, percentiles of the means.

    `widened`: deviations of seeds times sqrt(S / (S - 1)), so that their variance is unbiased.
    """

    items: int
    seeds: int
    widened: bool
    draws: int = 1000

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.items, self.seeds])
        even = np.full(self.items, 1 / self.items)
        self.counts = rng.multinomial(self.items, even, self.draws) / self.items
        drawn = rng.multinomial(self.seeds, np.full(self.seeds, 1 / self.seeds), self.draws)
        factor = np.sqrt(self.seeds / (self.seeds - 1)) if self.widened else 1.0
        self.weights = 1 / self.seeds + factor * (drawn / self.seeds - 1 / self.seeds)

    def means(self, table: Real) -> Real:
        per_seed = self.counts @ table.T
        if len(table) == 1:
            return np.asarray(per_seed[:, 0])
        return np.asarray((per_seed * self.weights).sum(1))

    def __call__(self, world: World, truth: dict[str, float], _: ItemClusters) -> Found:
        easy, hard, zero = (
            self.means(own.astype(np.float64))
            for own in (world.easy, world.hard, world.unsupervised)
        )
        gap = truth["hard"] - truth["unsupervised"]
        share = (truth["easy"] - truth["unsupervised"]) / gap
        resolved = np.quantile(hard - zero, 0.025) > 0
        ratio = (easy - zero) / np.where(np.abs(hard - zero) < 1e-9, 1e-9, hard - zero)
        return {
            "accuracy": (percentiles(hard), truth["hard"]),
            "difference": (percentiles(easy - hard), truth["easy"] - truth["hard"]),
            "SGR": (percentiles(ratio) if resolved else NOTHING, share),
        }


NOTHING = Estimate(estimate=None, low=None, high=None)


def percentiles(draws: Real) -> Estimate:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(estimate=float(draws.mean()), low=float(low), high=float(high))


def held(found: list[tuple[Estimate, float]]) -> dict[str, float]:
    """Of the intervals that have numbers: share that hold, mean width; and how many have them."""
    told = [(own.low, own.high, truth) for own, truth in found if own.low is not None]
    low, high, truth = np.array(told, dtype=np.float64).T
    return {
        "holds": round(float(((low <= truth) & (truth <= high)).mean()), 4),
        "width": round(float((high - low).mean()), 5),
        "told": round(len(told) / len(found), 4),
    }


def cell(
    regime: Regime,
    seeds: int,
    items: int,
    count: int,
    methods: dict[str, tuple[Method, int]],
    rng: np.random.Generator,
) -> dict[str, dict[str, dict[str, float]]]:
    """Method -> what its intervals are about -> how they held."""
    clusters, truth = ItemClusters(np.arange(items).astype(object)), truths(regime)
    found: dict[str, dict[str, list[tuple[Estimate, float]]]] = {name: {} for name in methods}
    for shared in (False, True):
        for number, world in enumerate(worlds(regime, seeds, items, count // 2, shared, rng)):
            for name, (method, most) in methods.items():
                if number >= most // 2:
                    continue
                for about, own in method(world, truth, clusters).items():
                    apart = shared and about in ("difference", "SGR")
                    kind = f"{about}, seeds' luck shared" if apart else about
                    found[name].setdefault(kind, []).append(own)
    return {
        name: {about: held(own) for about, own in tried.items()} for name, tried in found.items()
    }


def tables(found: dict[str, Any]) -> str:
    """The tables of docs/method/intervals.md, of a result."""
    regimes = ["| regime | items | seeds | single cells |", "|---|---|---|---|"]
    for name, own in found["regimes"].items():
        regimes.append(f"| {name} | {own['items']:g} | {own['seeds']:g} | {own['cells']:g} |")
    heads = [
        "accuracy",
        "difference",
        "difference, seeds' luck shared",
        "SGR",
        "SGR, seeds' luck shared",
        "SGR per cost",
    ]
    coverage = [
        "| regime | seeds | items | accuracy | difference | the same, luck shared "
        "| SGR | the same, luck shared | SGR per cost |",
        "|" + "---|" * 9,
    ]
    peers = [
        "| regime | seeds | items | labelmix | bootstrap | bootstrap, seeds widened |",
        "|" + "---|" * 6,
    ]
    for row in found["rows"]:
        begins = f"| {row['regime']} | {row['seeds']} | {row['items']} |"
        own = row["methods"]["labelmix"]
        coverage.append(f"{begins} {' | '.join(told(own[head]) for head in heads)} |")
        methods = row["methods"].values()
        peers.append(f"{begins} {' | '.join(told(own['difference']) for own in methods)} |")
    return "\n\n".join("\n".join(lines) for lines in (regimes, coverage, peers))


def told(one: dict[str, float]) -> str:
    """Per cent that hold, and in brackets how often there are numbers, if not always."""
    always = one["told"] == 1
    return f"{100 * one['holds']:.1f}" + ("" if always else f" ({100 * one['told']:.0f})")


def main() -> None:
    """Coverage in per cent, one row per regime, seeds and items."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=2000, help="of every row")
    parser.add_argument("--bootstrap-worlds", type=int, default=400, help="of every row")
    parser.add_argument("--tables", action="store_true", help="of the last result, in Markdown")
    options = parser.parse_args()
    if options.tables:
        print(tables(json.loads((RESULTS / "interval_coverage.json").read_text("utf-8"))))
        return
    started = time.perf_counter()
    rows = []
    for name, regime in REGIMES.items():
        for seeds in SEEDS:
            for items in ITEMS:
                rng = np.random.default_rng([seeds, items, list(REGIMES).index(name)])
                methods: dict[str, tuple[Method, int]] = {
                    "labelmix": (of_product, options.worlds),
                    "bootstrap": (Bootstrap(items, seeds, False), options.bootstrap_worlds),
                    "bootstrap, seeds widened": (
                        Bootstrap(items, seeds, True),
                        options.bootstrap_worlds,
                    ),
                }
                own = cell(regime, seeds, items, options.worlds, methods, rng)
                rows.append({"regime": name, "seeds": seeds, "items": items, "methods": own})
                for method, tried in own.items():
                    all_told = "  ".join(f"{about} {told(one)}" for about, one in tried.items())
                    print(f"{name:22s}{seeds:3d} x {items}  {method:25s}{all_told}", flush=True)
    print(f"{time.perf_counter() - started:.0f} s")
    write_result(
        "interval_coverage",
        {
            "worlds": options.worlds,
            "bootstrap_worlds": options.bootstrap_worlds,
            "regimes": {name: vars(own) for name, own in REGIMES.items()},
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
