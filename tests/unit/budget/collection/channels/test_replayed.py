"""Judgments of the past, played again."""

import pandas as pd

from budget.collection.channels.replayed import ReplayedAnnotators

PAST = pd.DataFrame(
    [(f"i{n}", f"who {k}", f"{n}-{k}") for n in range(6) for k in range(4 if n else 1)],
    columns=["item_id", "annotator", "source_id"],
)


def ordered(*counts: tuple[str, int]) -> pd.DataFrame:
    return pd.DataFrame(counts, columns=["item_id", "judgments"])


def test_as_many_as_were_ordered_come_each_once() -> None:
    channel = ReplayedAnnotators(PAST, seed=0)
    assert len(channel.fetch().judgments) == 0
    channel.send(ordered(("i1", 2), ("i2", 3)))
    first = channel.fetch()
    assert first.whole
    assert first.judgments["item_id"].value_counts().to_dict() == {"i2": 3, "i1": 2}
    assert channel.fetch().judgments.equals(first.judgments)
    channel.send(ordered(("i1", 2), ("i2", 3), ("i1", 2)))
    second = channel.fetch().judgments
    assert set(first.judgments["source_id"]) < set(second["source_id"])
    assert not second["source_id"].duplicated().any()


def test_an_item_gives_no_more_than_it_has() -> None:
    channel = ReplayedAnnotators(PAST, seed=0)
    channel.send(ordered(("i0", 3), ("nobody judged it", 2)))
    assert channel.fetch().judgments["item_id"].tolist() == ["i0"]


def test_the_seed_says_which_come_first_not_the_order_of_the_table() -> None:
    def first(seed: int, table: pd.DataFrame) -> list[str]:
        channel = ReplayedAnnotators(table, seed)
        channel.send(ordered(*((f"i{n}", 1) for n in range(1, 6))))
        return list(channel.fetch().judgments["source_id"])

    mixed = PAST.sample(frac=1, random_state=3)
    assert first(0, PAST) == first(0, mixed)
    assert len({tuple(first(seed, PAST)) for seed in range(5)}) > 1
