import pytest

from annotation.errors import InputError
from annotation.hardness.measure import OF_JUDGMENTS, OF_TEXTS
from annotation.hardness.registry import MEASURES, find_measure, is_companion
from annotation.items.table import COLUMNS, measures
from annotation.sources.workshop import load_workshop


def of(needs: str) -> set[str]:
    return {name for name, measure in MEASURES.items() if measure.needs == needs}


def test_every_measure_is_computed_where_it_says() -> None:
    assert of("texts") == set(OF_TEXTS)
    assert of("judgments") == set(OF_JUDGMENTS)
    assert set(measures(load_workshop(2))) <= of("column")


def test_every_measure_says_what_it_is() -> None:
    for name, measure in MEASURES.items():
        assert measure.name == name not in COLUMNS
        assert measure.meaning.endswith(".") and measure.source and measure.cost


def test_an_unknown_measure_names_those_there_are() -> None:
    assert find_measure("grade").family == "human"
    with pytest.raises(InputError, match="'colour' is unknown; the registry has: grade, "):
        find_measure("colour")


def test_companions_are_no_measures() -> None:
    columns = ["steps", "steps_low", "lie_low", "irt_difficulty", "irt_difficulty_standard_error"]
    columns += ["steps_is_predicted", "steps_predicted"]  # the latter is hardness of every item
    assert [name for name in columns if is_companion(name, columns)] == [
        "steps_low",
        "irt_difficulty_standard_error",
        "steps_is_predicted",
    ]
