"""The configuration of a run: TOML, checked before anything is loaded."""

import importlib
import tomllib
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_type_hints

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictBool,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from annotation.cost import DEFAULT_TERMS, LabelTerms, mix_cost, money, several
from annotation.errors import InputError
from annotation.noise import ErrorKind
from annotation.sources import SOURCES
from training.probes.rehearsed import LEAST_TEST_ITEMS
from training.prompts import PROMPT_VERSION, PROMPT_VERSIONS, find_prompt
from training.targets import TargetKind
from training.tuning.settings import PRESETS, Schedule

STRATA = ("easy", "medium", "hard")
Stratum = Literal["easy", "medium", "hard"]
MethodName = Literal["probe", "qlora"]
Money = Annotated[Decimal, BeforeValidator(money)]
Seed = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """Base of all sections: a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
        module = importlib.import_module(f"annotation.sources.{self.source}")
        types = get_type_hints(getattr(module, f"load_{self.source}"))
        for name, value in self.options().items():
            try:
                TypeAdapter(types.get(name, Any)).validate_python(value, strict=True)
            except ValidationError as error:
                message = error.errors()[0]["msg"].replace("Input should", "should")
                raise ValueError(f"{name} {message}; got {value!r}") from None
        return self

    def options(self) -> dict[str, Any]:
        return dict(self.__pydantic_extra__ or {})


class StrataSection(Section):
    """How a hardness measure is cut, which stratum counts and which are for sale."""

    measure: str
    easy_at_most: FiniteFloat
    hard_at_least: FiniteFloat
    target: Stratum = "hard"
    buy: tuple[Stratum, ...] = ("easy", "hard")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.easy_at_most >= self.hard_at_least:
            raise ValueError(
                f"easy_at_most ({self.easy_at_most:g}) should be below hard_at_least "
                f"({self.hard_at_least:g})"
            )
        if len(set(self.buy)) != len(self.buy) or len(self.buy) < 2:
            raise ValueError("buy should name at least two different strata")
        if self.target not in self.buy:
            raise ValueError(f"buy should hold the target stratum '{self.target}'")
        return self


class ModelSection(Section):
    """`pico`, a folder in Hugging Face format, or a hub id."""

    path: str = "pico"


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

    items: Annotated[int, Field(ge=10)] = 400  # of the target stratum
    other_items: Annotated[int, Field(ge=1)] = 100  # of every other stratum
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
    """What labels become in training, see `training.targets.TargetKind`."""

    kind: TargetKind = "hard_labels"
    judgments: Annotated[int, Field(ge=1, le=7)] = 1  # per label, each at the stratum's cost


class UncertaintySection(Section):
    """From an item's uncertainty to its label smoothing, for targets of kind "uncertainty".

    See `training.purchase_targets.TargetSettings`.
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
                    f"of {', '.join(fit)}; got {getattr(self, name)!r}"
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
    tokens_per_pass: Annotated[int, Field(ge=1)] | None = None
    checkpointing: bool | Literal["auto"] | None = None

    def settings(self) -> dict[str, Any]:
        """Every setting of the adapter's training, the preset filled in."""
        reasons = self.preset == "paper" and self.objective == "reasoning"
        given = self.model_dump(exclude={"preset"}, exclude_none=True)
        return {**asdict(PRESETS["paper_reasoning" if reasons else self.preset]), **given}


class GenerationSection(Section):
    """Settings of generated answers (chain of thought)."""

    most_tokens: Annotated[int, Field(ge=1)] | None = None  # None: 300 for numbers, else 100


