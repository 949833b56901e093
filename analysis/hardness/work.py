"""The items of `labelmix hardness` while measures are added to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.hardness.describe import known_number
from analysis.hardness.items import MeasuredPool
from analysis.hardness.result import PredictionSummary
from annotation.arrays import Array
from annotation.errors import InputError
from annotation.hardness.measure import OF_JUDGMENTS, OF_TEXTS, judgment_measure, text_measures
from annotation.hardness.registry import MEASURES, is_companion
from annotation.items.near_copies import group_items
from annotation.items.table import IS_PREDICTED, ONE_SCALE, measures
from annotation.items.told_by import remember, told_by
from annotation.strata.mixed_scale import predicted_items
from annotation.truth.coding import usable

if TYPE_CHECKING:
    from training.engines.base import Watcher
    from training.hardness.measure import ModelMeasures
    from training.models.source import WantedType


JUDGED_BY_DEFAULT = ("answer_entropy", "pairwise_disagreement")  # they need no gold answers


@dataclass(frozen=True)
class ModelAsked:
    """Which model measures, what it computes in, and the version of the prompt it is asked by."""

    name: str
    dtype: "WantedType"
    prompt: str


class HardnessWork:
    """The items while measures are added to them.

    Parameters
    ----------
    pool, judgments : what is measured, and what people said of it, if anything
    model, folder : for measures that need a model and for predictions; where features are kept
    seed : of samples and folds
    watcher : told of the work on the model
    """

    def __init__(
        self,
        pool: MeasuredPool,
        judgments: pd.DataFrame | None,
        model: ModelAsked,
        folder: Path,
        seed: int,
        watcher: "Watcher",
    ) -> None:
        self.items = pool.items
        self._source = pool.source
        self._judgments = judgments
        self._model, self._folder, self._seed = model, folder, seed
        self._watcher = watcher
        self.remarks: dict[str, list[str]] = {}
        self.predictions: dict[str, PredictionSummary] = {}
        self._models: ModelMeasures | None = None

    def add_measures(self, asked: Sequence[str]) -> list[str]:
        """Add what was asked for; returns the measures, those that items had first.

        Without names: all that the items bring, and those of their texts and judgments.
        """
        there = [
            name for name in measures(self.items) if not is_companion(name, self.items.columns)
        ]
        if not asked:
            self._add({k: v for k, v in text_measures(self.items).items() if k not in there})
            judged = [] if self._judgments is None else list(JUDGED_BY_DEFAULT)
            self._add_judged([name for name in judged if name not in there])
            of_texts = [name for name in OF_TEXTS if name in self.items]
            others = (name for name in there if name not in OF_TEXTS)
            return list(dict.fromkeys([*others, *judged, *of_texts]))
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
                self._add_judged([name])
            else:
                self._of_model(name)
        return list(dict.fromkeys(asked))

    def _add_judged(self, names: Sequence[str]) -> None:
        for name in names:
            self._add(judgment_measure(name, self.items, self._judgments))
        if names and self._judgments is not None:
            self.items = remember(self.items, names, told_by(usable(self._judgments)))

    def predict(self, names: Sequence[str], coverage: float) -> None:
        """Fill in the unknown values of every measure that has some, where features tell of it.

        `coverage` is that of the predictions' intervals.
        """
        from annotation.hardness.predicted import predict_hardness

        open_ = [name for name in names if self.items[name].isna().any()]
        if not open_:
            raise InputError(
                "--predict: every item has a value of every measure; there is nothing to predict."
            )
        features = self._model_measures().question_features()
        for name in open_:
            there = self.items[name].to_numpy(dtype=np.float64)
            known = np.where(predicted_items(self.items, name), np.nan, there)  # rated by somebody
            found = predict_hardness(
                features,
                known,
                group_items(self.items).names.tolist(),
                coverage,
                seed=self._seed,
            )
            width = float(np.median((found.high - found.low)[np.isnan(known)]))
            self.predictions[name] = PredictionSummary(
                rated=found.rated,
                predicted=len(known) - found.rated if found.tells else 0,
                spearman=known_number(found.spearman),
                explained_variance=found.explained,
                coverage=found.coverage,
                median_width=width,
                tells=found.tells,
            )
            if not found.tells:
                self._remark(
                    name,
                    "the features tell nothing about it: predictions would be about its mean, so "
                    "that what is unknown stays unknown. Rate more items, or name another model.",
                )
                continue
            columns = {name: found.values, f"{name}_low": found.low, f"{name}_high": found.high}
            rounded = {column: _rounded(v, known, width) for column, v in columns.items()}
            nowhere = np.full(len(known), np.nan)
            self._add(
                {column: self._kept(column, values) for column, values in rounded.items()}
                | {
                    name + IS_PREDICTED: np.isnan(known).astype(np.float64),
                    name + ONE_SCALE: _rounded(found.one_scale, nowhere, width),
                }
            )

    def _kept(self, column: str, new: Array) -> Array:
        """The values of a column as they are, (items,), those that are unknown from `new`."""
        if column not in self.items:
            return new
        there = self.items[column].to_numpy(dtype=np.float64)
        return np.where(np.isnan(there), new, there)

    def _of_model(self, name: str) -> None:
        measured = self._model_measures().measure(name)
        self._add({name: measured.values})
        if measured.remark:
            self._remark(name, measured.remark)
        if self._model.name == "pico" and self._source != "workshop":
            self._remark(
                name,
                "the embedded model pico has read generated word problems alone; of other texts "
                "its measures say little: name a model by --model.",
            )

    def _model_measures(self) -> "ModelMeasures":
        if self._models is None:
            from training.hardness.measure import ModelMeasures
            from training.hardness.pool import Pool
            from training.models.load import set_threads
            from training.models.quiet import quiet_libraries
            from training.models.source import SHORT_NAMES, find_model

            quiet_libraries()
            set_threads()
            from training.prompts import find_prompt

            name = self._model.name
            here = name in SHORT_NAMES or Path(name).exists() or name.startswith((".", "/", "~"))
            if not here:
                self._watcher.stage(f"looking for model {name} on the hub", 1)
            source = find_model(name, self._model.dtype)
            self._models = ModelMeasures(
                Pool(self.items),
                source,
                self._folder,
                self._watcher,
                self._seed,
                find_prompt(self._model.prompt, source.label),
            )
        return self._models

    def _add(self, columns: dict[str, Array]) -> None:
        self.items = self.items.assign(**columns)

    def _remark(self, name: str, text: str) -> None:
        self.remarks.setdefault(name, []).append(text)


def _rounded(values: Array, known: Array, width: float) -> Array:
    """Predictions to a thousandth of their intervals' width, so that edges between are short."""
    if not width > 0:
        return values
    decimals = 3 - int(np.floor(np.log10(width)))
    return np.where(np.isnan(known), np.round(values, decimals), values)
