"""The configuration of a run: TOML, checked before anything is loaded."""

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictBool,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from annotation.errors import short
from annotation.sources import SOURCES, source_loader
from annotation.terms.noise import ErrorKind
from budget.config.toml import Money, Section
from training.prompts import PROMPT_VERSION, PROMPT_VERSIONS, find_prompt
from training.targets.make import TargetKind
from training.tuning.settings import PRESETS, Schedule

MethodName = Literal["probe", "qlora"]
Seed = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


# Purchases to learn from before the plan; fewer where each adapter takes minutes.
USUAL_ROUNDS: dict[MethodName, int] = {"probe": 3, "qlora": 1}


class ItemsSection(BaseModel):
    """Where items come from; every key but `source` is an option of that source."""

    model_config = ConfigDict(extra="allow", frozen=True)
    source: str

    @field_validator("source")
    @classmethod
    def _known(cls, source: str) -> str:
        if source not in SOURCES:
            raise ValueError(f"no such source; choose one of {', '.join(SOURCES)}")
        return source

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        """Options have the types that the source's loader asks for; it checks their names."""
        types = get_type_hints(source_loader(self.source))
        for name, value in self.options().items():
            try:
                TypeAdapter(types.get(name, Any)).validate_python(value, strict=True)
            except ValidationError as error:
                message = error.errors()[0]["msg"].replace("Input should", "should")
                raise ValueError(f"{name} {message}; got {short(value)}") from None
        return self

    def options(self) -> dict[str, Any]:
        return dict(self.__pydantic_extra__ or {})


class ModelSection(Section):
    """`pico`, `smollm2`, a folder in Hugging Face format, or a hub id."""

    path: str = "pico"
    # What the whole model computes in. "auto": see `training.models.number_types`.
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"


class MethodsSection(Section):
    """`plan_with` decides; the methods of `also` are tried beside it."""

    plan_with: MethodName = "probe"
    also: tuple[MethodName, ...] = ()

    @property
    def names(self) -> tuple[MethodName, ...]:
        return tuple(dict.fromkeys((self.plan_with, *self.also)))


class AnnotatorSection(Section):
    """Terms of one stratum's simulated annotators; what is left out is the paper's default."""

    cost: Money | None = None
    error_rate: Annotated[float, Field(ge=0, le=1)] | None = None
    error_kind: ErrorKind | None = None
    # Where a measured rate may be, as `labelmix judgments report` writes it; see `labelmix plan`.
    error_rate_low: Annotated[float, Field(ge=0, le=1)] | None = None
    error_rate_high: Annotated[float, Field(ge=0, le=1)] | None = None
    shared_mistakes: Literal["not excluded", "measured"] | None = None
    gold_items_wanted: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _the_rate_is_within_its_interval(self) -> Self:
        low, high, rate = self.error_rate_low, self.error_rate_high, self.error_rate
        if low is None and high is None:
            return self
        if low is None or high is None or rate is None:
            raise ValueError("error_rate, error_rate_low and error_rate_high go together")
        if not low <= rate <= high:
            raise ValueError(
                f"error_rate {rate:g} should be from error_rate_low {low:g} to error_rate_high "
                f"{high:g}"
            )
        return self


class BudgetSection(Section):
    """Money for all labels, those of the pilot included."""

    total: Money
    currency: str = "$"


class PilotSection(Section):
    """Purchases to learn from; trials on their subsamples tell the response surface."""

    labels: Annotated[int, Field(ge=8)] = 120  # per stratum that is for sale, in the first round
    # Before the plan; later ones buy what teaches most. None: 3, or 1 where adapters are trained.
    rounds: Annotated[int, Field(ge=1)] | None = None
    # Let planning trials train on parts of the target's test set. None: where probes are trained.
    borrow: StrictBool | None = None
    # Let a probe of the test set look at unlabelled items. None: where planning trials borrow.
    read: StrictBool | None = None
    # Rehearse purchases with guessed labels where guesses of the target come true. None: where
    # unlabelled items are read and every label is one judgment, trained towards as it is.
    rehearse: StrictBool | None = None
    fractions: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.25, 0.5, 1.0)
    seeds: Annotated[int, Field(ge=2)] = 5
    seed: Seed = 0


