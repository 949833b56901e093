"""The configuration of a run as a whole."""

from typing import Any, Self

from pydantic import (
    Field,
    ValidationInfo,
    model_validator,
)

from annotation.errors import InputError
from annotation.terms.cost import (
    DEFAULT_TERMS,
    LabelTerms,
    mix_cost,
    several,
)
from annotation.terms.noise import ErrorKind
from budget.config.collected_section import CollectedSection, split_annotators
from budget.config.sections import (
    USUAL_ROUNDS,
    AnnotatorSection,
    BudgetSection,
    EvaluationSection,
    ItemsSection,
    PilotSection,
    TestSection,
)
from budget.config.strata_section import StrataSection
from budget.config.training_config import TrainingConfig
from training.unlabelled.told import LEAST_TEST_ITEMS


class RunConfig(TrainingConfig):
    """Everything `labelmix run` needs to know."""

    name: str = "labelmix run"
    items: ItemsSection
    strata: StrataSection
    annotators: dict[str, AnnotatorSection] = Field(default_factory=dict)
    collected: CollectedSection | None = None  # written as part of [annotators]
    budget: BudgetSection
    pilot: PilotSection = PilotSection()
    test: TestSection = TestSection()
    evaluation: EvaluationSection = EvaluationSection()

    @model_validator(mode="before")
    @classmethod
    def _who_labels(cls, raw: Any) -> Any:  # noqa: ANN401 - whatever a TOML file holds
        return split_annotators(raw)

    @property
    def exploring_rounds(self) -> int:
        """Purchases to learn from before the plan."""
        return self.pilot.rounds or USUAL_ROUNDS[self.methods.plan_with]

    def borrows(self, method: str) -> bool:
        """Whether planning trials of a method borrow labels of the test set."""
        return method == "probe" if self.pilot.borrow is None else self.pilot.borrow

    def reads(self, method: str) -> bool:
        """Whether a probe of the test set looks at unlabelled items before labels are bought."""
        wanted = self.borrows(method) if self.pilot.read is None else self.pilot.read
        return method == "probe" and wanted

    def rehearses(self, method: str) -> bool:
        """Whether purchases are rehearsed with guessed labels; needs what is lent to compare."""
        chosen = self.pilot.rehearse
        wanted = self.reads(method) and self._labels_are_plain if chosen is None else chosen
        return method == "probe" and self.borrows(method) and wanted

    @property
    def _labels_are_plain(self) -> bool:
        plain = self.targets.judgments == 1 and self.targets.kind == "hard_labels"
        return plain and self.collected is None

    def unused_terms(self) -> list[str]:
        """A line about each stratum whose terms are given though none of its labels are for sale.

        Measured terms tell of all strata that there are.
        """
        return [
            f"annotators.{name} is not used: the stratum is not for sale; add it to strata.buy, "
            f"which is {', '.join(self.strata.buy)}, to buy its labels."
            for name in self.annotators
            if name not in self.strata.buy
        ]

    def terms(self) -> dict[str, LabelTerms]:
        """Terms of every stratum for sale; the cost is that of all judgments of a label.

        Raises InputError if a stratum has neither terms nor defaults.
        """
        found = {name: self._terms_of(name) for name in self.strata.buy}
        for name, terms in found.items():
            if terms is None and self.collected is not None:
                raise InputError(
                    f"annotators.{name}: give cost, what one judgment of people costs; there is no "
                    "default for it."
                )
            if terms is None:
                raise InputError(
                    f"annotators.{name}: give cost and error_rate; there are defaults for "
                    f"{', '.join(DEFAULT_TERMS)} alone."
                )
        return {name: terms for name, terms in found.items() if terms is not None}

    def _terms_of(self, name: str) -> LabelTerms | None:
        """Terms of a stratum; None where they are neither given nor have a default."""
        given, default = self.annotators.get(name, AnnotatorSection()), DEFAULT_TERMS.get(name)
        cost, error_rate = given.cost, given.error_rate
        if self.collected is not None:
            # An error rate that is not given is measured once the judgments are read.
            error_rate, default = error_rate or 0.0, None
        if default is not None:
            cost = default.cost if cost is None else cost
            error_rate = default.error_rate if error_rate is None else error_rate
        if cost is None or error_rate is None:
            return None
        usual: ErrorKind = "flip" if self.collected else "redraw"
        kind = given.error_kind or (default.error_kind if default else usual)
        return LabelTerms(several(self.targets.judgments, cost), error_rate, kind)

    @model_validator(mode="after")
    def _terms_make_sense(self, info: ValidationInfo) -> Self:
        for name in self.annotators:
            if name not in self.strata.names:
                raise ValueError(
                    f"annotators.{name}: no such stratum; choose from "
                    f"{', '.join(self.strata.names)}"
                )
        plans = not info.context or info.context.get("plans", True)
        # Judgments are what tells terms: to read them, a run needs none yet.
        known = {name: self._terms_of(name) for name in self.strata.buy}
        terms = self.terms() if plans else {n: own for n, own in known.items() if own is not None}
        for stratum, its_terms in terms.items():
            if its_terms.cost == 0:
                raise ValueError(f"annotators.{stratum}.cost should be above 0; got 0")
        if self.targets.kind != "hard_labels" and self.qlora.objective == "reasoning":
            raise ValueError(
                f"targets.kind '{self.targets.kind}' is for choices; with qlora.objective "
                '"reasoning" it should be "hard_labels"'
            )
        if self.pilot.rehearse and "probe" not in self.methods.names:
            raise ValueError(
                "pilot.rehearse: only probes rehearse; with true, probe should be "
                f"methods.plan_with or in methods.also; got {', '.join(self.methods.names)}"
            )
        if self.pilot.rehearse and self.collected is not None:
            raise ValueError(
                "pilot.rehearse: guessed labels err like simulated ones; leave it out where "
                "people's judgments are trained on"
            )
        if self.pilot.rehearse and not self._labels_are_plain:
            raise ValueError(
                "pilot.rehearse: guessed labels stand for one judgment each; with true, "
                'targets.judgments should be 1 and targets.kind "hard_labels"'
            )
        items = self.test.items
        if self.pilot.rehearse and items != "all" and items < LEAST_TEST_ITEMS:
            raise ValueError(
                f"pilot.rehearse: with true, test.items should be at least {LEAST_TEST_ITEMS}; "
                f"got {items}"
            )
        if self.pilot.rehearse and self.pilot.borrow is False:
            raise ValueError(
                "pilot.rehearse: rehearsals are compared with borrowed labels; leave pilot.borrow "
                "out, or set it to true"
            )
        pilot_cost = mix_cost(dict.fromkeys(terms, self.pilot.labels), terms)
        if plans and pilot_cost > self.budget.total:
            raise ValueError(
                f"budget.total of {self.budget.total} is too small for the pilot, which costs "
                f"{pilot_cost} ({self.pilot.labels} labels of each of "
                f"{', '.join(self.strata.buy)}); raise budget.total or lower pilot.labels"
            )
        return self
