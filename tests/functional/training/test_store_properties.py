"""Any result survives the store."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.strata.bands import Strata
from training.store import TrialStore
from training.trial import Recipe, Trial, TrialResult

TRIAL = Trial(
    item_fingerprint="f" * 64,
    strata=Strata.easy_medium_hard("steps", 2, 5),
    target="hard",
    test_target=10,
    test_others=6,
    test_seed=0,
    model="pico",
    revision="r1",
    recipe=Recipe("zero_shot", (), quantisation="none"),
    mix=(),
    terms=(),
    pilot=None,
    seed=0,
)
TEXTS = st.text(st.characters(codec="utf-8"))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TrialStore, TrialStore]]:
    """Two connections to one store: what one writes the other reads."""
    path = tmp_path_factory.mktemp("store") / "trials.sqlite"
    with TrialStore(path) as writer, TrialStore(path) as reader:
        yield writer, reader


@given(
    correct=st.lists(st.booleans(), max_size=70),
    seconds=st.floats(0, 1e9),
    memory=st.integers(0, 2**62),
    device=TEXTS,
    details=st.dictionaries(TEXTS, st.floats(allow_nan=False), max_size=3),
)
def test_round_trip(
    stores: tuple[TrialStore, TrialStore],
    correct: list[bool],
    seconds: float,
    memory: int,
    device: str,
    details: dict[str, float],
) -> None:
    writer, reader = stores
    writer.put(TRIAL, TrialResult(np.array(correct, dtype=bool), seconds, memory, device, details))
    found = reader.get(TRIAL)
    assert found is not None
    assert found.correct.dtype == bool
    assert found.correct.tolist() == correct
    assert (found.seconds, found.peak_memory_bytes, found.device) == (seconds, memory, device)
    assert found.details == details
