"""What `labelmix hardness` does: add measures to items, cut them, and say what came out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.hardness.measure import OF_JUDGMENTS, OF_TEXTS, judgment_measure, text_measures
from annotation.hardness.registry import MEASURES, find_measure, is_companion
from annotation.items import measures
from annotation.judgments.table import read_judgments
from annotation.sources import load_items
from annotation.sources.table_writer import check_table_path, write_table
from annotation.sources.tabular import load_unanswered
from budget.hardness_describe import describe_measure, known_number, spearman_matrix
from budget.hardness_result import HardnessResult, Prediction

if TYPE_CHECKING:
    from training.engines.base import Watcher
    from training.hardness.measure import ModelMeasures

Array = NDArray[np.float64]


@dataclass(frozen=True)
class HardnessOptions:
    """What was asked for.

    Attributes
    ----------
    items : file of items, or None with `source`
    source, data_dir : a source by name, and its local folder
    columns : name in the item table -> name in the file
    measures : names; none: all that the items bring, and those of their texts
    judgments : file of a judgment table, for measures made from judgments
    cut : see `annotation.cutting.read_cut`; None: the paper's for its data, else three equal strata
    model : for measures that need one, and for predictions
    predict : fill in unknown values by predictions
    coverage : of the predictions' intervals
    folder : where features are kept
    out : file to write the items to, measures added
    seed : of samples and folds
    """

    items: Path | None = None
    source: str | None = None
    data_dir: Path | None = None
    columns: dict[str, str] = field(default_factory=dict)
    measures: tuple[str, ...] = ()
    judgments: Path | None = None
    cut: str | None = None
    model: str = "pico"
    predict: bool = False
    coverage: float = 0.9
    folder: Path = Path("runs/hardness")
    out: Path | None = None
    seed: int = 0


def run_hardness(options: HardnessOptions, watcher: "Watcher") -> HardnessResult:
    """Measure items as asked, write them where asked, and describe what came out.

    Raises InputError if items, judgments or model cannot be read, or a measure cannot be computed
    or cut.
    """
    if options.out is not None:  # before any work that takes long
        check_table_path(options.out)
    items, source = _load(options)
    for name in options.measures:
        if name not in measures(items):
            find_measure(name)
    work = _Work(options, items, watcher)
    names = work.add_measures()
    if options.predict:
        work.predict(names)
    results = [
        describe_measure(
            name,
            work.items,
            source,
            options.cut,
            work.predictions.get(name),
            work.remarks.get(name, []),
        )
        for name in names
    ]
    if not any(result.strata for result in results) and options.cut is not None:
        raise InputError(results[0].remarks[-1])
    if options.out is not None:
        write_table(work.items, options.out)
    return HardnessResult(
        source=source or str(options.items),
        items=len(items),
        measures=results,
        spearman=spearman_matrix(work.items[names]),
        out=None if options.out is None else str(options.out),
    )


def _load(options: HardnessOptions) -> tuple[pd.DataFrame, str]:
    if (options.items is None) == (options.source is None):
        raise InputError("give either ITEMS (a file) or --source.")
    if options.items is not None:
        if options.data_dir is not None:
            raise InputError("--data-dir goes with --source, not with ITEMS.")
        return load_unanswered(str(options.items), options.columns or None), ""
    if options.columns:
        raise InputError("--column goes with ITEMS, not with --source.")
    assert options.source is not None
    folder = {} if options.data_dir is None else {"data_dir": str(options.data_dir)}
    return load_items(options.source, **folder), options.source


class _Work:
    """The items while measures are added to them."""

    def __init__(self, options: HardnessOptions, items: pd.DataFrame, watcher: "Watcher") -> None:
        self.items = items
        self._options = options
        self._watcher = watcher
        self.remarks: dict[str, list[str]] = {}
        self.predictions: dict[str, Prediction] = {}
        self._models: ModelMeasures | None = None

    def add_measures(self) -> list[str]:
        """Add what was asked for; returns the measures, those that items had first."""
        asked = self._options.measures
        there = [
            name for name in measures(self.items) if not is_companion(name, self.items.columns)
        ]
        if not asked:
            self._add({k: v for k, v in text_measures(self.items).items() if k not in there})
            return [*there, *(name for name in measures(self.items) if name in OF_TEXTS
                              and name not in there)]  # fmt: skip
        judgments = None
        for name in asked:
            if name in there:
                continue
            needs = MEASURES[name].needs
            if needs == "column":
                raise InputError(
                    f"hardness measure '{name}' is rated by people, not computed; the items have: "
                    f"{', '.join(there) or 'none'}."
                )
            if needs == "texts":
                self._add({name: OF_TEXTS[name](self.items)})
            elif name in OF_JUDGMENTS:
                if judgments is None and self._options.judgments is not None:
                    judgments = read_judgments(self._options.judgments)
                self._add(judgment_measure(name, self.items, judgments))
            else:
                self._of_model(name)
        return list(dict.fromkeys(asked))

    def predict(self, names: Sequence[str]) -> None:
        """Fill in the unknown values of every measure that has some."""
        from annotation.hardness.predicted import predict_hardness

        open_ = [name for name in names if self.items[name].isna().any()]
        if not open_:
            raise InputError(
                "--predict: every item has a value of every measure; there is nothing to predict."
            )
        features = self._model_measures().question_features()
        for name in open_:
            known = self.items[name].to_numpy(dtype=np.float64)
            found = predict_hardness(
                features,
                known,
                self.items["group"].tolist(),
                self._options.coverage,
                seed=self._options.seed,
            )
            self._add({name: found.values, f"{name}_low": found.low, f"{name}_high": found.high})
            self.predictions[name] = Prediction(
                rated=found.rated,
                predicted=len(known) - found.rated,
                spearman=known_number(found.spearman),
                explained_variance=found.explained,
                coverage=found.coverage,
                median_width=float(np.median((found.high - found.low)[np.isnan(known)])),
            )
            if found.explained <= 0:
                self._remark(
                    name, "the features tell nothing about it; predictions are about its mean."
                )

    def _of_model(self, name: str) -> None:
        measured = self._model_measures().measure(name)
        self._add({name: measured.values})
        if measured.remark:
            self._remark(name, measured.remark)

    def _model_measures(self) -> "ModelMeasures":
        if self._models is None:
            from training.hardness.measure import ModelMeasures
            from training.hardness.pool import Pool
            from training.model_source import find_model
            from training.models import set_threads
            from training.quiet import quiet_libraries

            quiet_libraries()
            set_threads()
            self._models = ModelMeasures(
                Pool(self.items),
                find_model(self._options.model),
                self._options.folder,
                self._watcher,
                self._options.seed,
            )
        return self._models

    def _add(self, columns: dict[str, Array]) -> None:
        self.items = self.items.assign(**columns)

    def _remark(self, name: str, text: str) -> None:
        self.remarks.setdefault(name, []).append(text)
