"""All hardness measures, by name: what each means, where it is from, what it needs and costs.

A measure's name is its column in the item table. The larger it is, the harder the item, always.
Measures that need no model are computed by `annotation.hardness.measure`; those that need features
or probes by `training.hardness.measure`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from annotation.errors import InputError
from annotation.items.table import IS_PREDICTED

Family = Literal["human", "surface", "judgments", "model"]
Needs = Literal["column", "texts", "judgments", "features", "language model"]


@dataclass(frozen=True)
class Measure:
    """One hardness measure.

    Attributes
    ----------
    name : its column
    family : who or what says how hard an item is
    meaning : one sentence
    source : who proposed or used it
    needs : what it is computed from; "column": the source brings it, it cannot be computed
    cost : what has to be paid for it
    """

    name: str
    family: Family
    meaning: str
    source: str
    needs: Needs
    cost: str


HASE = "Hase et al. 2024 (arXiv:2401.06751)"
_COLUMN = "somebody has rated every item"
_FREE = "nothing: it is counted"
_JUDGED = "several judgments per item"
_PASS = "one pass of the model over the items"
_PROBES = "one pass of the model over the items, then probes: minutes"

_MEASURES = (
    Measure("grade", "human", "School grade that the question is for, 3 to 8.", HASE, "column",
            _COLUMN),
    Measure("difficulty", "human", "Expert's rating: low, medium or high (1 to 3).", HASE, "column",
            _COLUMN),
    Measure("bloom", "human", "Skill in Bloom's taxonomy, from remembering (1) to evaluating (5).",
            HASE, "column", _COLUMN),
    Measure("depth_of_knowledge", "human", "Webb's depth of knowledge, I to III (1 to 3).", HASE,
            "column", _COLUMN),
    Measure("level", "human", "0 for high school, 1 for college.", HASE, "column", _COLUMN),
    Measure("num_steps", "human", "Steps of the written solution or decomposition.", HASE, "column",
            "a written solution"),
    Measure("steps", "human", "Events of a generated word problem, 1 to 6.", "workshop", "column",
            "nothing: it is generated"),
    Measure("mildness", "human", "0 for strong words, 1 for mild ones.",
            "Socher et al. 2013 (EMNLP), labels of five classes", "column", _COLUMN),
    Measure("question_words", "surface", "Words of the question.", HASE, "texts", _FREE),
    Measure("answer_words", "surface", "Words of the gold answer.", HASE, "texts", _FREE),
    Measure("answer_characters", "surface", "Characters of the gold answer.", HASE, "texts", _FREE),
    Measure("reasoning_words", "surface", "Words of the written reasoning.", HASE, "texts",
            "nothing, where there is reasoning: it is counted"),
    Measure("answer_entropy", "judgments", "Entropy of the annotators' answers, in bits.",
            "Shannon 1948", "judgments", _JUDGED),
    Measure("pairwise_disagreement", "judgments",
            "Chance that two annotators of the item give different answers.",
            "Fleiss 1971 (Psychological Bulletin 76)", "judgments", _JUDGED),
    Measure("irt_difficulty", "judgments",
            "Difficulty in the two-parameter model of item response theory, in standard deviations "
            "of the annotators' ability.",
            "Birnbaum 1968; Bock and Aitkin 1981 (Psychometrika 46)", "judgments",
            "50 judgments per item or more, and gold answers"),
    Measure("rasch_difficulty", "judgments",
            "Difficulty in the one-parameter model of item response theory, in standard deviations "
            "of the annotators' ability.",
            "Rasch 1960; Bock and Aitkin 1981 (Psychometrika 46)", "judgments",
            "a few judgments per item, and gold answers"),
    Measure("error_confidence", "model",
            "Mean probability that probes trained on other items give to wrong answers, over sizes "
            "and samples of the training set.",
            f"{HASE}, there called MDL (learned)", "features", _PROBES),
    Measure("probe_difficulty", "model",
            "Difficulty in the one-parameter model of item response theory; probes trained on "
            "samples of other items are the respondents.",
            "Rasch 1960; Kordi et al. 2025 (arXiv:2511.21692), with language models", "features",
            _PROBES),
    Measure("zero_shot_error_confidence", "model",
            "Probability that the model gives to wrong answers when asked without examples.",
            f"{HASE}, there called MDL (decoding)", "language model", _PASS),
    Measure("code_length", "model",
            "Bits that the label costs when all are sent in random order by probes trained on "
            "those sent before: the item's share of the minimum description length.",
            "Voita and Titov 2020 (arXiv:2003.12298)", "features", _PROBES),
    Measure("negative_pvi", "model",
            "Minus the bits about the label that a probe can use from the item (pointwise "
            "V-information); above 0 the item misleads.",
            "Ethayarajh et al. 2022 (arXiv:2110.08420)", "features", _PROBES),
)  # fmt: skip

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _MEASURES}

# Columns beside a measure's own: its standard error, its interval, where it is a prediction.
COMPANION_SUFFIXES = ("_standard_error", "_low", "_high", IS_PREDICTED)


def find_measure(name: str, there: Sequence[str] = ()) -> Measure:
    """The measure of a name; `there` are the measures that the items bring.

    Raises InputError, with those there are and the nearest name, if there is none.
    """
    if name not in MEASURES:
        near = get_close_matches(name, [*there, *MEASURES], n=1)
        meant = f" (did you mean '{near[0]}'?)" if near else ""
        brought = f"the items bring: {', '.join(there)}; " if there else ""
        raise InputError(
            f"hardness measure '{name}' is unknown{meant}; {brought}the registry has: "
            f"{', '.join(MEASURES)}."
        )
    return MEASURES[name]


def is_companion(column: str, columns: Sequence[str]) -> bool:
    """Whether a column says how sure another is, and is no measure itself."""
    return any(
        column.endswith(suffix) and column.removesuffix(suffix) in columns
        for suffix in COMPANION_SUFFIXES
    )
