"""From played worlds to claims: regret, side, coverage, paired over worlds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

import numpy as np

from analysis.accuracy import DRAWS, interval
from analysis.estimates import Estimate
from annotation.arrays import Array
from budget.backtest.play_world import Campaigns, PlayedWorld
from budget.backtest.policies.registry import REFERENCE
from budget.backtest.result import Kind, PolicyInWorld, PolicySummary, WorldSummary
from budget.market.simple_rules import Mix
from budget.worlds.world import World

POINT = 0.01  # differences below it count as none
KINDS: tuple[Kind, ...] = get_args(Kind)


def world_summary(played: PlayedWorld) -> WorldSummary:
    """One world, with every policy that was played in it."""
    world, truth = played.world, played.truth
    means = truth.mean()
    easy, hard = (means[_alone(truth.mixes, name)] for name in _sides(world))
    best = truth.best
    seeds = truth.accuracy.shape[1]
    spread = truth.accuracy[best].std(ddof=1) / np.sqrt(seeds) if seeds > 1 else 0.0
    return WorldSummary(
        name=world.name,
        family=world.family,
        parameters=dict(world.parameters),
        chance=world.items.chance,
        best=float(means[best]),
        best_mix=truth.mixes[best],
        best_standard_error=float(spread),
        optimism=truth.optimism(),
        all_easy=float(easy),
        all_hard=float(hard),
        side_of_best=_right(
            [_easy_share(truth.mixes[own], world) for own in truth.all_best],
            float(easy),
            float(hard),
        ),
        kind=_kind(float(easy), float(hard), float(means[best])),
        truth_seconds=played.truth_seconds,
        policies=[
            _in_world(name, own, played, float(easy), float(hard))
            for name, own in played.campaigns.items()
        ],
    )


def _kind(easy: float, hard: float, best: float) -> Kind:
    if best > max(easy, hard) + POINT:
        return "mix"
    if abs(easy - hard) <= POINT:
        return "equal"
    return "easy" if easy > hard else "hard"


def _right(toward_easy: Sequence[float], easy: float, hard: float) -> float | None:
    """How often a share or probability above one half points to the better side."""
    if abs(easy - hard) <= POINT or not toward_easy:
        return None
    better = easy > hard
    return float(np.mean([0.5 if own == 0.5 else (own > 0.5) == better for own in toward_easy]))


def side_of_best(worlds: Sequence[WorldSummary]) -> float | None:
    """How often the best mixes of worlds are on the better side."""
    return _mean_if_any([world.side_of_best for world in worlds])


def _mean_if_any(values: Iterable[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return float(np.mean(told)) if told else None


def _in_world(
    name: str, own: Campaigns, played: PlayedWorld, easy: float, hard: float
) -> PolicyInWorld:
    markets = len(own.accuracy)
    best = played.truth.accuracy[played.truth.best, :markets]
    sides = [_easy_share(mix, played.world) for mix in own.mixes]
    named = [one.easy_better for one in own.forecasts if one and one.easy_better is not None]
    told = [
        (forecast, accuracy)
        for forecast, accuracy in zip(own.forecasts, own.accuracy, strict=True)
        if forecast is not None
    ]
    covered = [forecast.low <= accuracy <= forecast.high for forecast, accuracy in told]
    return PolicyInWorld(
        policy=name,
        accuracy=float(np.mean(own.accuracy)),
        regret=float(best.mean() - np.mean(own.accuracy)),
        easy_spend=float(np.mean(sides)),
        right_side=_right(sides, easy, hard),
        named_side=_right(named, easy, hard),
        covered=float(np.mean(covered)) if told else None,
        forecasts=len(told),
        interval_width=float(np.mean([f.high - f.low for f, _ in told])) if told else None,
        money_left=float(1 - np.mean(own.spent)),
        seconds_per_campaign=own.seconds / markets,
    )


def _easy_share(mix: Mix, world: World) -> float:
    """Share of the money spent on the two sides that went to the easiest stratum.

    Money on strata between the two takes no side. 0.5 where nothing was spent on either, or as much
    on both as whole labels allow.
    """
    costs = [world.terms[name].cost for name in _sides(world)]
    easy, hard = (mix.get(n, 0) * cost for n, cost in zip(_sides(world), costs, strict=True))
    as_much = bool(easy) == bool(hard) and abs(easy - hard) < max(costs)
    return 0.5 if as_much else float(easy / (easy + hard))


def _sides(world: World) -> tuple[str, str]:
    return world.items.strata[0], world.items.target


def _alone(mixes: Sequence[Mix], stratum: str) -> int:
    """The grid's mix with all money on one stratum."""
    counts = [
        -1 if any(mix[name] for name in mix if name != stratum) else mix[stratum] for mix in mixes
    ]
    return int(np.argmax(counts))


def summarise(worlds: Sequence[WorldSummary], seed: int = 0) -> list[PolicySummary]:
    """Every policy over the worlds that it was played in; intervals resample worlds."""
    by_policy: dict[str, dict[str, PolicyInWorld]] = {}
    for world in worlds:
        for own in world.policies:
            by_policy.setdefault(own.policy, {})[world.name] = own
    reference = by_policy.get(REFERENCE, {})
    return [_summary(name, own, reference, seed) for name, own in by_policy.items()]


def _summary(
    name: str,
    own: Mapping[str, PolicyInWorld],
    reference: Mapping[str, PolicyInWorld],
    seed: int,
) -> PolicySummary:
    regret = np.array([world.regret for world in own.values()])
    paired = np.array([own[at].regret - reference[at].regret for at in own if at in reference])
    told = [world for world in own.values() if world.covered is not None]
    weights = [world.forecasts for world in told]
    coverage = width = None
    if told:
        coverage = float(np.average([world.covered or 0.0 for world in told], weights=weights))
        width = float(np.average([world.interval_width or 0.0 for world in told], weights=weights))
    return PolicySummary(
        policy=name,
        worlds=len(own),
        regret=_mean_over_worlds(regret, seed),
        regret_95th_percentile=float(np.quantile(regret, 0.95)),
        regret_more_than_planner=(
            _mean_over_worlds(paired, seed) if name != REFERENCE and paired.size else None
        ),
        right_side=_mean_if_any(world.right_side for world in own.values()),
        right_side_worlds=sum(world.right_side is not None for world in own.values()),
        named_side=_mean_if_any(world.named_side for world in own.values()),
        named_side_worlds=sum(world.named_side is not None for world in own.values()),
        coverage=coverage,
        interval_width=width,
        forecasts=sum(weights),
        money_left=float(np.mean([world.money_left for world in own.values()])),
        seconds_per_campaign=float(np.mean([w.seconds_per_campaign for w in own.values()])),
    )


def _mean_over_worlds(values: Array, seed: int) -> Estimate:
    """A mean with its bootstrap interval over worlds; a seed always draws the same worlds."""
    rng = np.random.default_rng([seed, values.size])
    drawn = rng.multinomial(values.size, np.full(values.size, 1 / values.size), size=DRAWS)
    return interval(float(values.mean()), drawn @ values / values.size)
