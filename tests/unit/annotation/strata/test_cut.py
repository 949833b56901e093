import math
from collections.abc import Sequence

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.validate import validate_items
from annotation.strata.bands import Edge, Strata
from annotation.strata.cut import (
    PAPER_CUTS,
    THIRD_GRADE_TO_COLLEGE,
    cut_items,
    cut_names,
    paper_strata,
    read_cut,
    strata_sizes,
)


def items(**columns: Sequence[float | None]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    frame = pd.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(count)],
            "question": "?",
            "choices": [["x", "y"]] * count,
            "answer": 0,
            **columns,
        }
    )
    return validate_items(frame, "here")


TEN = items(n=[1, 1, 2, 3, 4, 5, 6, 7, 7, 10])


def test_the_papers_cut_offs() -> None:
    bounds = {key: tuple(edge.value for edge in cut.edges) for key, cut in PAPER_CUTS.items()}
    assert bounds == {
        ("arc", "grade"): (5, 8),
        ("arc", "difficulty"): (1, 3),
        ("arc", "bloom"): (2, 4),
        ("arc", "depth_of_knowledge"): (1, 3),
        ("mmlu_stem", "level"): (0, 1),
        ("strategyqa", "num_steps"): (2, 4),
        ("gsm8k", "num_steps"): (4, 7),
    }
    assert all(cut.measure == measure for (_, measure), cut in PAPER_CUTS.items())
    assert Strata.easy_medium_hard("grade", 3, 8) == THIRD_GRADE_TO_COLLEGE


def test_the_papers_cut_of_a_human_measure_is_fixed() -> None:
    assert paper_strata("arc", "grade", items(grade=[1, 2])) == Strata.easy_medium_hard(
        "grade", 5, 8
    )


def test_the_papers_cut_of_other_measures_is_by_quantiles() -> None:
    # 30 % and 70 % quantiles of ten values: 2 + .7 and 6 + .3 (linear interpolation).
    assert paper_strata("arc", "n", TEN) == Strata.easy_medium_hard("n", 2, 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("paper", Strata.easy_medium_hard("n", 2, 7)),
        ("quantiles:.3,.7", Strata.easy_medium_hard("n", 2, 7)),
        ("quantiles: 0.2 , 0.8 ", Strata.easy_medium_hard("n", 1, 10)),
        ("edges:2,>=7", Strata.easy_medium_hard("n", 2, 7)),
        ("edges:<=2, >= 7", Strata.easy_medium_hard("n", 2, 7)),
        ("edges:<3", Strata("n", ("easy", "hard"), (Edge(3, "harder"),))),
        ("edges:>3", Strata("n", ("easy", "hard"), (Edge(3),))),
        ("edges:2,4", Strata("n", ("easy", "medium", "hard"), (Edge(2), Edge(4)))),
        ("edges:-1e-3", Strata("n", ("easy", "hard"), (Edge(-0.001),))),
        ("quantiles:2", Strata("n", ("easy", "hard"), (Edge(4),))),
    ],
)
def test_cuts_are_read(text: str, expected: object) -> None:
    assert read_cut(text, "n", TEN) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cut '' is unknown; write paper, quantiles:3"),
        ("thirds", "cut 'thirds' is unknown"),
        ("quantiles:", "cut 'quantiles:' is unknown"),
        ("edges:,", "cut 'edges:,' is unknown"),
        ("paper:3", "cut 'paper:3' is unknown"),
        ("quantiles:1", "the number of strata should be 2 to 100"),
        ("quantiles:0", "the number of strata should be 2 to 100"),
        ("quantiles:.7,.3", "quantiles should increase within 0 and 1"),
        ("quantiles:0.3,x", "'x' should be a number"),
        ("edges:2,nan", "'nan' should be a number"),
        ("edges:>=", "'' should be a number"),
        ("edges:4,2", "edges should increase; got 4 before 2"),
        ("quantiles:9", "9 strata need as many different values, the items have 8"),
    ],
)
def test_wrong_cuts_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_cut(text, "n", TEN)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["paper", "quantiles:2", "edges:1"])
def test_measures_that_are_not_there(text: str) -> None:
    with pytest.raises(InputError, match="'steps' is not in the items; they have: n"):
        read_cut(text, "steps", TEN)
    with pytest.raises(InputError, match="'n' is unknown for every item"):
        read_cut(text, "n", items(n=[None, None]))


