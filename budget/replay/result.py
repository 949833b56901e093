"""What a replay says: the claim, what was bought, what it was worth, what was saved or lost."""

from pathlib import Path

from analysis.estimates import Estimate, Record
from annotation.whole_files import whole_file


class AskedItems(Record):
    """Items that were asked about, mean of the replays."""

    supplier: str
    stratum: str
    judgments: int  # of every item
    items: float


class SeedClaim(Record):
    """What the last plan of one replay promised, and what it had spent before."""

    seed: int
    batch: int
    spent_before: float
    expected_accuracy: Estimate  # with the interval of one purchase


class ClaimRecord(Record):
    """What the plan claims before anything that it bought is tested.

    `expected_accuracy` is the mean of the replays' estimates, and of the ends of their intervals;
    None where no replay came to a plan: all money went into the first batch.
    """

    seeds: int
    cost: float  # mean
    gold_cost: float  # of it for gold questions
    expected_accuracy: Estimate | None
    bought: list[AskedItems]
    by_seed: list[SeedClaim]


class PurchaseRecord(Record):
    """One way to spend the money.

    `plan_minus_this` is None for the plan itself. Accuracies are those of the target's test items.
    """

    name: str
    supplier: str | None
    judgments: int | None
    cost: float  # mean of the replays
    items: dict[str, float]  # stratum -> items, mean
    accuracy: Estimate
    plan_minus_this: Estimate | None
    accuracy_by_seed: list[float]


class DonePoint(Record):
    """How far what was done came with so much money."""

    money: float
    accuracy: Estimate


class Saving(Record):
    """What was done, against the plan, at the accuracy that the plan reached.

    `needed` is the money that it took to get so far, None where it never did; `saved` is that less
    what the plan spent, negative where the plan cost more. Ends of the interval that are None are
    beyond all that was paid.
    """

    needed: float | None
    saved: Estimate
    at_most_known: bool  # the first point that was looked at was better already


class ReplayResult(Record):
    """A finished collection, played again."""

    judgments: int  # of items for sale
    items: dict[str, int]  # stratum -> items for sale
    rules: dict[str, str]  # stratum -> how it was cut
    target: str
    tested: int  # items of the target
    model: str
    method: str
    currency: str
    paid: float
    budget: float
    seeds: int
    in_time_order: bool
    confidence: float
    nothing_learnt: float  # accuracy of guessing, or of always the commonest answer if that is more
    claim: ClaimRecord
    kept_claims: int  # replays whose accuracy lay in the interval claimed
    arms: list[PurchaseRecord]
    best_rule: int  # place in `arms`
    done_curve: list[DonePoint]
    saving: Saving
    ended: dict[str, int]  # why replays ended -> how many
    notes: list[str]

    @property
    def plan(self) -> PurchaseRecord:
        return next(arm for arm in self.arms if arm.name == "plan")

    @property
    def done(self) -> PurchaseRecord:
        return next(arm for arm in self.arms if arm.name == "done")


def write_record(record: Record, path: Path) -> None:
    """Write it as JSON, whole or not at all.

    Raises InputError if it cannot be written.
    """
    with whole_file(path) as unfinished:
        unfinished.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
