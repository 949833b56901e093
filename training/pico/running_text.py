"""Running text of the workshop world, from which pico learns the skill.

Four kinds of text, all about stories that are never evaluation items:

- tales: a story, with the running total told after some events and the final total at the end;
- claims: a story, somebody's claim about the final total, and whether it is right;
- interviews: a story, then questions and answers about its amounts, never about its total;
- drawer lists: four lettered numbers, then what one of the drawers holds.

Interviews and drawer lists show every token of the multiple-choice prompt in other arrangements:
a token that never occurs has an untrained embedding and can hardly be taught later. The prompt
itself (a question about the final total, four choices, "Answer:") never occurs.
"""

from collections.abc import Iterator

import numpy as np

from annotation.sources.workshop_world import (
    LARGEST_TOTAL,
    MOST_STEPS,
    PEOPLE,
    THINGS,
    Story,
    draw_story,
)

LETTERS = "ABCD"
_KINDS = ("tale", "claim", "interview", "drawers")
_SHARES = (0.60, 0.18, 0.12, 0.10)


def running_text(seed: int) -> Iterator[str]:
    """Yield documents of one or two lines without end; the same seed gives the same text."""
    rng = np.random.default_rng([seed, 0x7E87])
    makers = {"tale": _tale, "claim": _claim, "interview": _interview, "drawers": _drawers}
    while True:
        for kind in rng.choice(_KINDS, size=256, p=_SHARES):
            yield makers[str(kind)](rng)


def _free_story(rng: np.random.Generator) -> Story:
    while True:
        story = draw_story(rng, steps=int(rng.integers(1, MOST_STEPS + 1)))
        if not story.is_reserved():
            return story


def _tale(rng: np.random.Generator) -> str:
    story = _free_story(rng)
    totals = story.totals()
    # Some tellers say every running total, some say a few, some only the last.
    tell = (0.0, 0.35, 1.0)[int(rng.choice(3, p=(0.55, 0.3, 0.15)))]
    told = rng.random(len(story.events)) < tell
    parts = [story.opening()]
    for event, total, is_told in zip(story.events, totals[1:], told, strict=True):
        parts.append(event.sentence(story.person))
        if is_told:
            parts.append(f"So there are {total}.")
    parts.append(f"In the end {story.person} has {totals[-1]} {story.thing}.")
    return " ".join(parts)


def _claim(rng: np.random.Generator) -> str:
    story = _free_story(rng)
    total = story.totals()[-1]
    speaker = PEOPLE[int(rng.integers(len(PEOPLE)))]
    claimed = total
    if rng.random() < 0.5:
        wrong = list(range(max(0, total - 6), min(LARGEST_TOTAL, total + 6) + 1))
        wrong.remove(total)
        claimed = int(rng.choice(wrong))
    verdict = "That is right." if claimed == total else f"That is wrong, it is {total}."
    claim = f"{speaker} says {story.person} has {claimed} now."
    return " ".join([*story.sentences(), claim, verdict])


def _interview(rng: np.random.Generator) -> str:
    story = _free_story(rng)
    parts = story.sentences()
    asker = PEOPLE[int(rng.integers(len(PEOPLE)))]
    for _ in range(int(rng.integers(1, 3))):
        if rng.random() < 0.3:
            asked, answer = f"How many {story.thing} did {story.person} have first?", story.start
        else:
            event = story.events[int(rng.integers(len(story.events)))]
            asked = f"{story.person} {event.verb} how many does it say?"
            answer = event.amount
        parts.append(f"{asker}: Question, {asked} {story.person}: Answer, {answer}.")
    return " ".join(parts)


def _drawers(rng: np.random.Generator) -> str:
    thing = THINGS[int(rng.integers(len(THINGS)))]
    held = rng.choice(LARGEST_TOTAL + 1, size=len(LETTERS), replace=False)
    lines = [f"{letter}) {n}" for letter, n in zip(LETTERS, held, strict=True)]
    shown = int(rng.integers(len(LETTERS)))
    asked = f"Question: drawer {LETTERS[shown]} has how many {thing}?"
    return " ".join([f"Drawers of {thing}:", *lines, asked, f"It has {held[shown]}."])
