"""Which items to ask next, and whether to ask again or a new one."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray, Positions, generator
from budget.selection.different import different_items
from budget.selection.settings import SelectionSettings
from budget.selection.state import AskableItems

ReasonAsked = Literal["at random", "doubtful and new", "doubtful still"]


@dataclass(frozen=True)
class ChosenItem:
    """An item to ask, how many judgments of it, and why it was chosen."""

    item_id: str
    judgments: int
    why: ReasonAsked


def chosen_items(
    state: AskableItems, number: int, seed: int, settings: SelectionSettings | None = None
) -> list[tuple[str, int]]:
    """The items to ask next with the judgments of each; see `choose_items`."""
    return [(each.item_id, each.judgments) for each in choose_items(state, number, seed, settings)]


def choose_items(
    state: AskableItems, number: int, seed: int, settings: SelectionSettings | None = None
) -> list[ChosenItem]:
    """Which items of a stratum to ask a supplier next: in all `number` judgments, or fewer.

    By "doubt" a share of the judgments goes to new items at random. The others go to where one more
    judgment is expected to take away most doubt, be the item new or judged before: one each, since
    what is answered decides whether another is needed. As many new ones as that are then drawn from
    the most uncertain ones so that they differ. An item whose posterior is clear, or which is not
    expected to be worth the price, is not asked again; where no others are left, fewer judgments
    than `number` come back.

    By "random" items that lack judgments get them first; then come new items, and when there are
    none all items once more.

    The same state, number, seed and settings give the same items.

    Parameters
    ----------
    state
        What is known of the items.
    number
        Judgments that may be asked for, at least 0.
    seed
        Of what is drawn.
    settings
        By default those that were measured.

    Raises
    ------
    ValueError
        If `number` is below 0.
    """
    if number < 0:
        raise ValueError(f"'number' should be at least 0; got {number}.")
    settings = settings or SelectionSettings()
    rng = generator("which items", seed, "")
    if settings.method == "random":
        return _at_random(state, number, settings.judgments, rng)
    drawn = _random_share(state, number, settings, rng)
    left = number - sum(each.judgments for each in drawn)
    ids = {each.item_id for each in drawn}
    is_drawn = np.fromiter((one in ids for one in state.item_ids), bool, len(state.item_ids))
    again, new = _by_doubt(state, left, is_drawn, settings, rng)
    return [
        *drawn,
        *(ChosenItem(state.item_ids[place], 1, "doubtful still") for place in again),
        *(ChosenItem(state.item_ids[place], 1, "doubtful and new") for place in new),
    ]


def _random_share(
    state: AskableItems, number: int, settings: SelectionSettings, rng: np.random.Generator
) -> list[ChosenItem]:
    """New items at random, with the share of the judgments that is kept for them.

    A share that is no whole number of judgments is rounded by chance, so that it is kept in the
    mean of small batches, too. The same holds for the last item's judgments.
    """
    exact = settings.random_share * number
    kept = math.floor(exact) + int(rng.random() < exact - math.floor(exact))
    return _drawn(state, rng.permutation(np.flatnonzero(state.is_new)), kept, settings.judgments)


def _drawn(state: AskableItems, order: Positions, number: int, judgments: int) -> list[ChosenItem]:
    """So many judgments of the items in order, of each as many as it should get and can."""
    chosen = []
    for place in order.tolist():
        if number <= 0:
            break
        count = min(judgments, int(state.room[place]), number)
        chosen.append(ChosenItem(state.item_ids[place], count, "at random"))
        number -= count
    return chosen


def _at_random(
    state: AskableItems, number: int, judgments: int, rng: np.random.Generator
) -> list[ChosenItem]:
    """Judgments by the rule of thumb: random items, the same number of judgments each."""
    given, asked = state.given.copy(), np.zeros_like(state.given)
    order: list[int] = []
    left = number
    while left > 0:
        lacking = given % judgments
        open_items = np.flatnonzero(asked < state.room)
        if not open_items.size:
            break
        begun = open_items[lacking[open_items] > 0]
        passes = given[open_items] // judgments
        # Begun items first, then those with fewest judgments.
        next_pass = begun if begun.size else open_items[passes == passes.min()]
        first = rng.permutation(next_pass)[:left]
        for place in first.tolist():
            count = min(
                judgments - int(lacking[place]), int(state.room[place] - asked[place]), left
            )
            if not asked[place] and count:
                order.append(place)
            asked[place] += count
            given[place] += count
            left -= count
    return [ChosenItem(state.item_ids[place], int(asked[place]), "at random") for place in order]


def _by_doubt(
    state: AskableItems,
    number: int,
    is_drawn: NDArray[np.bool_],
    settings: SelectionSettings,
    rng: np.random.Generator,
) -> tuple[Positions, Positions]:
    """Items to ask again, and new ones, one judgment each: (again, new), as many as `number`."""
    falls = state.falls
    clear = state.believed.max(axis=1) >= settings.clear
    worthless = falls * settings.worth <= 1 if settings.worth is not None else falls <= 0
    open_again = (state.given > 0) & (state.room > 0) & ~clear & ~worthless
    again = _ranked(np.flatnonzero(open_again), falls, rng)
    new = _ranked(np.flatnonzero(state.is_new & ~is_drawn), falls, rng)
    # Of equals new items come first: they teach of others, too.
    both = np.concatenate([new, again])
    best = both[np.argsort(-falls[both], kind="stable")][:number]
    asked_again: IntArray = best[state.given[best] > 0]
    count = best.size - asked_again.size
    if state.predictions is None or not count:
        return asked_again, new[:count]  # nothing tells new items apart: at random
    most_uncertain = new[: max(count, math.ceil(settings.uncertain_share * new.size))]
    there = np.flatnonzero((state.given > 0) | is_drawn)
    return asked_again, different_items(state.features, most_uncertain, there, count, rng)


def _ranked(places: Positions, falls: Array, rng: np.random.Generator) -> Positions:
    """Items from the largest fall of doubt to the smallest, equals at random."""
    mixed = rng.permutation(places)
    return np.asarray(mixed[np.argsort(-falls[mixed], kind="stable")])
