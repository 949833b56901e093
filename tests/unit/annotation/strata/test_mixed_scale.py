import numpy as np
import pandas as pd

from annotation.strata.bands import Edge, make_strata
from annotation.strata.mixed_scale import mixed_scale_remark, predicted_items

STRATA = make_strata("grade", [Edge(2), Edge(4)])


def items(**columns: list[float]) -> pd.DataFrame:
    count = len(columns["grade"])
    return pd.DataFrame({"item_id": [f"i{n}" for n in range(count)], **columns})


def test_measured_and_predicted_are_counted_with_their_share_of_hard() -> None:
    table = items(
        grade=[1, 5, 5, 3, 3, 3, 5, np.nan, 2],
        grade_is_predicted=[0, 0, 0, 1, 1, 1, 1, np.nan, 0],
    )
    told = mixed_scale_remark(table, STRATA)
    assert told is not None
    assert "'grade' is measured for 4 items and predicted for 4" in told
    assert "50% of the measured items are in 'hard', and 25% of the predicted" in told
    assert "'labelmix hardness --predict' writes a column 'grade_predicted'" in told
    own = mixed_scale_remark(table.assign(grade_predicted=3.0), STRATA)
    assert own is not None and "'grade_predicted' has all items on one scale: cut that" in own


def test_intervals_tell_of_predictions_where_no_column_does() -> None:
    table = items(
        grade=[1, 5, 3, np.nan], grade_low=[1, 5, 2, np.nan], grade_high=[1, 5, 4, np.nan]
    )
    assert predicted_items(table, "grade").tolist() == [False, False, True, False]
    assert mixed_scale_remark(table, STRATA) is not None
    told = table.assign(grade_is_predicted=0.0)  # its own word counts
    assert not predicted_items(told, "grade").any()


def test_one_kind_alone_is_one_scale() -> None:
    assert mixed_scale_remark(items(grade=[1, 5, np.nan]), STRATA) is None
    for kind in (0.0, 1.0):
        table = items(grade=[1, 5], grade_is_predicted=[kind, kind])
        assert mixed_scale_remark(table, STRATA) is None
