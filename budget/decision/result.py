"""A decision in the form that is printed and written as JSON: what to buy, and how sure that is."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from analysis.estimates import Estimate, Record
from analysis.run.verdicts import distinguishable
from budget.decision.leftovers import LeftBecause

_NOTHING = 0.0005  # accuracy that is told as 0.0 points


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

    def left_out(self, pilot: Mapping[str, int]) -> list[str]:
        """Strata whose labels of the pilot stay out of training: they are expected to harm."""
        return [name for name, had in pilot.items() if had and not self.trained_on.get(name)]

    @property
    def suppliers(self) -> set[str]:
        """Who sells it."""
        return {line.supplier for line in self.lines}

    @property
    def repeats(self) -> bool:
        """Whether some label takes several judgments."""
        return any(line.judgments > 1 for line in self.lines)

    def most_money(self) -> str | None:
        """The stratum that gets more than half of the money; None where none does."""
        spent: dict[str, float] = {}
        for line in self.lines:
            spent[line.stratum] = spent.get(line.stratum, 0.0) + line.cost
        return next((name for name, own in spent.items() if own > sum(spent.values()) / 2), None)


class OtherPurchase(PlannedPurchase):
    """The best purchase of another kind."""

    kind: str  # e.g. "only hard labels"
    plan_minus_this: Estimate  # difference in accuracy, paired over the surface's draws
    probability_plan_better: float

    @property
    def against_plan(self) -> Literal["as good", "worse", "toss-up", "open"]:
        """How it stands against the plan.

        - "worse": the interval of the difference leaves out zero
        - "toss-up": the plan gives more on average, but seldom
        - "open": probably worse; the evidence does not settle it
        """
        if abs(self.plan_minus_this.estimate or 0.0) < _NOTHING:
            return "as good"
        if distinguishable(self.plan_minus_this):
            return "worse"
        return "toss-up" if self.probability_plan_better < 0.5 else "open"


class Flip(Record):
    """The value of one quantity at which the better of two strata changes; None if none does."""

    now: float
    at: float | None
    low: float  # of the range that was searched
    high: float

    @property
    def turns(self) -> Literal["above", "below", "nowhere"]:
        """On which side of its value the other stratum becomes the better buy."""
        if self.at is None:
            return "nowhere"
        return "above" if self.at > self.now else "below"


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

    @property
    def lead(self) -> float:
        """Accuracy by which the stratum leads the target on average."""
        return self.difference.estimate or 0.0

    @property
    def better(self) -> str:
        """The one of the two that gives more on average."""
        return self.stratum if self.lead > 0 else self.target

    @property
    def worse(self) -> str:
        """The other one."""
        return self.target if self.lead > 0 else self.stratum

    @property
    def probability_of_better(self) -> float:
        """That the one that gives more on average does so; a toss-up where it is below a half."""
        return self.probability_better if self.lead > 0 else 1 - self.probability_better


class SupplierPair(Record):
    """Two suppliers, each with all the money; `ahead` gives more accuracy on average.

    Prices are means per label of what each would be bought for all the money. `tie_price`: of
    `behind`, at which both give as much, and `discount` the share of its price that is to be
    asked for; None where no discount makes up for it. `ahead_up_to`: the price up to which `ahead`
    stays the better one; None where it does at any price looked at.

    `money` is what there is, training included. `turns_at`: money at which the other of the two
    begins to give more, the nearest to what there is; None where neither takes the lead over from
    the other between `least_money` and `most_money`. `turns_labels`: what it buys of `behind`, and
    of `ahead`.
    """

    ahead: str
    behind: str
    difference: Estimate  # accuracy by `ahead` minus accuracy by `behind`
    probability_ahead: float
    price_ahead: float
    price_behind: float
    tie_price: float | None
    discount: float | None
    ahead_up_to: float | None
    turns_at: float | None
    turns_labels: tuple[int, int] | None
    money: float
    least_money: float
    most_money: float

    @property
    def turns(self) -> Literal["above", "below"]:
        """On which side of `turns_at` the one that is behind now is ahead."""
        return "above" if (self.turns_at or 0.0) > self.money else "below"

    @property
    def is_tie(self) -> bool:
        """Whether they give the same, so that there is nothing to ask for."""
        return abs(self.difference.estimate or 0.0) < _NOTHING


class FewerErrors(Record):
    """What one point fewer wrong labels by a supplier is worth, in money per label.

    All money goes to this supplier. `worth` is how much more each label may cost for the same
    accuracy; where items or hours run out before the money does, how much more than they may
    without fewer errors. None where the supplier makes no errors, or nothing is bought of it.
    """

    supplier: str
    price: float
    worth: float | None


class Negotiation(Record):
    """What to ask of suppliers: every pair of them, and what their errors cost."""

    pairs: list[SupplierPair]
    fewer_errors: list[FewerErrors]


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

    @property
    def verdict(self) -> Literal["last round", "teaches too little", "costs too much", "first"]:
        """Whether to buy it first, or why to buy all at once."""
        if not self.labels:
            return "last round" if self.rounds_left == 1 else "teaches too little"
        pays = self.gain_value is None or self.gain_value > 0
        return "first" if pays else "costs too much"


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

    @property
    def verdict(self) -> Literal["nothing", "all", "less"]:
        """How much of the plan is worth its money."""
        if self.stop:
            return "nothing"
        return "all" if self.best_cost >= self.plan_cost else "less"


class Target(Record):
    """An accuracy asked for, and the probability that the plan reaches it."""

    accuracy: float
    probability_asked: float
    probability: float


class InsurancePoint(Record):
    """The least money for new labels and training that lowers the risk of missing a target."""

    risk: float
    cost: float | None  # None: all that is for sale leaves a larger risk
    more: float | None  # than the plan; negative where the plan is safer
    labels: dict[str, int]  # to buy for it


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
    negotiation: Negotiation | None = None  # None: nobody to negotiate with
    insurance: list[InsurancePoint] = Field(default_factory=list)  # empty: no target accuracy

    @property
    def runner_up(self) -> OtherPurchase | None:
        """The best purchase of another kind; None where every other one buys nothing."""
        return next((own for own in self.others if own.lines), None)

    @property
    def tells_next_round(self) -> bool:
        """Whether what to buy first matters: it does not where nothing is worth its money."""
        stops = self.worth is not None and self.worth.verdict == "nothing"
        return self.next_round is not None and not stops