class RunConfig(Section):
    """Everything `labelmix run` needs to know."""

    name: str = "labelmix run"
    items: ItemsSection
    strata: StrataSection
    model: ModelSection = ModelSection()
    methods: MethodsSection = MethodsSection()
    annotators: dict[Stratum, AnnotatorSection] = Field(default_factory=dict)
    budget: BudgetSection
    pilot: PilotSection = PilotSection()
    test: TestSection = TestSection()
    evaluation: EvaluationSection = EvaluationSection()
    probe: ProbeSection = ProbeSection()
    qlora: QloraSection = QloraSection()
    targets: TargetsSection = TargetsSection()
    uncertainty: UncertaintySection = UncertaintySection()
    prompt: PromptSection = PromptSection()
    generation: GenerationSection = GenerationSection()

    @property
    def exploring_rounds(self) -> int:
        """Purchases to learn from before the plan."""
        usual = 1 if self.methods.plan_with == "qlora" else 3
        return self.pilot.rounds or usual

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
        return self.targets.judgments == 1 and self.targets.kind == "hard_labels"

    def terms(self) -> dict[str, LabelTerms]:
        """Terms of every stratum for sale; the cost is that of all judgments of a label."""
        terms: dict[str, LabelTerms] = {}
        for name in self.strata.buy:
            default, given = DEFAULT_TERMS[name], self.annotators.get(name, AnnotatorSection())
            terms[name] = LabelTerms(
                several(self.targets.judgments, default.cost if given.cost is None else given.cost),
                default.error_rate if given.error_rate is None else given.error_rate,
                given.error_kind or default.error_kind,
            )
        return terms

    def method_settings(self, method: str) -> dict[str, Any]:
        """Settings that enter a trial's key."""
        if method == "probe":
            return self.probe.model_dump()
        if method in ("zero_shot", "in_context"):
            return {"normalisation": self.prompt.normalisation}
        settings = self.qlora.settings() if method == "qlora" else {}
        return {**settings, **self.generation.model_dump()} if self.reasons(method) else settings

    def reasons(self, method: str) -> bool:
        """Whether a method writes out its reasoning before it answers."""
        tuned = method == "qlora" and self.qlora.objective == "reasoning"
        return tuned or method == "chain_of_thought"

    def prompt_version(self, method: str) -> str:
        """The prompt that a method uses."""
        return self.prompt.reasoning if self.reasons(method) else self.prompt.choices

    def target_settings(self) -> dict[str, Any]:
        """What enters a trial's key beside the kind of targets."""
        return self.uncertainty.model_dump() if self.targets.kind == "uncertainty" else {}

    @model_validator(mode="after")
    def _terms_make_sense(self, info: ValidationInfo) -> Self:
        for name in self.annotators:
            if name not in self.strata.buy:
                raise ValueError(
                    f"annotators.{name}: the stratum is not for sale; add it to strata.buy"
                )
        terms = self.terms()
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
        if self.pilot.rehearse and not self._labels_are_plain:
            raise ValueError(
                "pilot.rehearse: guessed labels stand for one judgment each; with true, "
                'targets.judgments should be 1 and targets.kind "hard_labels"'
            )
        if self.pilot.rehearse and self.test.items < LEAST_TEST_ITEMS:
            raise ValueError(
                f"pilot.rehearse: with true, test.items should be at least {LEAST_TEST_ITEMS}; "
                f"got {self.test.items}"
            )
        if self.pilot.rehearse and self.pilot.borrow is False:
            raise ValueError(
                "pilot.rehearse: rehearsals are compared with borrowed labels; leave pilot.borrow "
                "out, or set it to true"
            )
        pilot_cost = mix_cost(dict.fromkeys(terms, self.pilot.labels), terms)
        plans = not info.context or info.context.get("plans", True)
        if plans and pilot_cost > self.budget.total:
            raise ValueError(
                f"budget.total of {self.budget.total} is too small for the pilot, which costs "
                f"{pilot_cost} ({self.pilot.labels} labels of each of "
                f"{', '.join(self.strata.buy)}); raise budget.total or lower pilot.labels"
            )
        return self


def read_config(path: Path, plans: bool = True) -> RunConfig:
    """Read and check a configuration; paths in it are relative to its folder.

    Where nothing is planned (`plans`), there need be no budget, nor need it pay for a pilot.

    Raises InputError: no such file, not TOML (with line and column), a wrong key or value.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; 'labelmix init' writes one.") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder; give the configuration's .toml file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {error}.") from None
    return parse_config(raw, str(path), path.parent, plans)


def parse_config(raw: dict[str, Any], where: str, folder: Path, plans: bool = True) -> RunConfig:
    """Check a configuration read from TOML; `folder` is what its paths are relative to.

    Raises InputError naming the first wrong key, its value and what it should be.
    """
    if not plans:
        raw = {"budget": {"total": 0}, **raw}
    try:
        config = RunConfig.model_validate(raw, context={"plans": plans})
    except ValidationError as error:
        raise InputError(f"{where}: {_first_error(error)}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    options = config.items.options()
    for key in ("path", "data_dir", "annotations"):
        if isinstance(options.get(key), str):
            options[key] = str(_relative_to(folder, options[key]))
    updates: dict[str, Any] = {
        "items": ItemsSection.model_validate({"source": config.items.source, **options})
    }
    local = _relative_to(folder, config.model.path)
    if (local / "config.json").is_file():
        updates["model"] = ModelSection(path=str(local))
    return config.model_copy(update=updates)


def _relative_to(folder: Path, path: str) -> Path:
    try:
        return folder / Path(path).expanduser()
    except RuntimeError:  # "~name/..." of a user that does not exist
        return folder / path


def _first_error(error: ValidationError) -> str:
    errors = error.errors()
    # A misspelt key is the likelier mistake where one is also missing.
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    place = ".".join(str(part) for part in first["loc"] if part != "[key]")
    kind, value = first["type"], first.get("input")
    if kind == "missing":
        return f"{place} is missing; 'labelmix init' writes a configuration with every key."
    if kind == "extra_forbidden":
        return f"{place}: no such key; 'labelmix init' writes a configuration with every key."
    if kind == "model_type":
        return f"{place} should be a section, [{place}]; got {value!r}."
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    message = message.replace("Input should", "should").replace("valid tuple", "list")
    # The value of a whole section says nothing that the message does not.
    is_told = not place or isinstance(value, dict | BaseModel) or "; got " in message
    got = "" if is_told else f"; got {value!r}"
    return f"{place}: {message}{got}." if place else f"{message}."


def with_overrides(
    config: RunConfig, data_dir: Path | None = None, model: str | None = None
) -> RunConfig:
    """The configuration with what the command line says instead.

    Raises InputError if the source takes no data folder.
    """
    updates: dict[str, Any] = {}
    if data_dir is not None:
        if config.items.source in ("workshop", "tabular"):
            raise InputError(
                f"source '{config.items.source}' takes no --data-dir: it has no data of its own."
            )
        options = {**config.items.options(), "data_dir": str(data_dir)}
        updates["items"] = ItemsSection.model_validate({"source": config.items.source, **options})
    if model is not None:
        updates["model"] = ModelSection(path=model)
    return config.model_copy(update=updates)
