"""What a run found out: the schema of `result.json`.

Every number here was either measured by a trial, fitted to trials, or given in the configuration;
`Origin` says which where it is not plain. Times stand apart in `timing`, so that an interrupted
and resumed run gives the same result as an uninterrupted one but for that field.
"""

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from analysis.crossover import CrossoverBudget
from analysis.estimates import Estimate, OnceANumber, Record, SupervisionGap
from analysis.run.consistency import inconsistency
from annotation.databases import newer
from annotation.errors import InputError, MachineError
from annotation.faults import os_failure
from annotation.whole_files import whole_file

VERSION = 1  # of result.json
Origin = Literal["assumed", "measured"]


class StratumSummary(Record):
    """One band of the hardness measure and the terms at which its labels are bought."""

    rule: str  # e.g. "steps <= 2"
    items: int
    test_items: int
    pool_items: int  # what can be bought: no test items, nor copies of them
    cost: float | None = None  # per label; None: labels of this stratum are not for sale
    judgments: int = 1  # per label, which is their majority; the cost pays for all of them
    error_rate: float | None = None  # of a judgment, as configured
    error_kind: Literal["redraw", "flip"] | None = None
    true_flip_rate: float | None = None  # probability that a bought label is wrong
    origin: Origin = "assumed"  # of cost and error rate
    # Where a measured error rate may be; None: taken as known.
    error_rate_low: float | None = None
    error_rate_high: float | None = None
    shared_mistakes: Literal["not excluded", "measured"] | None = None
    gold_items_wanted: int | None = None  # more items with a known answer, to settle it
    # Of the pool those with enough judgments for a label, where labels are people's own; None:
    # annotators were simulated, or the result is older.
    judged_items: int | None = None

    @property
    def can_be_bought(self) -> int:
        """Items of which a label can be had at the run's terms."""
        return self.pool_items if self.judged_items is None else self.judged_items


class ModelSummary(Record):
    """The model that was trained."""

    name: str
    revision: str
    kind: Literal["decoder", "encoder"]
    parameters: int


class PromptSummary(Record):
    """How a decoder was asked, and how the scores of its choices were compared."""

    version: str  # see `training.prompts`
    normalisation: str  # of a choice's log-probability: "sum", "token" or "character"


class MixSummary(Record):
    """Labels per stratum and what they cost."""

    labels: dict[str, int]
    cost: float


class RoundSummary(MixSummary):
    """One purchase to learn from: the pilot, or a later batch."""

    expected_gain: float | None  # accuracy that the plan was to gain by it; None for the pilot


class PlanSummary(MixSummary):
    """The recommended purchase, pilot included."""

    trained_on: dict[str, int]  # less than `labels` where earlier ones do harm
    money_left: float
    labels_after_pilot: dict[str, int]  # still to buy once pilot and later rounds are there
    expected_accuracy: Estimate  # on the target stratum, from the response surface


class ExchangeRate(Estimate):
    """Target labels that one label of `stratum` is worth, mean over the pilot's labels of it."""

    stratum: str
    target: str
    rate_resolved: bool  # False: the pilot cannot tell a rate, and the three numbers are None
    # Whether the interval, however wide, leaves out the cost ratio: which buy is better is settled.
    better_buy_resolved: bool
    cost_ratio: float  # cost(stratum) / cost(target), as paid
    probability_better_buy: float | None  # that `stratum` is the better buy at this cost ratio
    at_plan: Estimate | None = None  # mean over the plan's labels of it; None: none, or open
    next_label: Estimate | None = None  # of the next labels after the plan; None: not worked out

    @model_validator(mode="before")
    @classmethod
    def _of_an_earlier_version(cls, data: object) -> object:
        """One name, `resolved`, stood for whether there is a rate."""
        if not isinstance(data, dict) or "resolved" not in data:
            return data
        read = {name: own for name, own in data.items() if name != "resolved"}
        low, high, price = data.get("low"), data.get("high"), data.get("cost_ratio")
        settled = False
        if low is not None and high is not None and price is not None:
            settled = low > price or high < price
        return {**read, "rate_resolved": data["resolved"], "better_buy_resolved": settled}


class ConditionAccuracy(Estimate):
    """Accuracy on the target stratum's test items after training on one condition's purchase."""

    labels: dict[str, int]
    cost: float
    seeds: int


class Baseline(MixSummary):
    """A simple rule that spends the same budget without a pilot."""

    description: str
    expected_accuracy: Estimate
    accuracy: Estimate
    plan_minus_baseline: Estimate  # paired difference in measured accuracy


