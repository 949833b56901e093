"""The schema of `backtest.json`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from analysis.estimates import Estimate

Share = Annotated[float, Field(ge=0, le=1)]
Kind = Literal["easy", "hard", "mix", "equal"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PolicyInWorld(_Model):
    """One policy in one world, means over its markets; accuracies and regret as shares."""

    policy: str
    accuracy: Share
    regret: float
    """The best grid mean less the policy's, over the same markets."""
    easy_spend: Share
    """Share of its spending on the easiest stratum."""
    right_side: Share | None
    """How often most money went to the better of all easy and all hard; None where the two are
    within a point."""
    named_side: Share | None
    """How often the policy held the better of the two more probable to be better; None where the
    two are within a point, or it does not say."""
    covered: Share | None
    """How often the 90 % forecast interval held the accuracy; None without forecasts."""
    forecasts: int
    interval_width: float | None
    money_left: Share
    seconds_per_campaign: float


class WorldSummary(_Model):
    """A world and its truth; accuracies as shares."""

    name: str
    family: str
    parameters: dict[str, float | int | str]
    chance: Share
    best: Share
    best_mix: dict[str, int]
    best_standard_error: float
    optimism: float
    """By how much the best mean may owe its place to luck, see `Truth.optimism`."""
    all_easy: Share
    all_hard: Share
    side_of_best: Share | None
    """Whether the best mix has most of its money on the better of all easy and all hard, 0.5 where
    it has as much on both; None where the two are within a point."""
    kind: Kind
    """What is best: all easy or all hard by over a point over the other and no mix better than
    that by over a point; a mix; or none of these."""
    truth_seconds: float
    policies: list[PolicyInWorld]


class PolicySummary(_Model):
    """One policy over worlds; regret in accuracy as a share, 95 % intervals over worlds."""

    policy: str
    worlds: int
    regret: Estimate
    regret_95th_percentile: float
    regret_more_than_planner: Estimate | None
    """Paired over worlds; None for the planner, or where it was not played."""
    right_side: Share | None
    right_side_worlds: int
    named_side: Share | None
    named_side_worlds: int
    """Worlds in which the policy names a side: not those where it has no forecast."""
    coverage: Share | None
    interval_width: float | None
    forecasts: int
    money_left: Share
    seconds_per_campaign: float


class BacktestResult(_Model):
    """All of a backtest."""

    labelmix_version: str
    half: Literal["design", "held_out"]
    families: list[str]
    skipped: list[str]
    seeds: int
    markets: int
    skip: int = 0
    """Worlds of each family that were left out first."""
    penalty_rule: str
    method: str = "probe"
    """What purchases train: probe or qlora, whose penalty no rule sets."""
    confidence: float
    forecast_confidence: float
    overall: list[PolicySummary]
    side_of_best: Share | None
    """How often the best mixes themselves are on the better side."""
    by_kind: dict[str, list[PolicySummary]]
    """The same where easy, hard, a mix or nothing in particular is the best buy."""
    worlds: list[WorldSummary]