class TestSection(Section):
    """The fixed test set, whose answers are taken as right and not charged."""

    __test__ = False  # not a test class, whatever its name begins with

    # Of the target stratum, and of every other one; "all" whose right answer is known.
    items: Annotated[int, Field(ge=10)] | Literal["all"] = 400
    other_items: Annotated[int, Field(ge=0)] | Literal["all"] = 100
    seed: Seed = 0


class EvaluationSection(Section):
    """How often the plan and the baselines are bought and trained."""

    seeds: Annotated[int, Field(ge=2)] = 5


class ProbeSection(Section):
    """Settings of the linear probe."""

    penalty: Positive | None = None  # None: chosen by cross-validation
    optimiser: Literal["ridge", "paper"] = "ridge"

    @model_validator(mode="after")
    def _penalty_is_ours(self) -> Self:
        if self.optimiser == "paper" and self.penalty is not None:
            raise ValueError("penalty goes with the optimiser 'ridge'; the paper's has its own")
        return self


class TargetsSection(Section):
    """What labels become in training, see `training.targets.make.TargetKind`."""

    kind: TargetKind = "hard_labels"
    judgments: Annotated[int, Field(ge=1, le=7)] = 1  # per label, each at the stratum's cost


class UncertaintySection(Section):
    """From an item's uncertainty to its label smoothing, for targets of kind "uncertainty".

    See `training.running.targets_of_labels.TargetSettings`.
    """

    source: Literal["judgments", "model"] = "judgments"
    intercept: FiniteFloat = 0.0
    slope: FiniteFloat = 1.0
    largest: Annotated[float, Field(ge=0, le=1)] = 1.0


class PromptSection(Section):
    """How items are put to a model, by the versions of `training.prompts`."""

    choices: str = PROMPT_VERSION
    reasoning: str = "0305-mended"
    normalisation: Literal["sum", "token", "character"] = "sum"
    # Whether a run first looks for a better prompt, on a sample of the test items.
    check: StrictBool = True

    @field_validator("choices", "reasoning")
    @classmethod
    def _known(cls, version: str) -> str:
        find_prompt(version)
        return version

    @model_validator(mode="after")
    def _reasons_where_it_should(self) -> Self:
        for name, reasons in (("choices", False), ("reasoning", True)):
            if find_prompt(getattr(self, name)).reasons != reasons:
                fit = [v for v in PROMPT_VERSIONS if find_prompt(v).reasons == reasons]
                raise ValueError(
                    f"{name} should be a prompt {'with' if reasons else 'without'} reasoning, one "
                    f"of {', '.join(fit)}; got {short(getattr(self, name))}"
                )
        return self


class QloraSection(Section):
    """Settings of `training.tuning.settings.QloraSettings`; what is left out is the preset's."""

    preset: Literal["default", "paper"] = "default"
    objective: Literal["choices", "reasoning"] = "choices"
    rank: Annotated[int, Field(ge=1)] | None = None
    alpha: Annotated[int, Field(ge=1)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    target_modules: str | None = None
    learning_rate: Positive | None = None
    batch: Annotated[int, Field(ge=1)] | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None
    least_updates: Annotated[int, Field(ge=1)] | None = None
    largest_gradient: Positive | None = None
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    schedule: Schedule | None = None
    warm_up: Annotated[float, Field(ge=0, le=0.5)] | None = None
    restarts: Annotated[int, Field(ge=0, le=10)] | None = None
    members: Annotated[int, Field(ge=1, le=20)] | None = None
    tokens_per_pass: Annotated[int, Field(ge=1)] | None = None
    checkpointing: bool | Literal["auto"] | None = None

    @model_validator(mode="after")
    def _several_answer_by_choices(self) -> Self:
        if self.objective == "reasoning" and (self.members or 1) > 1:
            raise ValueError(
                "members: several adapters answer by their mean over choices; with objective "
                f'"reasoning" it should be 1; got {self.members}'
            )
        return self

    def settings(self) -> dict[str, Any]:
        """Every setting of the adapter's training, the preset filled in."""
        reasons = self.preset == "paper" and self.objective == "reasoning"
        given = self.model_dump(exclude={"preset"}, exclude_none=True)
        return {**asdict(PRESETS["paper_reasoning" if reasons else self.preset]), **given}


class GenerationSection(Section):
    """Settings of generated answers (chain of thought)."""

    most_tokens: Annotated[int, Field(ge=1)] | None = None  # None: 300 for numbers, else 100