class CurvePoint(Record):
    """Measured accuracy of one mix of the pilot (mean over seeds)."""

    labels: dict[str, int]
    cost: float
    accuracy: Estimate
    fitted: float
    seeds: int


class LentPoint(Record):
    """Mean accuracy after training on so many of the target's own test items, on the others."""

    labels: int
    cost: float  # what they would have cost
    accuracy: float
    fitted: float
    seeds: int


class Pull(Record):
    """How strongly a clean label of a stratum pulls towards what target items need.

    Against a clean target label; told by items that nobody has labelled
    (docs/method/before-buying.md). `low` and `high` are one standard deviation off.
    """

    estimate: float
    low: float
    high: float
    items: int  # unlabelled items that were read


class RehearsedPurchase(Record):
    """A purchase whose labels were guessed; `deviation` is how far its accuracy may be off.

    `fitted` is what the surface has there.
    """

    labels: dict[str, int]
    accuracy: float
    deviation: float
    fitted: float


class Rehearsals(Record):
    """What guessed labels taught, and how guessing came out where the answers are known.

    `missed` is the accuracy of a rehearsal of the target's own labels less that of as many lent
    ones; `overconfidence` by how much its guesses are surer than right. `telling`: lent labels add
    enough to guessing for bad guesses to show. `sound`: that, and close enough for purchases to be
    rehearsed (docs/method/before-buying.md).
    """

    missed: float
    overconfidence: float
    telling: bool = True
    sound: bool
    purchases: list[RehearsedPurchase]


class FittedCurve(Record):
    """The response surface along one way of spending, for the figure."""

    name: str  # "all easy", "all hard", "plan's mix"
    costs: list[float]
    estimate: list[float]
    low: list[float]
    high: list[float]


class SurfaceSummary(Record):
    """The fitted response surface; `draws` are its parameters, drawn from the posterior."""

    strata: list[str]
    target: str
    parameters: dict[str, float]
    parameter_names: list[str]
    draws: list[list[float]]  # (draws, parameters)
    root_mean_square_residual: float
    root_mean_square_noise: float  # expected from test items, seeds and luck in buying
    clean: dict[str, float] = Field(
        default_factory=dict
    )  # stratum -> share of clean labels as bought; 1 where absent
    luck: float = 0.27  # accuracy after n clean labels varies by luck / sqrt(n + 32)
    item_deviation: float = 0.0  # by what the test set does to one mix alone, in accuracy
    training_deviation: float = 0.0  # between trainings on the same labels, in accuracy


class MethodResult(Record):
    """All that was found out with one training method."""

    method: str
    exchange_rates: dict[str, ExchangeRate]  # stratum -> rate against the target
    plan: PlanSummary
    # Condition -> target-stratum accuracy. "zero_shot", and "commonest_class" or "guessing", need
    # no label.
    accuracy: dict[str, ConditionAccuracy]
    sgr: SupervisionGap
    # Condition -> SGR per cost unit, a negative one times its cost; None: the gap is not resolved.
    sgr_per_cost: dict[str, OnceANumber] | None
    baselines: dict[str, Baseline]
    # Trained condition -> one that needs no label -> difference in measured accuracy, paired.
    over_untrained: dict[str, dict[str, Estimate]] = Field(default_factory=dict)
    # Stratum -> measured accuracy of all money on it minus that of all money on the target, paired.
    tested_sides: dict[str, Estimate] = Field(default_factory=dict)
    pilot_curve: list[CurvePoint]
    lent_curve: list[LentPoint] = Field(
        default_factory=list
    )  # the target's, from labels that the test set lent for nothing
    pulls: dict[str, Pull] = Field(
        default_factory=dict
    )  # stratum -> what its unlabelled items said; empty if none was read
    rehearsals: Rehearsals | None = None  # None: not tried
    fitted_curves: list[FittedCurve]
    # Stratum -> budget at which it and the target are equally good buys, each alone, by the
    # surface; none where one of the two was never measured alone.
    crossovers: dict[str, CrossoverBudget] = Field(default_factory=dict)
    surface: SurfaceSummary


class MeasuredErrorRate(Estimate):
    """How often a stratum's judgments are wrong, as measured from `judgments` by a `method`."""

    method: str
    judgments: int
    shared_mistakes: Literal["not excluded", "measured"] | None = None
    gold_items_wanted: int | None = None  # more items with a known answer, to settle it


