"""The list of experiments: names, claims, what the guide says of them."""

from pathlib import Path

import pytest

from analysis.reproduce.registry import EXPERIMENTS, find_experiments
from annotation.errors import InputError

GUIDE = Path(__file__).parents[4] / "docs" / "guide" / "reproduce.md"


def test_names_and_claims_are_unique_and_told() -> None:
    names = [own.name for own in EXPERIMENTS]
    claims = [claim for own in EXPERIMENTS for claim in own.claims]
    assert len(set(names)) == len(names)
    assert len({claim.key for claim in claims}) == len(claims)
    for own in EXPERIMENTS:
        assert own.claims, f"{own.name} puts nothing to the test"
        assert own.measures.endswith(".") and own.title
    for claim in claims:
        assert claim.statement.endswith(".") and claim.rule.endswith(".") and claim.source


def test_the_guide_has_every_experiment() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [own.name for own in EXPERIMENTS if f"`{own.name}`" not in guide] == []


def test_experiments_by_name_in_their_own_order() -> None:
    assert [own.name for own in find_experiments(["noise", "hardness"])] == ["hardness", "noise"]
    assert [own.name for own in find_experiments(["easy_to_hard"])] == ["easy-to-hard"]
    assert find_experiments([]) == find_experiments(["all"]) == list(EXPERIMENTS)
    assert find_experiments(["noise", "all"]) == list(EXPERIMENTS)


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'nose' is unknown; did you mean 'noise'\?"):
        find_experiments(["hardness", "nose"])
