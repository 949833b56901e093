"""Small judgment tables."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pytest

from annotation.judgments.table import validate_judgments

Make = Callable[..., pd.DataFrame]


@pytest.fixture
def make() -> Make:
    """`make(rows, seconds=[...])`: a valid table of (item, annotator, label) and more columns."""

    def build(
        rows: Sequence[tuple[object, object, object]], **columns: Sequence[Any]
    ) -> pd.DataFrame:
        frame = pd.DataFrame(rows, columns=["item_id", "annotator", "label"]).astype(object)
        for name, values in columns.items():
            frame[name] = pd.Series(values, dtype=object)
        return validate_judgments(frame, "test")

    return build
