from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.hardness.registry import MEASURES
from annotation.items import validate_items
from training.engines.base import SilentWatcher
from training.hardness.code_length import online_code
from training.hardness.measure import OF_FEATURES, OF_LANGUAGE_MODEL, ModelMeasures
from training.hardness.pool import Pool
from training.hardness.v_information import v_information
from training.model_source import ModelSource


class Listening(SilentWatcher):
    def __init__(self) -> None:
        self.stages: dict[str, list[int]] = {}

    def stage(self, description: str, total: int) -> None:
        self.stages[description] = [total]

    def advance(self, steps: int = 1) -> None:
        self.stages[next(reversed(self.stages))].append(steps)


def test_every_measure_of_models_is_computed_here() -> None:
    by_need = {
        needs: {name for name, measure in MEASURES.items() if measure.needs == needs}
        for needs in ("features", "language model")
    }
    assert by_need == {"features": set(OF_FEATURES), "language model": set(OF_LANGUAGE_MODEL)}


def test_measures_of_the_answered_items(
    make_items: Callable[..., pd.DataFrame], llama_source: ModelSource, tmp_path: Path
) -> None:
    items = make_items(40)
    answered = np.arange(40) % 4 != 0
    items["answer"] = items["answer"].where(answered, pd.NA).astype("Int64")
    pool = Pool(validate_items(items, "here", require_answers=False))
    watcher = Listening()
    work = ModelMeasures(pool, llama_source, tmp_path, watcher, seed=7)
    measured = {name: work.measure(name) for name in MEASURES if MEASURES[name].family == "model"}
    for name, found in measured.items():
        assert np.isnan(found.values[~answered]).all(), name
        assert np.isfinite(found.values[answered]).all(), name
    features = pool.choice_features(tmp_path, llama_source, work._model)[answered]
    arguments = (features, pool.mask[answered], pool.answers[answered])
    code = online_code(*arguments, seed=7)
    np.testing.assert_array_equal(measured["code_length"].values[answered], code.bits)
    assert f"compressed {code.compression:.2f} times" in measured["code_length"].remark
    groups = pool.items["group"][answered].tolist()
    known = v_information(*arguments, groups, seed=7).pointwise
    np.testing.assert_array_equal(measured["negative_pvi"].values[answered], -known)
    assert watcher.stages["features of the choices"] == [40, 40]
    assert sum(watcher.stages["zero-shot answers"][1:]) == 30
    assert all(sum(steps) == total for total, *steps in watcher.stages.values())


def test_nothing_to_compare_with(
    make_items: Callable[..., pd.DataFrame], llama_source: ModelSource, tmp_path: Path
) -> None:
    items = make_items(6).assign(answer=pd.array([pd.NA] * 6, dtype="Int64"))
    pool = Pool(validate_items(items, "here", require_answers=False))
    work = ModelMeasures(pool, llama_source, tmp_path, SilentWatcher())
    with pytest.raises(InputError, match="compares a model with gold answers; no item has one"):
        work.measure("code_length")
