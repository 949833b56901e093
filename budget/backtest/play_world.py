"""One world: its truth, and what every policy's purchases came to."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Literal

import numpy as np

from budget.backtest.evidence import Trainer, play_in_world
from budget.backtest.journal import Row, RowStore
from budget.backtest.trainer import PenaltyRule, ProbeTrainer
from budget.backtest.truth import Scores, Truth, grid_mixes
from budget.campaign.play import Forecast, Policy
from budget.market.simple_rules import Mix
from budget.worlds.world import World
from training.engines.base import Watcher

TrainingMethod = Literal["probe", "qlora"]
RECIPE_VERSION = 4  # raised whenever the same backtest would come out differently


@dataclass(frozen=True)
class Design:
    """How worlds are played.

    `seeds` markets tell the truth; each policy plays the first `markets` of them. What is bought
    trains probes, whose penalty is found by `rule`, or adapters.
    """

    seeds: int
    markets: int
    rule: PenaltyRule
    method: TrainingMethod = "probe"


@dataclass(frozen=True)
class Campaigns:
    """What a policy did in a world, market by market.

    `mixes` bought, `accuracy` (markets,) of the test set after training on them, less what the
    policy left out, `spent` (markets,) as a share of the budget, `rounds` of buying, `forecasts`;
    `seconds` of deciding, with the probes that no policy before it asked for.
    """

    mixes: list[Mix]
    accuracy: list[float]
    spent: list[float]
    forecasts: list[Forecast | None]
    seconds: float


@dataclass(frozen=True)
class PlayedWorld:
    """The truth (seeds) and the campaigns of each policy in its first markets."""

    world: World
    truth: Truth
    truth_seconds: float
    campaigns: dict[str, Campaigns]


def play_world(
    world: World,
    policies: Sequence[Policy],
    design: Design,
    journal: RowStore,
    watcher: Watcher,
) -> PlayedWorld:
    """Measure what is not in the journal yet; every policy's result is kept once it is there."""
    trainer = _trainer(world, design)
    scores = Scores(world, trainer)
    seeds = range(design.seeds)
    truth_row = _truth(world, design, scores, journal, watcher)
    truth = Truth(truth_row["mixes"], np.array(truth_row["accuracy"]))
    scores.know(truth.mixes, seeds, truth.accuracy)
    rows = {}
    for policy in policies:
        key = _key(world, design, f"policy {policy!r} {design.markets}")
        rows[policy.name] = journal.find(key) or journal.add(
            key, _campaigns(world, policy, design, scores, trainer)
        )
        watcher.advance()
    return PlayedWorld(
        world,
        truth,
        truth_row["seconds"],
        {name: _read_campaigns(row) for name, row in rows.items()},
    )


def _trainer(world: World, design: Design) -> Trainer:
    if design.method == "probe":
        return ProbeTrainer(world, design.rule)
    from budget.backtest.adapter_trainer import AdapterTrainer  # loads peft

    return AdapterTrainer(world)


def steps_of(policies: Sequence[Policy]) -> int:
    """How many steps of progress a world takes."""
    return 1 + len(policies)


def _truth(
    world: World, design: Design, scores: Scores, journal: RowStore, watcher: Watcher
) -> Row:
    key = _key(world, design, "truth")
    row = journal.find(key)
    if row is None:
        started = time.perf_counter()
        mixes, seeds = grid_mixes(world), range(design.seeds)
        for _ in scores.measure([(mix, seed) for mix in mixes for seed in seeds]):
            pass
        accuracy = [[scores.of(mix, seed) for seed in seeds] for mix in mixes]
        seconds = time.perf_counter() - started
        row = journal.add(
            key, {"world": world.name, "mixes": mixes, "accuracy": accuracy, "seconds": seconds}
        )
    watcher.advance()
    return row


def _campaigns(
    world: World, policy: Policy, design: Design, scores: Scores, trainer: Trainer
) -> Row:
    started = time.perf_counter()
    seeds = range(design.markets)
    campaigns = [trainer.campaign(seed) for seed in seeds]
    forecasts = play_in_world(policy, campaigns, trainer)
    seconds = time.perf_counter() - started
    trained = [(own.trained, seed) for own, seed in zip(campaigns, seeds, strict=True)]
    for _ in scores.measure(trained):
        pass
    return {
        "world": world.name,
        "policy": policy.name,
        "mixes": [own.bought for own in campaigns],
        "trained": [mix for mix, _ in trained],
        "accuracy": [scores.of(mix, seed) for mix, seed in trained],
        "costs": [str(own.cost) for own in campaigns],
        "spent": [float(own.cost / own.budget) for own in campaigns],
        "forecasts": [own and astuple(own) for own in forecasts],
        "seconds": seconds,
    }


def _read_campaigns(row: Row) -> Campaigns:
    return Campaigns(
        row["mixes"],
        row["accuracy"],
        row["spent"],
        [None if own is None else Forecast(*own) for own in row["forecasts"]],
        row["seconds"],
    )


def _key(world: World, design: Design, what: str) -> str:
    how = design.rule if design.method == "probe" else design.method
    text = repr((RECIPE_VERSION, world.key, design.seeds, how, what))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
