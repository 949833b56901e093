"""Labels of a small file of judgments, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.hardness.selection import split_judgments
from annotation.items.validate import validate_items
from annotation.judgments.table import validate_judgments
from annotation.labelling.collected import CollectedJudgments
from annotation.truth.aggregation import Aggregator

# Item i is right with answer i % 2 in the eyes of all but annotator "x", who says the contrary.
NAMES = ("a", "b", "c", "x")
ITEMS = validate_items(
    pd.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(40)],
            "question": [f"question {n}?" for n in range(40)],
            "choices": [["no", "yes"]] * 40,
        }
    ),
    "made",
    require_answers=False,
)
POOLS = {"easy": np.arange(0, 24), "hard": np.arange(24, 36)}


def judged(by: tuple[str, ...] = NAMES, items: int = 36, **columns: object) -> pd.DataFrame:
    rows = [
        {
            "item_id": f"i{n}",
            "annotator": name,
            "label": ("no", "yes")[(n + (name == "x")) % 2],
            "created_at": f"2024-01-01T00:{k:02d}:{n:02d}Z",
        }
        for k, name in enumerate(by)
        for n in range(items)
    ]
    return validate_judgments(pd.DataFrame(rows).assign(**columns), "made")


def collected(
    table: pd.DataFrame | None = None,
    per_label: int = 1,
    aggregator: Aggregator = "majority",
    stream: str = "",
) -> CollectedJudgments:
    table = judged() if table is None else table
    return CollectedJudgments(table, ITEMS, POOLS, np.full(40, 0.25), per_label, aggregator, stream)


def test_labels_are_what_somebody_said_of_the_item() -> None:
    found = collected(judged(("a",))).labels("easy", 10, 0)
    assert found.labels.tolist() == (found.positions % 2).tolist()
    contrary = collected(judged(("x",))).labels("easy", 10, 0)
    assert contrary.labels.tolist() == (1 - contrary.positions % 2).tolist()
    assert set(found.redraw_rates.tolist()) == {0.25}


def test_fewer_labels_are_the_beginning_of_more() -> None:
    own = collected()
    few, many = own.labels("hard", 4, 7), own.labels("hard", 12, 7)
    assert few.key == many.chosen(np.arange(4)).key
    assert set(many.positions.tolist()) == set(POOLS["hard"].tolist())


def test_every_seed_asks_whom_it_happens_to_ask() -> None:
    """A quarter of what is said is wrong, and each seed meets other annotators."""
    own, wrong = collected(), []
    for seed in range(200):
        found = own.labels("easy", 24, seed)
        wrong.append((found.labels != found.positions % 2).mean())
    assert np.mean(wrong) == pytest.approx(0.25, abs=0.03)
    assert len(set(wrong)) > 4
    other = collected(stream="pilot ")
    assert other.labels("easy", 24, 0).key != own.labels("easy", 24, 0).key


def test_a_label_of_several_judgments_has_each_annotator_once() -> None:
    found = collected(per_label=4).labels("easy", 24, 0)
    assert found.judgments.shape == (24, 4)
    assert (found.judgments.sum(1) == np.where(found.positions % 2, 3, 1)).all()
    assert found.labels.tolist() == (found.positions % 2).tolist()


def test_items_with_too_few_judgments_are_not_there() -> None:
    some = pd.concat([judged(("a", "b")), judged(("c",), items=5)], ignore_index=True)
    own = collected(some, per_label=3)
    assert (own.available("easy"), own.available("hard")) == (5, 0)
    assert sorted(own.labels("easy", 5, 0).positions.tolist()) == [0, 1, 2, 3, 4]
    with pytest.raises(InputError, match="6 labels wanted, 5 items there that were judged 3 times"):
        own.labels("easy", 6, 0)
    with pytest.raises(InputError, match=r"no item has 4 judgments.*lower targets\.judgments"):
        collected(some, per_label=4)


def test_items_of_no_pool_are_labelled_where_they_were_judged() -> None:
    own = collected(judged(items=38))
    lent = own.of_items(np.array([37, 36]), 0)
    assert lent.positions.tolist() == [37, 36]
    assert own.can_label(np.array([36, 37])) and not own.can_label(np.array([37, 39]))
    with pytest.raises(ValueError, match="judged less than once"):
        own.of_items(np.array([39]), 0)


def test_cancelled_judgments_and_gold_answers_count_for_nothing() -> None:
    cancelled = judged(("a", "x")).assign(gold="yes")
    cancelled.loc[cancelled["annotator"] == "x", "cancelled"] = True
    found = collected(cancelled).labels("easy", 24, 0)
    assert found.labels.tolist() == (found.positions % 2).tolist()


def test_who_answers_twice_is_counted_once_by_the_last_answer() -> None:
    first = judged(("x",)).assign(created_at=pd.Timestamp("2023-01-01", tz="UTC"))
    again = first.assign(created_at=pd.Timestamp("2025-01-01", tz="UTC"), source_id="again")
    again["label"] = judged(("a",))["label"].to_numpy()
    own = collected(pd.concat([first, again, judged(("b",))], ignore_index=True))
    found = own.labels("easy", 24, 0)
    assert found.labels.tolist() == (found.positions % 2).tolist()
    with pytest.raises(InputError, match="no item has 3 judgments"):
        collected(pd.concat([first, again, judged(("b",))], ignore_index=True), per_label=3)
    tell, train = split_judgments(pd.concat([first, again], ignore_index=True), 1)
    assert len(tell) == 36 and len(train) == 0


@pytest.mark.parametrize("aggregator", ["dawid_skene", "one_coin", "glad", "mace", "hardness"])
def test_a_model_gives_every_label_its_posterior(aggregator: Aggregator) -> None:
    """One of four always lies; every model finds out, or follows the other three."""
    found = collected(per_label=4, aggregator=aggregator).labels("easy", 24, 0)
    assert found.posteriors is not None
    assert found.posteriors.shape == (24, 2)
    np.testing.assert_allclose(found.posteriors.sum(1), 1)
    assert found.labels.tolist() == (found.positions % 2).tolist()
    assert ((found.redraw_rates >= 0) & (found.redraw_rates <= 1)).all()
    few = collected(per_label=4, aggregator=aggregator).labels("easy", 6, 0)
    assert few.key == found.chosen(np.arange(6)).key


def test_posteriors_stand_beside_their_items() -> None:
    """Where all agree but on one item, that item's posterior is the doubtful one."""
    table = judged(("a", "b", "c"))
    odd = (table["item_id"] == "i7") & (table["annotator"] != "a")
    table.loc[odd, "label"] = "no"
    found = collected(table, per_label=3, aggregator="hardness").labels("easy", 24, 5)
    assert found.posteriors is not None
    doubtful = found.posteriors.max(1).argmin()
    assert found.positions[doubtful] == 7


def test_what_tells_hardness_is_not_bought() -> None:
    first, rest = split_judgments(judged(("b", "x", "a")), 2)
    assert set(first["annotator"]) == {"b", "x"}  # in the order of time
    assert set(rest["annotator"]) == {"a"}
    assert len(first) + len(rest) == 3 * 36
    nothing, everything = split_judgments(judged(), 0)
    assert len(nothing) == 0 and len(everything) == 4 * 36
