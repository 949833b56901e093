import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.two_way import TwoWaySpread, two_way_spread

Real = NDArray[np.float64]


def slow_spread(table: Real, cluster: NDArray[np.int64]) -> tuple[float, float, float]:
    """The slow twin: three variances of the mean, cell by cell."""
    seeds, items = table.shape
    names, mean = sorted(set(cluster.tolist())), table.mean()
    cells = {
        (seed, name): sum(
            (table[seed, item] - mean) / items for item in range(items) if cluster[item] == name
        )
        for seed in range(seeds)
        for name in names
    }
    by_name = {name: sum(cells[seed, name] for seed in range(seeds)) / seeds for name in names}
    by_seed = [sum(cells[seed, name] for name in names) for seed in range(seeds)]
    of_items = sum(own**2 for own in by_name.values()) * len(names) / (len(names) - 1)
    if seeds == 1:
        return of_items, 0.0, 0.0
    of_seeds = sum(own**2 for own in by_seed) / (seeds - 1) / seeds
    left = sum(
        (own - by_name[name] - by_seed[seed] / len(names)) ** 2
        for (seed, name), own in cells.items()
    )
    freedom = (seeds - 1) * (len(names) - 1)
    return of_items, of_seeds, left / freedom * len(names) / seeds


@pytest.mark.parametrize("seeds", [1, 2, 4])
@pytest.mark.parametrize("cluster", [[0, 1, 2, 3, 4, 5], [1, 0, 2, 0, 1, 3]])
def test_the_three_variances_are_those_of_the_slow_twin(seeds: int, cluster: list[int]) -> None:
    table = np.random.default_rng(0).standard_normal((seeds, 6))
    codes = np.array(cluster)
    found = two_way_spread(table, codes)
    expected = slow_spread(table, codes)
    assert (found.items, found.seeds, found.interaction) == pytest.approx(expected)
    assert (found.clusters, found.seed_count) == (len(set(cluster)), seeds)


def test_many_tables_at_once_are_those_one_by_one() -> None:
    tables, cluster = np.random.default_rng(1).standard_normal((5, 3, 8)), np.arange(8) % 4
    together = two_way_spread(tables, cluster)
    for number, table in enumerate(tables):
        own = two_way_spread(table, cluster)
        assert together.items[number] == pytest.approx(own.items)
        assert together.interaction[number] == pytest.approx(own.interaction)
        assert together.half_width(0.95)[number] == pytest.approx(own.half_width(0.95))


def test_what_a_table_is_made_of_is_found() -> None:
    """Mean squares of made-up effects: each variance has its own part and the interaction's."""
    rng = np.random.default_rng(2)
    shape = (4000, 4, 50)
    tables = (
        2.0 * rng.standard_normal((4000, 1, 50))
        + 0.5 * rng.standard_normal((4000, 4, 1))
        + rng.standard_normal(shape)
    )
    found = two_way_spread(tables, np.arange(50))
    cells = 1 / (4 * 50)
    assert found.interaction.mean() == pytest.approx(cells, rel=0.02)
    assert found.items.mean() == pytest.approx(4 / 50 + cells, rel=0.02)
    assert found.seeds.mean() == pytest.approx(0.25 / 4 + cells, rel=0.05)


def spread(items: float, seeds: float, interaction: float, seed_count: int = 3) -> TwoWaySpread:
    return TwoWaySpread(
        items=np.array(items),
        seeds=np.array(seeds),
        interaction=np.array(interaction),
        clusters=10_000_001,
        seed_count=seed_count,
    )


NORMAL, T_OF_TWO = 1.959964, 4.302653


def test_seeds_that_differ_no_more_than_single_cells_do_not_count() -> None:
    assert spread(4.0, 1.0, 1.0).half_width(0.95) == pytest.approx(NORMAL * 2)


def test_seeds_that_differ_have_the_quantile_of_their_number_and_cells_count_once() -> None:
    half = spread(4.0, 9.0, 1.0).half_width(0.95)
    assert half == pytest.approx(np.sqrt(NORMAL**2 * (4 - 1) + T_OF_TWO**2 * 9))


def test_the_interval_is_never_narrower_than_that_of_the_items() -> None:
    # More interaction than items could have: nothing negative is left of the items.
    assert spread(1.0, 2.5, 2.0).half_width(0.95) == pytest.approx(T_OF_TWO * np.sqrt(2.5))
    assert spread(4.0, 0.11, 0.1).half_width(0.95) >= NORMAL * 2


def test_one_cluster_has_no_spread() -> None:
    with pytest.raises(ValueError, match="two clusters at least"):
        two_way_spread(np.zeros((2, 3)), np.zeros(3, dtype=np.int64))
