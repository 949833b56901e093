"""The settings of a collection."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from budget.config.collection_config import parse_collection, with_absolute_paths
from tests.unit.budget.collection.by_hand import settings

HERE = Path("/data")


def test_what_is_left_out_is_filled_in() -> None:
    config = parse_collection(settings(HERE, buying={"first": None}), "c.toml")
    assert (config.strata.target, config.strata.buy) == ("hard", ("easy", "hard"))
    buying = config.buying
    assert (buying.first, buying.extra, buying.pay_skipped) == (None, 0.05, False)
    assert buying.approve_below == 0
    assert config.deadline is None
    assert config.budget.total == Decimal(30)


@pytest.mark.parametrize("text", ["2030-01-31", date(2030, 1, 31)])
def test_a_deadline_is_a_day(text: object) -> None:
    assert parse_collection(settings(HERE, deadline=text), "c").deadline == date(2030, 1, 31)


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"buying": {"rounds": 0}}, r"buying\.rounds: .*got 0"),
        ({"buying": {"first": 3}}, r"buying\.first: .*got 3"),
        ({"buying": {"gold": -1}}, r"buying\.gold: .*got -1"),
        ({"buying": {"extra": 1.5}}, r"buying\.extra: .*got 1\.5"),
        ({"buying": {"approve_below": -1}}, r"buying\.approve_below"),
        ({"buying": {"selection": "best"}}, r"buying\.selection: .*random.*best"),
        ({"buying": {"aggregate": "vote"}}, r"buying\.aggregate: .*vote"),
        ({"buying": {"goldd": 3}}, r"buying\.goldd.*docs/guide/collect\.md"),
        ({"budget": {"total": 0}}, r"budget\.total should be above 0; got 0"),
        ({"budget": {"total": "1e99"}}, r"budget\.total"),
        ({"targets": {"judgments": 3}}, r"said by the suppliers; leave it out"),
        ({"deadline": "soon"}, r"deadline: should be a day such as 2026-12-31; got 'soon'"),
        ({"deadline": 20300131}, r"deadline: should be a day such as"),
        ({"name": "n" * 101}, r"name"),
        ({"items": {"path": 3}}, r"items\.path"),
        ({"nothing": {}}, r"nothing.*docs/guide/collect\.md"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(sections: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        parse_collection(settings(HERE, **sections), "c.toml")
    assert str(error.value).startswith("c.toml: ")
    assert "\n" not in str(error.value)


def test_paths_are_seen_from_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    raw = {
        "items": {"path": "pool.csv", "answers": "text"},
        "test": {"path": "/else/test.csv"},
        "model": {"path": "model", "dtype": "float32"},
    }
    found = with_absolute_paths(raw, tmp_path)
    assert found["items"] == {"path": str(tmp_path / "pool.csv"), "answers": "text"}
    assert found["test"]["path"] == "/else/test.csv"
    assert found["model"] == {"path": str(tmp_path / "model"), "dtype": "float32"}
    assert with_absolute_paths({"model": {"path": "org/name"}}, tmp_path) == {
        "model": {"path": "org/name"}
    }
    assert with_absolute_paths({"items": 3, "test": {"path": 4}}, tmp_path) == {
        "items": 3,
        "test": {"path": 4},
    }
