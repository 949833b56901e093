"""Finish dates of a real crowd's collections, in their real time order."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotation.judgments.table_files import read_judgments
from annotation.monitoring.finish_date import finish_date

SHARES = (0.25, 0.5, 0.75)  # of the work, at which forecasts are made


@pytest.fixture(scope="module")
def batches(data_folder: Callable[[str], Path]) -> list[pd.DataFrame]:
    """Every batch is a collection; in order of their beginning, judgments in order of time."""
    path = data_folder("medical_treat") / "judgments.csv"
    judgments = read_judgments(path).sort_values("created_at", kind="stable")
    batch = pd.read_csv(path, usecols=["source_id", "batch"]).set_index("source_id")["batch"]
    of = batch.reindex(judgments["source_id"]).to_numpy()
    found = [judgments[of == name].reset_index(drop=True) for name in set(of)]
    assert len(found) == 45
    return sorted(found, key=lambda rows: rows["created_at"].iloc[0])


def covered(whole: pd.DataFrame, share: float, past: Sequence[pd.DataFrame] = ()) -> bool:
    """Whether the interval made at this share of the work holds the last judgment's time."""
    done = math.ceil(share * len(whole))
    found = finish_date(whole.iloc[:done], len(whole) - done, past=past)
    assert found.past == len(past)
    return bool(found.earliest <= whole["created_at"].iloc[-1] <= found.latest)


def test_intervals_hold_where_their_constants_do_not_come_from(
    batches: list[pd.DataFrame],
) -> None:
    """The constants came from the others: the first, the third, and so on."""
    held = [covered(whole, share) for whole in batches[1::2] for share in SHARES]
    assert 0.75 <= np.mean(held) <= 0.85


def test_intervals_that_are_learnt_from_what_was_finished_hold(
    batches: list[pd.DataFrame],
) -> None:
    held = []
    for number, whole in enumerate(batches):
        for share in SHARES:
            now = whole["created_at"].iloc[math.ceil(share * len(whole)) - 1]
            past = [other for other in batches[:number] if other["created_at"].iloc[-1] < now]
            if len(past) >= 9:
                held.append(covered(whole, share, past))
    assert len(held) > 100
    assert 0.75 <= np.mean(held) <= 0.85
