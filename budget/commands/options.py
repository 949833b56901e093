"""Options that several commands share, each with one name, type and help."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from annotation.errors import InputError

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Processes that run trials side by side, one thread each; default: one for every "
        "GPU, on a Ray cluster as many as it has room for.",
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Run trials on a Ray cluster that is up, e.g. auto or 10.0.0.1:6379.",
    ),
]
RayGpus = Annotated[
    float | None,
    typer.Option(
        "--ray-gpus",
        min=0,
        metavar="NUMBER",
        help="GPUs of each worker on the Ray cluster; default 1 where this machine has one.",
    ),
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="A folder that 'labelmix run' or 'demo' wrote.")
]
DataDir = Annotated[
    Path | None, typer.Option(help="Local folder of the source's data, instead of the hub.")
]
ModelPath = Annotated[
    str | None,
    typer.Option(help="Model folder, hub id, pico or smollm2, instead of the configured one."),
]
FeaturesFolder = Annotated[
    Path | None,
    typer.Option(
        help="Folder that keeps what the model makes of items, for all commands that read them, "
        "e.g. --features runs/features; default runs/features, or features in --out.",
    ),
]
# How to read a user's own table.
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME=COLUMN",
        help="What ITEMS calls it, e.g. question=prompt; may be given several times.",
    ),
]
ChoicesOption = Annotated[
    str | None,
    typer.Option(
        "--choices",
        metavar="A,B,...",
        help="The classes of all items, where ITEMS has no column of choices.",
    ),
]
AnswersOption = Annotated[
    str | None,
    typer.Option(
        "--answers",
        metavar="READING",
        help="How ITEMS names right answers, where that is not clear: text, letter, index0 (a "
        "number, the first choice is 0) or index1 (the first is 1), e.g. --answers index1.",
    ),
]
# How strata are made.
MeasureOption = Annotated[
    str | None,
    typer.Option(
        "--measure",
        help="What strata are cut by: a column of the items, e.g. steps; with "
        "--judgments-for-strata how judgments disagree, e.g. answer_entropy.",
    ),
]
CutOption = Annotated[
    str | None,
    typer.Option(
        "--cut",
        help="paper, quantiles:3, quantiles:.3,.7 or edges:5,>=8; default: paper for its data "
        "sets, that of CONFIG.toml for its measure, else quantiles:3.",
    ),
]
JudgmentsForStrata = Annotated[
    int | None,
    typer.Option(
        "--judgments-for-strata",
        min=2,
        metavar="N",
        help="Let the first N judgments of every item, and no others, tell how hard it is; only "
        "the others tell how often people err, e.g. --judgments-for-strata 2.",
    ),
]
StrataOfOtherJudgments = Annotated[
    bool,
    typer.Option(
        "--strata-of-other-judgments",
        help="Other judgments than those in FILE told the strata, though it may not look so.",
    ),
]
# How to read judgment files.
JudgmentFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="Label Studio's export (JSON, JSON-MIN, CSV, or the folder of a storage), or "
        "judgments as CSV or Parquet.",
    ),
]
DifferentServers = Annotated[
    bool,
    typer.Option(
        "--different-servers",
        help="Each FILE is of a Label Studio of its own: equal numbers are different people.",
    ),
]
Control = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Of Label Studio's controls the one whose answers are the labels, e.g. sentiment; or "
        "sentiment,feeling where it has another name in every file.",
    ),
]
GroundTruthIsGold = Annotated[
    bool,
    typer.Option("--ground-truth-is-gold", help="Label Studio's ground truths are right answers."),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Stop at rows that are wrong, leave none out.")
]
HourlyPay = Annotated[
    list[str] | None,
    typer.Option(
        "--rate",
        metavar="[NAME=]AMOUNT",
        help="Paid per hour: to an annotator, a role, or all others, e.g. expert=40.",
    ),
]
PiecePay = Annotated[
    list[str] | None,
    typer.Option(
        "--fee",
        metavar="[NAME=]AMOUNT",
        help="Paid per judgment with a label: to an annotator, a role, or all others, e.g. "
        ".05. Whoever has both is paid both.",
    ),
]
Roles = Annotated[
    list[str] | None, typer.Option("--role", metavar="ANNOTATOR=ROLE", help="Who is what.")
]


def read_columns(pairs: Sequence[str] | None) -> dict[str, str]:
    """Read "question=prompt" and the like: name in the item table -> name in the file.

    Raises InputError if one is malformed, or names the same twice.
    """
    from budget.commands.name_value import read_pairs

    return read_pairs(pairs, "--column", "NAME=COLUMN, e.g. question=prompt", at_first=True)


def read_choices_or_count(text: str | None, most: int) -> tuple[list[str] | None, int | None]:
    """Read "yes,no", the choices of all items, or "4", how many choices an item has.

    Raises InputError if it is neither, or a number that is not within 2 and `most`.
    """
    if text is None or not text.strip().isdecimal():
        return read_choices(text), None
    digits = text.strip().lstrip("0")
    if len(digits) > len(str(most)) or not 2 <= int(digits or "0") <= most:
        raise InputError(
            f"--choices {text}: should be within 2 and {most} choices per item, or the classes of "
            "all items, e.g. yes,no."
        )
    return None, int(digits)


def read_choices(text: str | None) -> list[str] | None:
    """Read "yes,no": the choices of all items; one that holds a comma stands in quotes.

    Raises InputError if there are fewer than two, one is empty, or one occurs twice.
    """
    if text is None:
        return None
    choices = [part.strip() for part in next(csv.reader([text], skipinitialspace=True), [])]
    if len(choices) < 2 or not all(choices) or len(set(choices)) < len(choices):
        raise InputError(
            f"--choices {text!r} should be two or more different classes with commas between "
            "them, e.g. yes,no."
        )
    return choices


SHARED_FEATURES = Path("runs/features")


def features_folder(out: Path | None, features: Path | None) -> Path:
    """Where a command keeps what the model makes of items; `out` and `features` as given."""
    if features is not None:
        return features
    return SHARED_FEATURES if out is None else out / "features"
