"""What holds of chosen items whatever is known of them, and what choosing them gains."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.arrays import Array, IntArray
from budget.selection.choose import choose_items, chosen_items
from budget.selection.settings import SelectionSettings
from budget.selection.state import AskableItems

pytestmark = pytest.mark.functional


@st.composite
def states(draw: st.DrawFn) -> AskableItems:
    """Items with any numbers of choices, judgments and room, with and without a model."""
    count = draw(st.integers(0, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    counts = rng.integers(1, 5, count)

    def chances() -> Array:
        weights = rng.gamma(draw(st.sampled_from([0.1, 1.0, 30.0])), size=(count, 4)) + 1e-12
        weights[np.arange(4) >= counts[:, None]] = 0
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    features = rng.integers(0, 2, (count, 2)) if draw(st.booleans()) else rng.random((count, 3))
    return AskableItems(
        item_ids=[f"item {number}" for number in range(count)],
        features=features.astype(np.float32),
        posteriors=chances(),
        choice_counts=counts,
        given=rng.integers(0, 3, count),
        room=rng.integers(0, 4, count),
        error_rate=draw(st.floats(0, 1)),
        predictions=chances() if draw(st.booleans()) else None,
    )


ways = st.builds(
    SelectionSettings,
    method=st.sampled_from(["doubt", "random"]),
    random_share=st.floats(0, 1),
    judgments=st.integers(1, 4),
    uncertain_share=st.floats(0.01, 1),
    clear=st.floats(0.01, 1),
    worth=st.none() | st.floats(0.1, 100),
)


@given(state=states(), number=st.integers(0, 60), seed=st.integers(0, 2**31), way=ways)
@settings(deadline=None)
def test_never_more_than_wanted_nor_than_an_item_has_room_for(
    state: AskableItems, number: int, seed: int, way: SelectionSettings
) -> None:
    chosen = choose_items(state, number, seed, way)
    names = [each.item_id for each in chosen]
    assert len(set(names)) == len(names)
    assert sum(each.judgments for each in chosen) <= number
    room = dict(zip(state.item_ids, state.room.tolist(), strict=True))
    assert all(1 <= each.judgments <= room[each.item_id] for each in chosen)
    assert choose_items(state, number, seed, way) == chosen
    if way.method == "random":
        assert sum(each.judgments for each in chosen) == min(number, int(state.room.sum()))
    clear = state.believed.max(axis=1) >= way.clear
    for each in chosen:
        place = names_place(state, each.item_id)
        assert each.why != "doubtful still" or (not clear[place] and state.given[place])
        assert each.why != "doubtful and new" or not state.given[place]


def names_place(state: AskableItems, name: str) -> int:
    return list(state.item_ids).index(name)


def pool(count: int, rng: np.random.Generator) -> AskableItems:
    """New items of which a model is more or less sure."""
    first = rng.random(count)
    even = np.full((count, 2), 0.5)
    return AskableItems(
        item_ids=[str(number) for number in range(count)],
        features=rng.random((count, 4)),
        posteriors=even,
        choice_counts=np.full(count, 2),
        given=np.zeros(count, dtype=np.int64),
        room=np.full(count, 9),
        error_rate=0.25,
        predictions=np.stack([first, 1 - first], axis=1),
    )


@pytest.mark.parametrize("number", [2, 25])
def test_random_share_is_kept_in_the_mean_and_knows_nothing_of_doubt(number: int) -> None:
    state = pool(200, np.random.default_rng(0))
    sure = np.argsort(state.falls)[:100]  # the half that doubt would never choose
    drawn, of_sure, draws = 0, 0, 600
    for seed in range(draws):
        for each in choose_items(state, number, seed):
            if each.why == "at random":
                drawn += each.judgments
                of_sure += int(each.item_id) in set(sure.tolist())
    expected = 0.2 * number * draws
    assert abs(drawn - expected) < 4 * np.sqrt(draws / 4 + 1)  # a rounding has variance <= 1/4
    assert abs(of_sure / drawn - 0.5) < 4 * 0.5 / np.sqrt(drawn)


def label_all(
    way: SelectionSettings, answers: IntArray, seed: int, budget: int
) -> tuple[float, int]:
    """Items judged until the money is gone: the share of right labels, and judgments paid for."""
    rng = np.random.default_rng(seed)
    count, wrong = answers.size, 0.25
    votes, spent = np.zeros((count, 2)), 0
    state = replace(pool(count, rng), predictions=None)
    for turn in range(budget):
        logs = votes * np.log((1 - wrong) / wrong)
        chances = np.exp(logs - logs.max(axis=1, keepdims=True))
        state = replace(
            state,
            posteriors=chances / chances.sum(axis=1, keepdims=True),
            given=votes.sum(axis=1).astype(np.int64),
            room=(9 - votes.sum(axis=1)).astype(np.int64),
        )
        chosen = chosen_items(state, min(20, budget - spent), turn, way)
        if not chosen:
            break
        for name, judgments in chosen:
            for _ in range(judgments):
                answer = answers[int(name)]
                votes[int(name), answer if rng.random() > wrong else 1 - answer] += 1
        spent += sum(judgments for _, judgments in chosen)
    likely = (votes + 1e-9 * rng.random(votes.shape)).argmax(axis=1)
    return float((likely == answers).mean()), spent


def test_labels_are_better_than_with_judgments_spread_evenly() -> None:
    answers = np.random.default_rng(0).integers(0, 2, 200)
    evenly = SelectionSettings(method="random")
    doubt = SelectionSettings(random_share=0.0)
    gains = [
        label_all(doubt, answers, seed, 800)[0] - label_all(evenly, answers, seed, 800)[0]
        for seed in range(8)
    ]
    # Four judgments each leave 15.6 % wrong (ties drawn); by doubt about half of that.
    assert np.mean(gains) > 0.03


def test_it_stops_when_all_is_clear_and_then_is_as_right_as_it_says() -> None:
    answers = np.random.default_rng(1).integers(0, 2, 200)
    way = SelectionSettings(random_share=0.0, clear=0.9)
    right, spent = zip(*[label_all(way, answers, seed, 1800) for seed in range(6)], strict=True)
    assert max(spent) < 1400  # of 1,800 that could be asked for
    assert np.mean(right) > 0.88
