"""What `labelmix hardness` does: add measures to items, cut them, and say what came out."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.hardness.describe import describe_measure, spearman_matrix
from analysis.hardness.figure import write_hardness_figure
from analysis.hardness.items import MeasuredPool
from analysis.hardness.result import HardnessResult
from analysis.hardness.work import HardnessWork, ModelAsked
from annotation.errors import InputError
from annotation.hardness.measure import OF_JUDGMENTS
from annotation.hardness.registry import MEASURES, find_measure
from annotation.hardness.selection import split_judgments
from annotation.items.table import measures
from annotation.judgments.table_files import read_judgments
from annotation.written_together import written_together
from training.prompts import PROMPT_VERSION

if TYPE_CHECKING:
    from training.engines.base import Watcher
    from training.models.source import WantedType


@dataclass(frozen=True)
class HardnessOptions:
    """What was asked for.

    Attributes
    ----------
    measures : names; none: all that the items bring, and those of their texts and judgments
    judgments : file of a judgment table, for measures made from judgments
    judgments_for_strata : how many judgments of every item are looked at, the first; None: all
    cut : see `annotation.strata.cut.read_cut`; None: the paper's for its data,
        else three equal strata
    model, dtype, prompt : for measures that need a model, and for predictions: which, what it
        computes in, and how a decoder is asked
    predict : fill in unknown values by predictions
    coverage : of the predictions' intervals
    folder : where features are kept
    out : file to write the items to, measures added
    figure : file to draw histograms and correlations in
    seed : of samples and folds
    """

    measures: tuple[str, ...] = ()
    judgments: Path | None = None
    judgments_for_strata: int | None = None
    cut: str | None = None
    model: str = "pico"
    dtype: "WantedType" = "auto"
    prompt: str = PROMPT_VERSION
    predict: bool = False
    coverage: float = 0.9
    folder: Path = Path("runs/features")
    out: Path | None = None
    figure: Path | None = None
    seed: int = 0


def run_hardness(
    pool: MeasuredPool, options: HardnessOptions, watcher: "Watcher"
) -> HardnessResult:
    """Measure items as asked, write them where asked, and describe what came out.

    Raises InputError if judgments or model cannot be read, or a measure cannot be computed or cut.
    """
    _check_measures(pool, options)
    judgments = None if options.judgments is None else read_judgments(options.judgments)
    if judgments is not None and options.judgments_for_strata is not None:
        judgments, _ = split_judgments(judgments, options.judgments_for_strata)
    model = ModelAsked(options.model, options.dtype, options.prompt)
    work = HardnessWork(pool, judgments, model, options.folder, options.seed, watcher)
    names = work.add_measures(options.measures)
    if options.predict:
        work.predict(names, options.coverage)
    described = [
        describe_measure(
            name,
            work.items,
            pool.source,
            options.cut or pool.cuts.get(name),
            work.predictions.get(name),
            work.remarks.get(name, []),
            pool.names.get(name, ()) if options.cut is None else (),
        )
        for name in names
    ]
    results = [each.result for each in described]
    if not any(result.strata for result in results) and options.cut is not None:
        raise InputError(results[0].remarks[-1])
    strata: dict[str, list[str | None]] = {}
    if options.out is not None:
        columns = pool.stratum_columns([result.name for result in results if result.strata])
        strata = {columns[each.result.name]: [name or None for name in each.strata]
                  for each in described if each.result.strata}  # fmt: skip
        results = [
            result.model_copy(update={"stratum_column": columns.get(result.name)})
            for result in results
        ]
    found = HardnessResult(
        source=pool.name,
        items=len(pool.items),
        remarks=list(pool.remarks),
        measures=results,
        spearman=spearman_matrix(work.items[names]),
        out=None if options.out is None else str(options.out),
    )
    with written_together():
        if options.out is not None:
            pool.write(work.items, strata, options.out)
        if options.figure is not None:
            write_hardness_figure(found, options.figure)
    return found


def _check_measures(pool: MeasuredPool, options: HardnessOptions) -> None:
    """Raise InputError, before any work, if a measure that was asked for is none."""
    there = measures(pool.items)
    for name in options.measures:
        if name in there:
            continue
        why = pool.why_no_measure(name)
        if why is not None and (name not in MEASURES or MEASURES[name].needs == "column"):
            raise InputError(why)
        find_measure(name, there)
    if options.out is not None:
        pool.check_added_names(
            [*options.measures, *pool.stratum_columns([*(options.measures or there)]).values()]
        )
    asked = options.measures
    if options.judgments is None and options.judgments_for_strata is not None:
        raise InputError("--judgments-for-strata goes with --judgments.")
    if options.judgments is not None and asked and not set(asked) & OF_JUDGMENTS.keys():
        raise InputError(
            "--judgments goes with a measure made from judgments; give --measure "
            f"{' or '.join(OF_JUDGMENTS)}."
        )
