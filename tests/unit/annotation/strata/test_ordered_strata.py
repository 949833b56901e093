import math

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.strata.bands import (
    Edge,
    Strata,
    make_strata,
    usual_names,
)

VALUES = np.array([1.0, 2.0, 2.5, 3.0, math.nan, 4.0, 9.0])


def test_ties_go_to_the_side_the_edge_says() -> None:
    strata = make_strata("steps", [Edge(2), Edge(3, "harder"), Edge(4, "easier")])
    assert strata.names == ("easy", "medium-1", "medium-2", "hard")
    assert strata.assign_values(VALUES).tolist() == [
        "easy", "easy", "medium-1", "medium-2", "", "medium-2", "hard",
    ]  # fmt: skip
    assert [strata.rule(name) for name in strata.names] == [
        "steps <= 2", "2 < steps < 3", "3 <= steps <= 4", "steps > 4",
    ]  # fmt: skip


def test_two_strata() -> None:
    strata = make_strata("steps", [Edge(3, "harder")])
    assert strata.names == ("easy", "hard")
    assert [strata.rule(name) for name in strata.names] == ["steps < 3", "steps >= 3"]
    assert strata.assign_values(VALUES).tolist() == [
        "easy", "easy", "easy", "hard", "", "hard", "hard",
    ]  # fmt: skip


def test_the_three_usual_bands_are_strata() -> None:
    assert make_strata("steps", [Edge(2), Edge(4, "harder")]) == Strata.easy_medium_hard(
        "steps", 2, 4
    )
    others = make_strata("steps", [Edge(2), Edge(4)])
    assert others.names == ("easy", "medium", "hard")
    assert others != Strata.easy_medium_hard("steps", 2, 4)


@pytest.mark.parametrize(
    ("bands", "names"),
    [
        (2, ("easy", "hard")),
        (3, ("easy", "medium", "hard")),
        (5, ("easy", "medium-1", "medium-2", "medium-3", "hard")),
    ],
)
def test_usual_names(bands: int, names: tuple[str, ...]) -> None:
    assert usual_names(bands) == names


def test_other_names_change_no_band() -> None:
    usual = make_strata("steps", [Edge(2), Edge(3), Edge(4)])
    named = usual.named(["a", "b", "c", "d"])
    assert named.edges == usual.edges
    assert named.assign_values(VALUES).tolist() == ["a", "a", "b", "b", "", "c", "d"]
    assert named.rule("d") == usual.rule("hard") == "steps > 4"
    with pytest.raises(InputError, match="'hard' does not exist; choose one of a, b, c, d"):
        named.rule("hard")


def test_an_edge_is_the_same_however_its_number_is_written() -> None:
    assert repr(Edge(2)) == repr(Edge(2.0))


def test_a_band_of_one_value() -> None:
    strata = make_strata("steps", [Edge(3, "harder"), Edge(3, "easier")])
    assert strata.rule("medium") == "3 <= steps <= 3"
    assert (strata.assign_values(VALUES) == "medium").tolist() == [
        False, False, False, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([], "give at least one edge"),
        ([Edge(math.inf)], "an edge is inf; give a number"),
        ([Edge(math.nan)], "an edge is nan"),
        ([Edge(3), Edge(3)], "edges should increase; got 3 before 3"),
        ([Edge(3), Edge(3, "harder")], "edges should increase; got 3 before 3"),
        ([Edge(5), Edge(4, "harder")], "edges should increase; got 5 before 4"),
    ],
)
def test_impossible_edges(edges: list[Edge], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_strata("steps", edges)


@pytest.mark.parametrize("names", [("easy",), ("easy", "easy"), ("a", "b", "c")])
def test_every_band_has_its_own_name(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="1 edges make 2 strata; name each"):
        Strata("steps", names, (Edge(1),))
