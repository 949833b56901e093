"""Collections of real judgments of medical sentences, by doubt and at random, to their end.

The crowd gives what it once said, by file. Only the surface is given: nothing is trained for the
plan, but a real model reads the sentences, and a probe of the labels so far says which are in
doubt.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from _medical_sentences import CENTS, Ended, sentences, to_the_end
from budget.collection.beginning import store_url
from budget.collection.learning import Learnt
from budget.collection.store.store import CollectionStore
from tests.unit.budget.conftest import known_surface
from training.engines.choice import EngineChoice

POOL, TEST, SEED = 70, 40, 2
BUDGET = Decimal("40.00")


@pytest.fixture(scope="module")
def ended(
    data_folder: Callable[[str], Path],
    minilm_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Ended]:
    surface = known_surface({"easy": 0.5}, half_labels=[200.0 + 20 * n for n in range(40)])
    learnt = Learnt(replace(surface, item_deviation=0.02), 0.7, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("budget.collection.proposing.learn", lambda *_: learnt)
        # The surface is made up, and no bar for it is the commonest class of real sentences.
        patch.setattr("budget.collection.proposing.commonest_class", lambda *_: None)
        patch.setattr(EngineChoice, "start", lambda *_: nullcontext(None))
        folder = tmp_path_factory.mktemp("collections")
        there = sentences(data_folder("medical_treat"), folder / "in", POOL, TEST, SEED)
        buying = {"first": 8, "gold": 2, "least": 3, "rounds": 3}
        return {
            way: to_the_end(there, folder / way, minilm_path, way, BUDGET, **buying)
            for way in ("random", "doubt")
        }


def test_by_doubt_the_same_items_are_labelled_as_well_by_fewer_judgments(
    ended: dict[str, Ended],
) -> None:
    by_doubt, at_random = ended["doubt"], ended["random"]
    assert by_doubt.batches >= 3
    assert by_doubt.items == at_random.items == POOL
    assert by_doubt.judgments <= 0.8 * at_random.judgments
    # Of 70 labels about 4 differ by chance alone between two draws of the crowd.
    assert by_doubt.right >= at_random.right - 0.06


@pytest.mark.parametrize("way", ["doubt", "random"])
def test_the_ledger_is_exact(way: str, ended: dict[str, Ended]) -> None:
    with CollectionStore.open(store_url(ended[way].folder)) as store:
        judgments, ledger, lines = store.judgments(), store.ledger(), store.lines()
        balance, unpaid = store.balance(), store.unpaid()
    spent = ledger[ledger["kind"] == "spent"]
    assert sorted(spent["source_id"]) == sorted(judgments["source_id"])  # each is paid once
    assert set(spent["amount"]) == {CENTS}
    assert (lines["judgments"] == lines["received"]).all()  # none came to another line
    assert balance.paid == CENTS * len(judgments)
    assert balance.promised == 0
    assert balance.paid + balance.left == BUDGET
    assert unpaid.empty


def test_decisions_say_what_was_asked_again_and_why(ended: dict[str, Ended]) -> None:
    with CollectionStore.open(store_url(ended["doubt"].folder)) as store:
        lines, batches = store.lines(), store.batches()
    own = lines[lines["gold"].isna()]
    for batch in batches:
        before = set(own["item_id"][own["batch"] < batch.number])
        here = own[own["batch"] == batch.number]
        selection = batch.decision["selection"]
        reasons = {item: (doubt, fall) for _, item, doubt, fall in selection["again"]}
        drawn = {item for _, item, _ in selection["drawn"]}
        assert set(here["item_id"]) & before - drawn == set(reasons)
        assert all(0 < fall < doubt for doubt, fall in reasons.values())
    assert batches[-1].decision["kind"] == "again"