def test_sizes_of_strata() -> None:
    strata, sizes = cut_items("edges:2,>=7", "n", items(n=[1, 2, 3, None, 9]))
    assert strata.names == ("easy", "medium", "hard")
    assert [(s.name, s.rule, s.items, s.share) for s in sizes.strata] == [
        ("easy", "n <= 2", 2, 0.5),
        ("medium", "2 < n < 7", 1, 0.25),
        ("hard", "n >= 7", 1, 0.25),
    ]
    assert sizes.unknown == 1
    assert sizes.remarks == ("1 items have no 'n' and are in no stratum.",)


def test_empty_strata_are_told() -> None:
    level = items(level=[0, 0, 1])["level"].to_numpy()
    sizes = strata_sizes(Strata.easy_medium_hard("level", 0, 1), level)
    assert [s.items for s in sizes.strata] == [2, 0, 1]
    assert sizes.remarks == (
        "stratum 'medium' (0 < level < 1) is empty: no item has such a value.",
    )
    assert all(
        math.isfinite(s.share)
        for s in strata_sizes(Strata.easy_medium_hard("x", 0, 1), level[:0]).strata
    )


def test_ties_are_told_where_shares_were_asked_for() -> None:
    table = items(n=[1] * 7 + [2, 3, 4])
    _, sizes = cut_items("quantiles:3", "n", table)
    assert [s.items for s in sizes.strata] == [7, 1, 2]
    assert sizes.remarks == (
        "items with equal values stay together: strata of 33 / 33 / 33 % were asked for, "
        "70 / 10 / 20 % came out.",
    )
    assert cut_items("edges:1,>=3", "n", table)[1].remarks == ()
    human = items(grade=[5] * 9 + [8])
    assert "were asked for" not in " ".join(cut_items("paper", "grade", human, "arc")[1].remarks)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("paper", ("easy", "medium", "hard")),
        ("quantiles:2", ("easy", "hard")),
        ("quantiles:4", ("easy", "medium-1", "medium-2", "hard")),
        ("quantiles:.3,.7", ("easy", "medium", "hard")),
        ("edges:1,2,>=5", ("easy", "medium-1", "medium-2", "hard")),
    ],
)
def test_a_cut_tells_its_names_without_items(text: str, names: tuple[str, ...]) -> None:
    assert cut_names(text) == names
    if text != "quantiles:4":
        assert read_cut(text, "n", TEN).names == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cut '' is unknown; write paper, quantiles:3"),
        ("quantile:3", "cut 'quantile:3' is unknown"),
        ("quantiles:", "is unknown"),
        ("paper:3", "is unknown"),
        ("quantiles:1", "number of strata should be 2 to 100"),
        ("edges:2,1", "edges should increase; got 2 before 1"),
        ("edges:x", "'x' should be a number"),
    ],
)
def test_names_of_no_cut(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cut_names(text)


def test_strata_are_named_as_one_likes() -> None:
    strata, sizes = cut_items("edges:2,>=7", "n", TEN, names=("novice", "good", "expert"))
    assert strata == Strata.easy_medium_hard("n", 2, 7).named(("novice", "good", "expert"))
    assert [size.name for size in sizes.strata] == ["novice", "good", "expert"]
    with pytest.raises(InputError, match="2 edges make 3 strata; name each"):
        read_cut("edges:2,>=7", "n", TEN, names=("novice", "expert"))
