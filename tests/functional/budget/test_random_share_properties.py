"""Error rates where items are chosen by doubt: as often within their intervals as at random.

Simulated people err more on some items than on others, and a model knows which are doubtful. So
items that are chosen by doubt are harder than others, and those that are asked again harder still.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotation.arrays import Array
from annotation.judgments.schema import COLUMNS
from budget.collection.batching import Batching
from budget.collection.by_doubt import ItemsByDoubt
from budget.collection.choosing import WantedLabels
from budget.collection.contents import read_contents
from budget.collection.measuring import JudgmentsSoFar, SupplierMeasured
from budget.collection.orders import OrderLine
from budget.collection.predicting import ItemsRead
from budget.collection.random_share import Drawn, judgments_for_rates
from budget.collection.said import Said
from budget.collection.suppliers import collection_suppliers
from budget.config.collection_config import parse_collection
from budget.market.offers import Offer
from tests.unit.budget.collection.by_hand import LABELS, right, settings, suppliers, write_tables
from training.targets.posteriors import choice_mask, posterior_from_judgments
from training.task import Task

pytestmark = pytest.mark.functional
FILE = suppliers(crowd={"cost": "0.05", "judgments": [4], "channel": "file"})
PEOPLE, BATCHES, ITEMS, EACH = 12, 4, 16, 4  # labels of four judgments in every batch
ERRS = 0.25  # what the crowd is taken to err meanwhile
SEEDS, FITTED = 40, 6
_ASKED = ("batch", "supplier", "item_id", "stratum", "judgments", "gold", "received")


@dataclass
class Played:
    """What was asked and said under one seed, and how often people err on items of the stratum."""

    judgments: pd.DataFrame
    drawn: Drawn | None
    truth: float


class World:
    """Items of one stratum; `wrong` (items,) is how often people err on each."""

    def __init__(self, folder: Path) -> None:
        write_tables(folder, items=600)
        self.config = parse_collection(settings(folder, buying={"gold": 4}), "settings")
        self.task: Task = read_contents(self.config).task
        self.suppliers = collection_suppliers(FILE, self.config)
        self.ids: list[str] = self.task.items["item_id"].tolist()
        self.place = {item: number for number, item in enumerate(self.ids)}
        self.code = np.array([LABELS.index(right(item)) for item in self.ids])

    def play(self, seed: int, by_doubt: bool) -> Played:
        rng = np.random.default_rng(seed)
        wrong = np.clip(rng.beta(1.2, 3.5, len(self.ids)), 0.02, 0.48)
        unsure = np.where(rng.random(wrong.size) < 0.75, 1 - wrong, wrong)
        chances = np.zeros((wrong.size, 2))
        chances[np.arange(wrong.size), self.code] = unsure
        chances[np.arange(wrong.size), 1 - self.code] = 1 - unsure
        said: dict[int, list[int]] = defaultdict(list)
        rows: list[dict[str, Any]] = []
        asked: list[tuple[Any, ...]] = []
        drawn: dict[tuple[str, str], int] = {}
        for batch in range(1, BATCHES + 1):
            table = pd.DataFrame(asked, columns=list(_ASKED))
            buying = self.config.buying.model_copy(update={"seed": seed})
            batching = Batching(self.task, self.suppliers, buying, table, batch)
            wanted = [WantedLabels(Offer("hard", "crowd", EACH, Decimal("0.05"), 0.2), ITEMS)]
            if by_doubt:
                own = self._items(batching, table, drawn, said, batch, wrong, chances)
                lines = own.lines(wanted)
                for supplier, item, count in own.evidence(lines)["selection"]["drawn"]:
                    drawn[supplier, item] = count
            else:
                lines = batching.lines(wanted)
            for line in lines:
                rows += self._said(line, batch, wrong, said, rng)
                asked.append(
                    (
                        batch,
                        "crowd",
                        line.item_id,
                        "hard",
                        line.judgments,
                        line.gold,
                        line.judgments,
                    )
                )
        judgments = pd.DataFrame(rows)
        pool = self.task.pools["hard"]
        return Played(judgments, drawn if by_doubt else None, float(wrong[pool].mean()))

    def _items(
        self,
        batching: Batching,
        asked: pd.DataFrame,
        drawn: Drawn,
        said: dict[int, list[int]],
        batch: int,
        wrong: Array,
        chances: Array,
    ) -> ItemsByDoubt:
        counts = self.task.choice_counts
        posteriors = choice_mask(counts) / counts[:, None]
        given = np.zeros(counts.size, dtype=np.int64)
        for place, labels in said.items():
            given[place] = len(labels)
            judged = np.array([labels])
            posteriors[place] = posterior_from_judgments(judged, counts[[place]], 2 * ERRS)[0]
        pool = np.sort(self.task.pools["hard"])
        read = ItemsRead(pool, wrong[pool, None], chances[pool]) if batch > 1 else None
        measured = {
            ("crowd", name): SupplierMeasured("crowd", name, 99, 0, None, ERRS, True, None)
            for name in ("easy", "hard")
        }
        return ItemsByDoubt(
            *(self.task, self.suppliers, batching, asked, drawn, Said(posteriors, given)),
            *(measured, read),
        )

    def _said(
        self,
        line: OrderLine,
        batch: int,
        wrong: Array,
        said: dict[int, list[int]],
        rng: np.random.Generator,
    ) -> list[dict[str, Any]]:
        place = self.place[line.item_id]
        first = len(said[place])
        people = rng.permutation(PEOPLE) if not first else np.arange(first, PEOPLE)
        found = []
        for who in people[: line.judgments].tolist():
            errs = bool(rng.random() < wrong[place])
            code = int(self.code[place]) ^ errs
            if line.gold is None:
                said[place].append(code)
            row: dict[str, Any] = dict.fromkeys(COLUMNS)
            row.update(item_id=line.item_id, label=LABELS[code], supplier="crowd", batch=batch)
            row.update(annotator=f"person {(who + place) % PEOPLE}", gold=line.gold, seconds=5.0)
            row.update(stratum="hard", cancelled=False, errs=errs)
            found.append(row | {"source_id": f"{line.item_id}:{batch}:{who}"})
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def by_doubt(world: World) -> list[Played]:
    return [world.play(seed, by_doubt=True) for seed in range(SEEDS)]


def apart(off: list[float]) -> float:
    """How many standard errors the mean of these differences is away from 0."""
    return float(np.mean(off) / (np.std(off, ddof=1) / np.sqrt(len(off))))


def test_what_counts_is_as_often_wrong_as_the_stratum_is_and_the_rest_more_often(
    by_doubt: list[Played],
) -> None:
    counted, every = [], []
    for own in by_doubt:
        table = own.judgments[own.judgments["gold"].isna()]
        rated = judgments_for_rates(table, own.drawn or {})
        counted.append(float(rated["errs"][rated["counts"]].mean()) - own.truth)
        every.append(float(table["errs"].mean()) - own.truth)
    assert abs(apart(counted)) < 3
    assert apart(every) > 5


def test_rates_are_within_their_intervals_as_often_as_at_random(
    world: World, by_doubt: list[Played]
) -> None:
    within, off = {"doubt": 0, "random": 0}, []
    for seed in range(FITTED):
        played = {"doubt": by_doubt[seed], "random": world.play(seed, by_doubt=False)}
        for way, own in played.items():
            so_far = JudgmentsSoFar(own.judgments, world.task, own.drawn)
            found = so_far.of_supplier(world.suppliers["crowd"], "hard", FILE)
            assert found.error is not None
            rate = found.error.rate
            assert rate.estimate is not None and rate.low is not None and rate.high is not None
            within[way] += rate.low <= own.truth <= rate.high
            if way == "doubt":
                off.append(rate.estimate - own.truth)
    assert within["doubt"] >= min(within["random"], FITTED - 1)
    assert abs(apart(off)) < 4
