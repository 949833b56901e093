"""A decision in the form that is printed and written as JSON: what to buy, and how sure that is."""

from pydantic import Field

from analysis.estimates import Estimate, Record
from budget.decision.leftovers import LeftBecause


class PurchaseLine(Record):
    """Labels of one stratum from one supplier."""

    stratum: str
    supplier: str
    labels: int
    judgments: int  # per label
    cost: float
    hours: float
    role: str | None
    clean_share: float  # 1 - redraw rate of these labels


class PlannedPurchase(Record):
    """A purchase and what it should give.

    `expected_accuracy` is the mean over new purchases like this one, with the interval of one
    purchase on new items of the target stratum.
    """

    lines: list[PurchaseLine]
    labels: dict[str, int]  # to buy
    trained_on: dict[str, int]  # earlier labels included, where they do no harm
    cost: float  # of labels to buy and of training
    training_cost: float
    money_left: float
    hours: dict[str, float]  # role -> hours of work
    expected_accuracy: Estimate


class OtherPurchase(PlannedPurchase):
    """The best purchase of another kind."""

    kind: str  # e.g. "only hard labels"
    plan_minus_this: Estimate  # difference in accuracy, paired over the surface's draws
    probability_plan_better: float


class Flip(Record):
    """The value of one quantity at which the better of two strata changes; None if none does."""

    now: float
    at: float | None
    low: float  # of the range that was searched
    high: float


class SideComparison(Record):
    """All money on one stratum against all money on the target stratum.

    Cost and noise ratios are those of the two, per label: this stratum's to the target's.
    """

    stratum: str
    target: str
    probability_better: float  # that `stratum` is the better buy
    difference: Estimate  # accuracy with all money on `stratum` minus that on the target
    cost: float  # of a label of `stratum` now
    cost_ratio: Flip
    redraw_rate: Flip  # of new labels of `stratum`
    target_redraw_rate: Flip  # of new labels of the target
    noise_ratio: float | None  # redraw rate at the flip over the target's now
    transfer: Flip  # mean cosine of what the stratum teaches with what the target does


class RatePoint(Estimate):
    """Target labels that the next label of a stratum is worth, after so much of the plan."""

    stratum: str
    share: float  # of the plan's labels bought
    cost: float


class NextRound(Record):
    """What to buy first where the rest can be decided after it."""

    rounds_left: int
    labels: dict[str, int]  # empty: buying in rounds teaches nothing worth waiting for
    cost: float
    gain: float  # in accuracy, against buying the plan at once
    gain_value: float | None  # in money, less what one more training costs


class Worth(Record):
    """Whether the purchase is worth its money, at what a point of accuracy is worth."""

    value_per_point: float
    plan_value: float  # of the accuracy that the plan adds
    plan_cost: float
    best_cost: float  # the purchase, up to the plan, whose value exceeds its cost the most
    best_value: float
    best_accuracy: float
    best: PlannedPurchase
    stop: bool  # no purchase is worth its money


class Target(Record):
    """An accuracy asked for, and the probability that the plan reaches it."""

    accuracy: float
    probability_asked: float
    probability: float


class ErrorDoubt(Record):
    """A measured error rate, and what the plan would be at the ends of its interval."""

    supplier: str
    stratum: str
    low: float
    high: float
    shared_mistakes: bool  # mistakes that people share are not excluded
    gold_items: int | None  # with a known answer, that would tell it
    at_low: dict[str, int] | None  # labels to buy; None: as in the plan
    at_high: dict[str, int] | None


class Decision(Record):
    """The plan, what it was chosen from, and what would change it."""

    plan: PlannedPurchase
    left_because: LeftBecause | None  # why the plan leaves money; None: nothing to explain
    now: Estimate  # expected accuracy without buying more
    others: list[OtherPurchase]  # best first
    sides: list[SideComparison]
    rates: list[RatePoint]
    next_round: NextRound | None
    worth: Worth | None
    target: Target | None
    error_doubts: list[ErrorDoubt] = Field(default_factory=list)
