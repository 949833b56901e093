"""Tables over several levels: their means are the weighted accuracy and the difference."""

import numpy as np
import pytest

from analysis.accuracy import ItemClusters
from analysis.estimates import Estimate
from analysis.reproduce.level_tables import all_items, as_common, level_contrast
from analysis.reproduce.study import StudiedModel, Study, StudyDesign, of_all_levels
from annotation.sources.workshop import load_workshop
from budget.config.prepare import recipes_of
from budget.config.training_config import TrainingConfig
from training.engines.base import SilentWatcher
from training.lab import Lab
from training.models.source import find_model


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    model = StudiedModel(find_model("pico"), recipes_of(TrainingConfig()))
    study = Study(
        data="workshop",
        source="workshop",
        items=load_workshop(600),
        measures=("steps",),
        models=(model,),
        design=StudyDesign(labels=20, test_items=100, other_test_items=60),
        folder=tmp_path_factory.mktemp("features"),
        watcher=SilentWatcher(),
        cuts={"steps": "edges:1,>=4"},  # a sixth, two sixths, three sixths of the items
    )
    return study.lab("steps")


def answers(lab: Lab) -> np.ndarray:  # type: ignore[type-arg]
    """Right in .9 of easy, .6 of medium, .3 of hard items, mostly the same ones in every seed."""
    rng = np.random.default_rng(0)
    chance = np.array([{"easy": 0.9, "medium": 0.6, "hard": 0.3}[s] for s in lab.task.test_strata])
    known = rng.random(chance.size) < chance
    return np.asarray(known ^ (rng.random((4, chance.size)) < 0.02))


def test_levels_count_as_common_as_they_are(lab: Lab) -> None:
    correct = answers(lab)
    shares = {"easy": 1 / 6, "medium": 2 / 6, "hard": 3 / 6}
    by_hand = sum(
        share * correct[:, lab.task.test_strata == name].mean() for name, share in shares.items()
    )
    weighted = as_common(lab, correct.astype(float))
    assert weighted.mean() == pytest.approx(by_hand)
    assert abs(by_hand - correct.mean()) > 0.01  # the test set is not as the items are


def test_a_contrast_is_the_difference_of_two_levels(lab: Lab) -> None:
    correct = answers(lab)
    table, clusters = level_contrast(lab, correct)
    easy, hard = (correct[:, lab.task.test_strata == name] for name in ("easy", "hard"))
    assert table.mean() == pytest.approx(easy.mean() - hard.mean())
    found = clusters.mean(table)
    squares = []
    for own in (easy, hard):
        alone = ItemClusters(np.arange(own.shape[1]).astype(object)).mean(own.astype(float))
        squares.append(half_width(alone) ** 2)
    # Two levels vary apart from each other: squares add up.
    assert half_width(found) == pytest.approx(sum(squares) ** 0.5, rel=0.15)


def half_width(own: Estimate) -> float:
    assert own.low is not None and own.high is not None
    return (own.high - own.low) / 2


def test_all_items_are_the_clusters_of_the_whole_test_set(lab: Lab) -> None:
    assert all_items(lab).accuracy(answers(lab)).low is not None


def test_a_mix_has_every_level_as_often_as_it_is_for_sale(lab: Lab) -> None:
    mix = of_all_levels(lab, 50)
    sizes = {name: lab.task.pools[name].size for name in lab.strata}
    assert sum(mix.values()) == 50
    for name, count in mix.items():
        assert abs(count - 50 * sizes[name] / sum(sizes.values())) < 1
