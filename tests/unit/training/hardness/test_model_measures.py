from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.hardness.registry import MEASURES
from annotation.items.validate import validate_items
from training.engines.base import SilentWatcher
from training.hardness.code_length import online_code
from training.hardness.measure import OF_FEATURES, OF_LANGUAGE_MODEL, ModelMeasures
from training.hardness.pool import Pool
from training.hardness.v_information import v_information
from training.models.source import ModelSource


class Listening(SilentWatcher):
    def __init__(self) -> None:
        self.stages: dict[str, list[int]] = {}

    def stage(self, description: str, total: int) -> None:
        self.stages[description] = [total]

    def advance(self, steps: int = 1, tokens: int = 0) -> None:
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
    features = pool.choice_features(tmp_path, llama_source, work._reader)[answered]
    arguments = (features, pool.mask[answered], pool.answers[answered])
    code = online_code(*arguments, seed=7)
    np.testing.assert_array_equal(measured["code_length"].values[answered], code.bits)
    assert f"compressed {code.compression:.2f} times" in measured["code_length"].remark
    groups = pool.items["group"][answered].tolist()
    known = v_information(*arguments, groups, seed=7).pointwise
    np.testing.assert_array_equal(measured["negative_pvi"].values[answered], -known)
    assert watcher.stages["features of the choices"][0] == 40
    assert "zero-shot answers" not in watcher.stages  # the pass for features gave them, too
    assert all(sum(steps) == total for total, *steps in watcher.stages.values())


def test_a_model_that_is_of_no_use_is_told() -> None:
    """Features and labels that have nothing to do with each other."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 1, 40)).astype(np.float32)
    mask, answers = np.ones((60, 2), dtype=bool), rng.integers(0, 2, 60)
    groups: list[object] = list(range(60))

    def remark(name: str, features: NDArray[np.float32]) -> str:
        return OF_FEATURES[name](
            features, mask, answers, groups, 0, lambda _done, _all: None
        ).remark

    assert "no better than without one" in remark("code_length", features)
    assert "probes that see an item do no better" in remark("negative_pvi", features)
    telling = features + 5 * (answers[:, None, None] - 0.5).astype(np.float32)
    assert "no better than without" not in remark("code_length", telling)
    assert "probes can use" in remark("negative_pvi", telling)


def test_nothing_to_compare_with(
    make_items: Callable[..., pd.DataFrame], llama_source: ModelSource, tmp_path: Path
) -> None:
    items = make_items(6).assign(answer=pd.array([pd.NA] * 6, dtype="Int64"))
    pool = Pool(validate_items(items, "here", require_answers=False))
    work = ModelMeasures(pool, llama_source, tmp_path, SilentWatcher())
    with pytest.raises(InputError, match="compares a model with gold answers; no item has one"):
        work.measure("code_length")


def test_an_encoder_gives_no_chances(
    make_items: Callable[..., pd.DataFrame], bert_source: ModelSource, tmp_path: Path
) -> None:
    work = ModelMeasures(Pool(make_items(6)), bert_source, tmp_path, SilentWatcher())
    with pytest.raises(InputError, match="is an encoder and gives no probability of a choice"):
        work.measure("zero_shot_error_confidence")
