import csv
import json
from pathlib import Path

import pytest

from analysis.curves.result import CurvesResult, write_curves
from annotation.errors import InputError


def test_what_is_written_can_be_read_again(curves_result: CurvesResult, tmp_path: Path) -> None:
    write_curves(curves_result, tmp_path / "new")
    text = (tmp_path / "new" / "curves.json").read_text(encoding="utf-8")
    assert CurvesResult.model_validate_json(text) == curves_result
    assert json.loads(text)["schema_version"] == 1


def test_another_version_is_not_read(curves_result: CurvesResult) -> None:
    text = curves_result.model_dump_json().replace('"schema_version":1', '"schema_version":2')
    with pytest.raises(ValueError, match="schema_version"):
        CurvesResult.model_validate_json(text)


def test_the_table_is_long(curves_result: CurvesResult, tmp_path: Path) -> None:
    write_curves(curves_result, tmp_path)
    with (tmp_path / "curves.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "stratum", "error_rate", "labels", "cost", "accuracy", "low", "high", "seeds",
    ]  # fmt: skip
    untrained = rows[0]
    assert (untrained["stratum"], untrained["error_rate"]) == ("zero-shot", "")
    assert (untrained["labels"], untrained["cost"], untrained["seeds"]) == ("0", "0.0", "1")
    assert untrained["accuracy"] == "0.55"
    assert len(rows) == 1 + 5 * 3
    last = rows[-1]
    assert (last["stratum"], last["error_rate"], last["labels"]) == ("hard", "0.4", "160")
    assert (last["cost"], last["accuracy"], last["seeds"]) == ("320.0", "0.54", "5")
    assert float(last["low"]) == pytest.approx(0.51)
    assert float(last["high"]) == pytest.approx(0.57)


def test_where_nothing_can_be_written(curves_result: CurvesResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        write_curves(curves_result, tmp_path / "file")
