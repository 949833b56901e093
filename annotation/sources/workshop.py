"""`workshop`: generated multi-step word problems, so that the main job runs with no network.

Hardness is the number of reasoning steps (1-6): 1-2 easy, 3-4 medium, 5-6 hard.
"""

import numpy as np
import pandas as pd

from annotation.errors import InputError
from annotation.items.validate import validate_items
from annotation.sources.workshop_world import (
    LARGEST_TOTAL,
    MOST_STEPS,
    Story,
    draw_story,
)

CHOICES = 4

# There are about 39,000 reserved stories of one step; drawing without repeats would never end
# once they are used up.
LARGEST_SIZE = 200_000


def load_workshop(size: int = 3000, seed: int = 0) -> pd.DataFrame:
    """Generate the item table of `size` word problems, as many of each number of steps.

    The items are distinct stories; the same seed and size give the same table, and a longer
    table starts with the shorter one.

    Raises InputError if `size` is not within 1..LARGEST_SIZE or `seed` is negative.
    """
    if not 1 <= size <= LARGEST_SIZE:
        raise InputError(f"workshop: 'size' should be within 1..{LARGEST_SIZE}; got {size}.")
    if seed < 0:
        raise InputError(f"workshop: 'seed' should be at least 0; got {seed}.")
    rng = np.random.default_rng([seed, 0x30B5])
    rows: list[dict[str, object]] = []
    seen: set[Story] = set()
    while len(rows) < size:
        story = draw_story(rng, steps=len(rows) % MOST_STEPS + 1)
        if story in seen or not story.is_reserved():
            continue
        seen.add(story)
        rows.append(_item(story, rng, item_id=f"workshop-{seed}-{len(rows):06d}"))
    return validate_items(pd.DataFrame(rows), where="workshop")


def _item(story: Story, rng: np.random.Generator, item_id: str) -> dict[str, object]:
    answer = story.totals()[-1]
    values = [answer, *_distractors(story, rng)]
    order = rng.permutation(CHOICES)
    question = f"How many {story.thing} does {story.person} have now?"
    return {
        "item_id": item_id,
        "question": " ".join([*story.sentences(), question]),
        "choices": [str(values[k]) for k in order],
        "answer": int(np.flatnonzero(order == 0)[0]),
        "group": item_id,  # stories are drawn independently: every item is its own cluster
        "reasoning": ", then ".join(str(total) for total in story.totals()),
        "steps": float(len(story.events)),
    }


def _distractors(story: Story, rng: np.random.Generator) -> list[int]:
    """Three wrong totals that a solver who slips would reach, all different."""
    answer = story.totals()[-1]
    slips = {
        wrong
        for event in story.events
        for wrong in (
            answer - event.sign * event.amount,  # the event is overlooked
            answer - 2 * event.sign * event.amount,  # its direction is mistaken
        )
    }
    slips.add(story.start)  # nothing is read but the opening
    near = {answer + offset for offset in (-2, -1, 1, 2)}  # miscounted
    chosen: list[int] = []
    for pool in (slips, near, set(range(LARGEST_TOTAL + 1))):
        possible = sorted(v for v in pool if 0 <= v <= LARGEST_TOTAL and v != answer)
        possible = [v for v in possible if v not in chosen]
        take = min(CHOICES - 1 - len(chosen), len(possible))
        chosen += [int(v) for v in rng.choice(possible, size=take, replace=False)] if take else []
    return chosen
