"""The strata of a configuration: any number of bands under any names."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.sources import load_items
from annotation.strata.bands import Edge, Strata
from annotation.terms.cost import LabelTerms
from budget.config.prepare import prepare
from budget.config.read import parse_config
from budget.config.run import RunConfig

USUAL = {"measure": "steps", "easy_at_most": 2, "hard_at_least": 5}
FOUR = {"measure": "steps", "cut": "edges:2,3,>=5"}
NAMES = ["novice", "apprentice", "very good", "expert"]
TERMS = {"cost": 1, "error_rate": 0.1}


def raw(strata: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {
        "items": {"source": "workshop", "size": 700},
        "strata": strata,
        "budget": {"total": 1000},
        "pilot": {"labels": 10},
        "test": {"items": 30, "other_items": 15},
        **sections,
    }


def config(strata: dict[str, Any], plans: bool = True, **sections: Any) -> RunConfig:
    return parse_config(raw(strata, **sections), "task.toml", Path(), plans)


def problem(strata: dict[str, Any], **sections: Any) -> str:
    with pytest.raises(InputError) as caught:
        config(strata, **sections)
    message = str(caught.value)
    assert message.startswith("task.toml: ") and message.endswith(".")
    return message.removeprefix("task.toml: ")


def test_the_usual_three_strata() -> None:
    strata = config(USUAL).strata
    assert strata.names == ("easy", "medium", "hard")
    assert (strata.target, strata.buy) == ("hard", ("easy", "hard"))
    assert strata.as_cut == "edges:2.0,>=5.0"


@pytest.mark.parametrize(
    ("cut", "names"),
    [
        ("quantiles:2", ("easy", "hard")),
        ("paper", ("easy", "medium", "hard")),
        ("edges:2,3,>=5", ("easy", "medium-1", "medium-2", "hard")),
    ],
)
def test_a_cut_makes_any_number(cut: str, names: tuple[str, ...]) -> None:
    strata = config({"measure": "steps", "cut": cut}).strata
    assert strata.names == names
    assert (strata.target, strata.buy) == ("hard", ("easy", "hard"))
    assert strata.as_cut == cut


def test_a_run_cut_by_edges_is_that_of_the_two_bounds() -> None:
    by_bounds = prepare(config(USUAL)).lab
    by_edges = prepare(config({"measure": "steps", "cut": "edges:2,>=5"})).lab
    assert by_edges.task.strata == by_bounds.task.strata
    assert (by_edges.terms, by_edges.capacity) == (by_bounds.terms, by_bounds.capacity)
    np.testing.assert_array_equal(by_edges.task.test_positions, by_bounds.task.test_positions)


def test_quantiles_are_those_of_the_items() -> None:
    items = load_items("workshop", size=700)
    strata = config({"measure": "steps", "cut": "quantiles:4"}).strata.cut_items(items, "workshop")
    values = items["steps"].to_numpy(dtype=float)
    for edge, share in zip(strata.edges, (0.25, 0.5, 0.75), strict=True):
        assert abs((values <= edge.value).mean() - share) < 0.15


def test_names_of_one_s_own() -> None:
    own = config(
        {**FOUR, "names": NAMES, "target": "very good", "buy": ["novice", "very good", "expert"]},
        annotators=dict.fromkeys(["novice", "very good", "expert"], TERMS),
    )
    lab = prepare(own).lab
    edges = (Edge(2), Edge(3), Edge(5, "harder"))
    assert lab.task.strata == Strata("steps", tuple(NAMES), edges)
    assert lab.task.target == "very good"
    assert lab.strata == ("novice", "very good", "expert")
    assert lab.easiest == "novice"
    assert lab.task.pools["apprentice"].size > 0


def test_names_of_the_usual_three() -> None:
    strata = config({**USUAL, "names": ["a", "b", "c"]}, annotators={"a": TERMS, "c": TERMS}).strata
    assert (strata.target, strata.buy) == ("c", ("a", "c"))
    cut = strata.cut_items(load_items("workshop", size=100), "workshop")
    assert cut == Strata.easy_medium_hard("steps", 2, 5).named(("a", "b", "c"))


def test_the_easiest_where_the_target_is_easiest() -> None:
    assert prepare(config({**USUAL, "target": "easy"})).lab.easiest == "hard"


def test_terms_without_a_default_are_asked_for() -> None:
    strata = {**FOUR, "names": NAMES}
    wanted = (
        "annotators.novice: give cost and error_rate; there are defaults for easy, medium, hard"
    )
    assert wanted in problem(strata)
    assert wanted in problem(strata, annotators={"novice": {"cost": 1}})
    own = config(strata, annotators={"novice": TERMS, "expert": {**TERMS, "error_kind": "flip"}})
    assert own.terms() == {
        "novice": LabelTerms(Decimal(1), 0.1, "redraw"),
        "expert": LabelTerms(Decimal(1), 0.1, "flip"),
    }


def test_items_are_cut_before_terms_are_known() -> None:
    own = config({**FOUR, "names": NAMES}, plans=False)
    items = load_items("workshop", size=100)
    assert own.strata.cut_items(items, "workshop").names == tuple(NAMES)
    with pytest.raises(InputError, match=r"annotators\.novice: give cost and error_rate"):
        prepare(own, plans=False)


@pytest.mark.parametrize(
    ("strata", "message"),
    [
        ({"measure": "steps"}, "strata: easy_at_most and hard_at_least are missing; give"),
        ({"measure": "steps", "easy_at_most": 2}, "strata: hard_at_least is missing; give"),
        ({**USUAL, "cut": "paper"}, "got cut and easy_at_most and hard_at_least"),
        ({**FOUR, "hard_at_least": 5}, "got cut and hard_at_least"),
        ({"measure": "steps", "cut": "thirds"}, "strata: cut 'thirds' is unknown; write paper"),
        ({"measure": "steps", "cut": "edges:3,2"}, "edges should increase; got 3 before 2"),
        ({**FOUR, "names": NAMES[:3]}, "names: the cut makes 4 strata; name each, easiest first"),
        ({**FOUR, "names": ["a", "b", "c", "a"]}, "names: all should differ"),
        ({**FOUR, "names": ["a_b", "A-b", "c", "d"]}, "got 'a_b' and 'A-b'"),
        ({**FOUR, "names": ["a", " b", "c", "d"]}, "without spaces around it; got ' b'"),
        ({**FOUR, "names": ["a", "", "c", "d"]}, "plain text without spaces around it; got ''"),
        ({**FOUR, "names": ["a", "b\n", "c", "d"]}, "plain text"),
        ({**FOUR, "target": "harder"}, "target: no such stratum; choose from easy, medium-1,"),
        ({**FOUR, "buy": ["easy", "medium"]}, "buy: no such stratum; choose from easy, medium-1"),
        ({**FOUR, "target": "medium-1"}, "buy should hold the target stratum 'medium-1'"),
        ({**FOUR, "buy": ["hard"]}, "buy should name at least two different strata"),
    ],
)
def test_what_does_not_go_together(strata: dict[str, Any], message: str) -> None:
    assert message in problem(strata)


def test_a_cut_that_items_do_not_bear() -> None:
    with pytest.raises(InputError, match="need as many different values"):
        prepare(config({"measure": "steps", "cut": "quantiles:90"}))
    with pytest.raises(InputError, match="'grade' is not in the items"):
        prepare(config({"measure": "grade", "cut": "quantiles:2"}))
