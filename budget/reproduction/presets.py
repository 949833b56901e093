"""What `labelmix reproduce` tries on a data set, and how a model is asked and trained.

A further data set or model is an entry here. Sizes are chosen so that all experiments end in
minutes on the embedded items and model, and in about half an hour a data set on two processor cores
with a model of 135 million parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analysis.reproduce.study import StudyDesign
from annotation.errors import InputError
from training.trial import Method

WORKSHOP, PICO = "workshop", "pico"


@dataclass(frozen=True)
class DataPreset:
    """A data set.

    Attributes
    ----------
    source : as in [items] of a configuration
    about : what it is, for people
    measures : hardness measures to study, the main one first
    methods_of : measure -> methods tried on it; a probe alone where it is not named
    options : of the source, beside its folder
    cuts : measure -> its cut, where that is not the usual one
    prompt : how a decoder is asked (`training.prompts`), as the paper does
    design : how much is bought, trained and tested
    needs_folder : whether its data are not in the package
    """

    source: str
    about: str
    measures: tuple[str, ...]
    methods_of: Mapping[str, tuple[Method, ...]]
    options: Mapping[str, Any] = field(default_factory=dict)
    cuts: Mapping[str, str] = field(default_factory=dict)
    prompt: str = "0040-mended"
    design: StudyDesign = field(default_factory=StudyDesign)
    needs_folder: bool = True


@dataclass(frozen=True)
class ModelPreset:
    """How a model is asked and trained where the usual way does not do.

    Attributes
    ----------
    prompt : in place of the data set's; None: that one
    normalisation : of choices' log-probabilities
    qlora : settings of adapters
    slow : read and trained on a processor it takes minutes, so that less is done
    """

    prompt: str | None = None
    normalisation: str = "sum"
    qlora: Mapping[str, Any] = field(default_factory=dict)
    slow: bool = True


_THREE: tuple[Method, ...] = ("probe", "in_context", "qlora")
_TWO: tuple[Method, ...] = ("probe", "in_context")

DATA: dict[str, DataPreset] = {
    WORKSHOP: DataPreset(
        source=WORKSHOP,
        about="generated word problems; hardness is their number of steps",
        measures=("steps", "question_words", "answer_characters"),
        methods_of={"steps": _THREE, "question_words": _TWO},
        options={"size": 6600},
        cuts={"steps": "edges:2,>=5"},
        design=StudyDesign(
            seeds=8,
            test_items=1000,
            other_test_items=300,
            examples=3,  # more do not fit into what pico reads at once
            adapter_seeds=4,
        ),
        needs_folder=False,
    ),
    "arc": DataPreset(
        source="arc",
        about="science questions of the third to the eighth grade",
        measures=("grade", "difficulty", "bloom", "question_words", "answer_characters"),
        methods_of={"grade": _THREE},
    ),
    "mmlu_stem": DataPreset(
        source="mmlu_stem",
        about="science and mathematics questions of high school and college",
        measures=("level", "question_words", "answer_characters"),
        methods_of={"level": _THREE},
        design=StudyDesign(test_items=360),
    ),
    "strategyqa": DataPreset(
        source="strategyqa",
        about="yes-or-no questions that take several steps",
        measures=("num_steps", "question_words", "reasoning_words"),
        methods_of={"num_steps": _THREE},
        prompt="0306-mended",
        design=StudyDesign(examples=8, sizes=(10, 20, 40, 80, 160)),
    ),
    "sst5": DataPreset(
        source="sst5",
        about="sentences of film reviews, positive or negative; mild ones are hard",
        measures=("mildness", "question_words"),
        methods_of={"mildness": ("probe",)},
        prompt="0306-mended",
        design=StudyDesign(test_items=800, other_test_items=400),
    ),
}
_PICO = ModelPreset(
    # It has under a million parameters: adapters need larger steps, and more of them.
    qlora={
        "rank": 8,
        "alpha": 16,
        "batch": 8,
        "epochs": 4,
        "least_updates": 120,
        "learning_rate": 2e-3,
    },
    slow=False,
)
MODELS: dict[str, ModelPreset] = {
    PICO: _PICO,
    # Asked with a list of choices it guesses.
    "smollm2": ModelPreset(prompt="0306-mended", normalisation="character"),
}


def find_data(name: str, option: str = "--data") -> DataPreset:
    """A data set by name, which was given by an option.

    Raises InputError, with those there are, if there is none.
    """
    known = name.replace("-", "_").lower()
    if known not in DATA:
        raise InputError(f"{option} '{name}' is unknown; choose from {', '.join(DATA)}.")
    return DATA[known]


def design_of(data: DataPreset, model: ModelPreset, encodes: bool = False) -> StudyDesign:
    """How much is done: less with a slow model, unless it is an encoder, which only reads."""
    if not model.slow or encodes:
        return data.design
    return replace(
        data.design,
        test_items=min(data.design.test_items, 300),
        other_test_items=min(data.design.other_test_items, 100),
        example_seeds=2,
        adapter_labels=80,
        adapter_seeds=2,
    )
