"""The settings of a collection: what is labelled, by whom, for how much, and how it is decided."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from annotation.errors import InputError, short
from annotation.truth.aggregation import Aggregator
from budget.config.sections import BudgetSection, Seed
from budget.config.selection_method import SelectionMethod
from budget.config.strata_section import StrataSection
from budget.config.toml import Mistake, Money, Place, Section, first_error
from budget.config.training_config import TrainingConfig

Share = Annotated[float, Field(ge=0, le=1)]

SharesOfClasses = Literal["tested", "labelled"]
"""How common a probe takes the classes to be where items share their choices.

- "tested": as they are among the target's test items, where there are 20 or more.
- "labelled": as they are among the labels that it learns from.
"""


class ReadingSection(Section):
    """How a table of items is read: as `labelmix items describe` reads it."""

    columns: dict[str, str] | None = None
    choices: list[str] | None = None
    answers: str | None = None


class TableSection(ReadingSection):
    """A table of items."""

    path: str


class CollectionTestSection(ReadingSection):
    """The test set, whose right answers are known or bought first of all.

    Attributes
    ----------
    path : the table of test items; None where they are drawn from the items to be labelled
    right_answers : whether they are known, or a supplier is asked for them before anything else
    items : how many are drawn from the items to be labelled, in all; None: as many as
        `budget.collection.test_set.size` recommends
    supplier : who is asked; None: the one of the lowest stated error rate, else the dearest
    judgments : of every test item
    clear : probability from which on an answer that people gave is taken; test items whose answers
        stay below are asked once more, and then left out
    cost_per_answer : of an answer that is known, where it was paid from this budget
    """

    path: str | None = None
    right_answers: Literal["known", "buy"] = "known"
    items: Annotated[int, Field(ge=20, le=10_000)] | None = None
    supplier: str | None = None
    judgments: Annotated[int, Field(ge=1, le=15)] = 3
    clear: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    cost_per_answer: Money = Decimal(0)

    @property
    def is_bought(self) -> bool:
        """Whether the right answers have to be bought."""
        return self.right_answers == "buy"

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if not self.is_bought:
            if self.path is None:
                raise ValueError(
                    "path is missing; name the table of test items by --test, or have their right "
                    'answers bought: right_answers = "buy" (--right-answers buy)'
                )
            for name in ("items", "supplier"):
                if getattr(self, name) is not None:
                    raise ValueError(f'{name} goes with right_answers = "buy"')
        elif self.cost_per_answer:
            raise ValueError(
                "cost_per_answer is of answers that are known; what bought ones cost, the supplier "
                "says: leave it out"
            )
        elif self.path is not None and self.items is not None:
            raise ValueError(
                "give the test items as a table, or have some drawn from the items to be labelled; "
                "got both path and items"
            )
        return self


class BuyingSection(Section):
    """How labels are bought.

    Attributes
    ----------
    rounds : batches until the money is spent, the last one included; more follow only where money
        is left over
    first : labels of every stratum from every supplier in the first batch; None: as many as a
        quarter of the money buys, at most 30
    least : labels of a batch; a smaller one is not worth a manager's time
    least_gain : points of accuracy that all the money left should be expected to gain; where it is
        less, nothing more is bought
    gold : questions of known answer that are mixed into each batch, of every stratum for each
        supplier
    extra : share of judgments above those asked for that are paid all the same
    pay_skipped : whether a task that was skipped is paid
    approve_below : a batch that costs at most so much needs no approval
    selection : which items are asked about, and whether some are asked again
    aggregate : how a label is made of several judgments; None for what the judgments call for
    class_shares : how common a probe takes the classes to be
    """

    rounds: Annotated[int, Field(ge=1)] = 5
    first: Annotated[int, Field(ge=4)] | None = None
    least: Annotated[int, Field(ge=1)] = 20
    least_gain: Annotated[float, Field(ge=0, le=100)] = 1.0
    gold: Annotated[int, Field(ge=0)] = 5
    extra: Share = 0.05
    pay_skipped: bool = False
    approve_below: Money = Decimal(0)
    selection: SelectionMethod = "random"
    aggregate: Aggregator | None = None
    class_shares: SharesOfClasses = "tested"
    seed: Seed = 0


class CollectionConfig(TrainingConfig):
    """Everything that `labelmix collect` needs to know beside its suppliers."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    items: TableSection
    test: CollectionTestSection
    strata: StrataSection
    budget: BudgetSection
    instructions: str | None = None
    deadline: date | None = None
    buying: BuyingSection = BuyingSection()

    @field_validator("deadline", mode="before")
    @classmethod
    def _a_day(cls, given: object) -> object:
        try:
            return date.fromisoformat(given) if isinstance(given, str) else _day(given)
        except ValueError:
            raise ValueError(f"should be a day such as 2026-12-31; got {short(given)}") from None

    @model_validator(mode="after")
    def _labels_are_of_one_kind(self) -> Self:
        if self.targets.judgments != 1:
            raise ValueError(
                "targets.judgments: how many judgments make a label is said by the suppliers; "
                "leave it out"
            )
        if self.budget.total <= 0:
            raise ValueError(f"budget.total should be above 0; got {self.budget.total}")
        return self


def parse_collection(raw: dict[str, Any], where: str) -> CollectionConfig:
    """Check the settings of a collection; paths in them are already absolute.

    Raises InputError naming the first wrong key, its value and what it should be.
    """
    try:
        return CollectionConfig.model_validate(raw)
    except ValidationError as error:
        raise InputError(f"{where}: {first_error(error, _remedy)}") from None


def with_absolute_paths(raw: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same with the paths of items, test items and a local model seen from `folder`."""
    found = dict(raw)
    for name in ("items", "test"):
        section = raw.get(name)
        if isinstance(section, dict) and isinstance(section.get("path"), str):
            found[name] = {**section, "path": str((folder / section["path"]).absolute())}
    model = raw.get("model")
    if isinstance(model, dict) and isinstance(model.get("path"), str):
        local = folder / model["path"]
        if (local / "config.json").is_file():
            found["model"] = {**model, "path": str(local.absolute())}
    return found


def _day(given: object) -> object:
    """A day of TOML, or nothing; ValueError for all else."""
    if given is None or (isinstance(given, date) and not isinstance(given, datetime)):
        return given
    raise ValueError


def _remedy(mistake: Mistake, place: Place) -> str:
    if mistake == "missing":
        return (
            "give it in the file of --config, or by its option; see 'labelmix collect new --help'"
        )
    if mistake == "unknown key":
        return "see docs/guide/collect.md for the keys there are"
    return ""
