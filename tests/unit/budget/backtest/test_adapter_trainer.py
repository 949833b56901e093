import hashlib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.sources import load_items
from annotation.strata.bands import Strata
from annotation.terms.cost import LabelTerms
from budget.backtest import adapter_trainer
from budget.backtest.adapter_trainer import AdapterTrainer
from budget.backtest.journal import Journal
from budget.backtest.play_world import Design, play_world
from budget.backtest.policies.registry import find_policies
from budget.backtest.truth import STEPS
from budget.campaign.play import Rehearsing
from budget.worlds.task_items import FeatureMaker
from budget.worlds.world import LabelledItems, World
from tests.markets import sold
from training.engines.base import SilentWatcher
from training.scoring.choices import encode_items, score_items
from training.task import Task, TestSizes
from training.tuning.qlora import QloraSettings, encode_for_tuning, load_for_tuning, train_and_score

SHORT = QloraSettings(epochs=1, least_updates=2)
STRATA = ("easy", "hard")


@pytest.fixture(scope="module")
def world() -> World:
    """Word problems and pico; features, which no adapter reads, are nothing."""
    items = load_items("workshop", size=400)
    task = Task(items, Strata.easy_medium_hard("steps", 2, 5), "hard", TestSizes(40, 1))
    maker = FeatureMaker("pico", Path("unused"))
    texts = maker.tunable(task, STRATA)
    count = len(texts.positions)
    on_target = task.test_strata == "hard"
    test = task.test_positions[on_target]
    labelled = LabelledItems(
        name="texts",
        features=np.zeros((count, 1, 1), dtype=np.float32),
        mask=np.ones((count, 4), dtype=bool),
        answers=task.answers[texts.positions],
        pools={name: np.searchsorted(texts.positions, task.pools[name]) for name in STRATA},
        target="hard",
        test=np.searchsorted(texts.positions, test),
        groups=task.groups.names[texts.positions],
    )
    terms = {name: LabelTerms(Decimal(1), 0.1, "redraw") for name in STRATA}
    return World("texts", "workshop", terms, Decimal(20), lambda: labelled, tunable=lambda: texts)


def rows_of(world: World, places: np.ndarray[Any, Any]) -> dict[str, list[Any]]:
    assert world.tunable is not None
    texts = world.tunable()
    rows = texts.task.items.iloc[texts.positions[places]]
    return {name: rows[name].tolist() for name in ("question", "choices", "item_id")}


def test_it_is_the_adapter_of_each_purchase_alone(world: World) -> None:
    """Encoded, trained and scored by hand, with the purchase's own seed."""
    assert world.tunable is not None
    items, one = world.items, sold(world, 0, {"easy": 5, "hard": 3})
    trainer = AdapterTrainer(world, SHORT)
    found = trainer.correct([one, one])
    assert trainer.trained == 1
    np.testing.assert_array_equal(found[0], found[1])
    loaded = load_for_tuning(world.tunable().source, "nf4")

    def encoded(places: np.ndarray[Any, Any]) -> Any:
        rows = rows_of(world, places)
        return encode_for_tuning(loaded, rows["question"], rows["choices"], rows["item_id"])

    digest = hashlib.sha256(one.positions.tobytes() + one.labels.tobytes()).digest()
    scores = train_and_score(
        loaded,
        encoded(one.positions),
        one.labels.tolist(),
        encoded(items.test),
        SHORT,
        int.from_bytes(digest[:4], "big"),
    )
    np.testing.assert_array_equal(found[0], scores.numpy().argmax(1) == items.answers[items.test])
    assert (found[0] != trainer.correct([sold(world, 0, {})])[0]).any()


def test_without_labels_it_answers_as_the_untrained_model(world: World) -> None:
    assert world.tunable is not None
    trainer = AdapterTrainer(world, SHORT)
    nothing = trainer.correct([sold(world, 0, {})])
    assert trainer.trained == 0
    whole = load_for_tuning(world.tunable().source, "nf4")
    rows = rows_of(world, world.items.test)
    encoded = encode_items(whole, rows["question"], rows["choices"], rows["item_id"])
    scores = score_items(whole, encoded)
    right = scores.numpy().argmax(1) == world.items.answers[world.items.test]
    np.testing.assert_array_equal(nothing[0], right)
    np.testing.assert_array_equal(trainer.unsupervised, right)
    assert trainer.correct([]).shape == (0, len(right))


def test_its_markets_lend_nothing_and_start_from_zero_shot(world: World) -> None:
    trainer = AdapterTrainer(world, SHORT)
    market = trainer.campaign(1)
    assert not market.test.lends and market.test.unsupervised is trainer.unsupervised
    assert trainer.looker.readings == []
    asked = [(market, Rehearsing(((("easy", 3),), (("hard", 3),))))]
    assert trainer.looker.rehearse(asked) == [[[], []]]


def test_a_world_is_played_with_adapters(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_trainer, "QloraSettings", lambda: SHORT)
    monkeypatch.setitem(STEPS, 2, 3)
    policies = find_policies(["all_easy", "planner_one_shot"])
    design = Design(seeds=2, markets=1, rule="per_size", method="qlora")
    with Journal(tmp_path / "done.jsonl") as journal:
        played = play_world(world, policies, design, journal, SilentWatcher())
        probes = play_world(
            world, policies[1:], replace(design, method="probe"), journal, SilentWatcher()
        )
    trainer = AdapterTrainer(world, SHORT)
    all_easy = played.campaigns["all_easy"]
    expected = trainer.correct([sold(world, 0, {"easy": 20})]).mean()
    assert all_easy.accuracy == [pytest.approx(expected)]
    planner = played.campaigns["planner_one_shot"]
    assert planner.forecasts[0] is not None and planner.spent[0] > 0.5
    assert probes.campaigns["all_easy"].accuracy != all_easy.accuracy  # kept apart


def test_worlds_without_texts_are_refused(axes_world: Callable[..., World]) -> None:
    with pytest.raises(InputError, match="have no texts for adapters; choose from sst5, trec"):
        AdapterTrainer(axes_world())