class CollectedSummary(Record):
    """What a run trained on, where labels are people's own judgments."""

    files: list[str]
    judgments: int  # that can be trained on
    annotators: int
    items: int  # that were judged
    left_out: int  # rows of the files that could not be used
    judgments_for_strata: int  # of every item; they told how hard it is, and were not trained on
    aggregate: str  # how a label is made of its judgments
    error_rates: dict[str, MeasuredErrorRate]  # by stratum
    targets: str = "hard_labels"  # what models were trained towards, see `training.targets.make`
    lent: bool = True  # whether planning trials learnt from judgments of test items


class TrialCount(Record):
    """How many trials stand behind a result."""

    total: int
    by_method: dict[str, int]


class RunResult(Record):
    """The whole result of `labelmix run`.

    The fields from `plan` to `baselines` are those of the planning method; `methods` holds the
    same for every method.
    """

    name: str
    labelmix_version: str
    source: str
    items: int
    item_fingerprint: str
    choices_per_item: float
    chance_accuracy: float
    commonest_class: str | None = None  # None: items do not share their choices
    measure: str
    target: str
    strata: dict[str, StratumSummary]  # in order of hardness
    model: ModelSummary
    prompt: PromptSummary | None = None  # None: an encoder, or an earlier version wrote it
    planning_method: str
    currency: str
    budget: float
    confidence: float = Field(gt=0, lt=1)
    pilot: MixSummary  # all rounds before the plan together
    rounds: list[RoundSummary]
    plan: PlanSummary
    exchange_rate: ExchangeRate
    accuracy: dict[str, ConditionAccuracy]
    sgr: SupervisionGap
    sgr_per_cost: dict[str, OnceANumber] | None
    baselines: dict[str, Baseline]
    methods: dict[str, MethodResult]  # every method, the planning method first
    seeds: list[int]
    trials: TrialCount
    collected: CollectedSummary | None = None  # None: annotators were simulated
    warnings: list[str]
    timing: dict[str, float]
    schema_version: int = VERSION
    # Of all the rest but `timing`, in the file alone; None: an earlier version wrote it.
    checksum: str | None = Field(default=None, exclude=True)


def write_result(result: RunResult, path: Path) -> None:
    """Write `result.json` with its checksum, whole or not at all.

    Raises InputError if the file cannot be written.
    """
    text = result.model_dump_json(indent=2)
    ending = f',\n  "checksum": "{_checksum(json.loads(text))}"\n}}\n'
    with whole_file(path) as unfinished:
        unfinished.write_text(text.removesuffix("\n}") + ending, encoding="utf-8")


def _checksum(document: dict[str, object]) -> str:
    """Of the values of a file, not of how they are set out; 16 hexadecimal digits."""
    # Without the times: a run that was interrupted writes the same file but for these.
    values = {name: own for name, own in document.items() if name not in ("checksum", "timing")}
    return hashlib.blake2b(json.dumps(values).encode(), digest_size=8).hexdigest()


def read_result(path: Path) -> RunResult:
    """Read `result.json`, as it was written.

    Raises InputError if the file is absent, is no result of this version, or has no checksum and
    values that do not fit one another; MachineError if a value in it was changed.
    """
    try:
        text = path.read_text(encoding="utf-8")
        _check(text, path)
        result = RunResult.model_validate_json(text)
        wrong = inconsistency(result.model_dump()) if result.checksum is None else None
        if wrong is not None:
            raise InputError(f"{path}: is damaged: {wrong}; run 'labelmix run' again.")
        # As it was before it was written: two results are equal where their values are.
        return result.model_copy(update={"checksum": None})
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; give the folder that 'labelmix run' wrote, or start a run that "
            "was interrupted again."
        ) from None
    except NotADirectoryError:
        raise InputError(
            f"{path.parent}: is a file; give the folder that 'labelmix run' wrote."
        ) from None
    except OSError as error:
        raise os_failure(path, "read", error) from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read: {error}; run 'labelmix run' again.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(
            f"{path}: not a labelmix result: {place}: {first['msg']}; run 'labelmix run' again."
        ) from None


def _check(text: str, path: Path) -> None:
    """Before the fields are looked at, of which other versions may have others."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return  # the schema tells it better
    if not isinstance(document, dict):
        return
    version = document.get("schema_version")
    if isinstance(version, int) and version > VERSION:
        raise newer(path, version, VERSION)
    if "checksum" in document and document["checksum"] != _checksum(document):
        raise MachineError(
            f"{path}: is damaged: its values do not fit its checksum; delete it and run "
            "'labelmix run' again: trials are kept."
        )
