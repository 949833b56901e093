"""The workshop world: people who hold, get and lose small numbers of things.

Two things are told about it: evaluation items (``annotation.sources.workshop``) and the running
text from which the embedded model learns the skill (``training.pico.running_text``). A story is
kept for one of the two by its hash, so that no story of an item is ever in the running text.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

PEOPLE = (
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana",
    "Ivo", "Jun", "Kira", "Leo", "Mia", "Noa", "Omar", "Pia",
)  # fmt: skip
THINGS = (
    "screws", "nails", "bolts", "hinges", "planks", "tiles",
    "ropes", "brushes", "lamps", "boxes", "wheels", "pegs",
)  # fmt: skip
GAINS = ("buys", "finds", "makes", "gets", "earns", "collects")
LOSSES = ("uses", "sells", "loses", "breaks", "wastes", "returns")

LARGEST_TOTAL = 20
LARGEST_AMOUNT = 9
MOST_STEPS = 6

# One story in this many is kept for evaluation items; the others are free for running text.
_RESERVED_ONE_IN = 8


@dataclass(frozen=True)
class Event:
    """One reasoning step: somebody gets or loses `amount` things."""

    verb: str
    amount: int
    sign: int  # +1 gain, -1 loss

    def sentence(self, person: str) -> str:
        return f"{person} {self.verb} {self.amount}{' more' if self.sign > 0 else ''}."


@dataclass(frozen=True)
class Story:
    """A person starts with some things; events change how many."""

    person: str
    thing: str
    start: int
    events: tuple[Event, ...]

    def totals(self) -> list[int]:
        """The number held at the start and after every event (length: events + 1)."""
        totals = [self.start]
        for event in self.events:
            totals.append(totals[-1] + event.sign * event.amount)
        return totals

    def opening(self) -> str:
        return f"{self.person} has {self.start} {self.thing}."

    def sentences(self) -> list[str]:
        return [self.opening(), *(event.sentence(self.person) for event in self.events)]

    def is_reserved(self) -> bool:
        """Whether this story is kept for evaluation items (and so never in running text)."""
        digest = hashlib.blake2b(" ".join(self.sentences()).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % _RESERVED_ONE_IN == 0


def draw_story(rng: np.random.Generator, steps: int) -> Story:
    """Draw a story of `steps` events whose totals stay within 0..LARGEST_TOTAL.

    Raises ValueError if `steps` is not within 1..MOST_STEPS.
    """
    if not 1 <= steps <= MOST_STEPS:
        raise ValueError(f"'steps' should be within 1..{MOST_STEPS}; got {steps}.")
    # One call for all random numbers: a call costs more than the numbers it returns.
    draws = iter(rng.random(3 + 3 * steps).tolist())

    def pick(count: int) -> int:
        return int(next(draws) * count)

    person, thing = PEOPLE[pick(len(PEOPLE))], THINGS[pick(len(THINGS))]
    total = start = 1 + pick(LARGEST_TOTAL - 1)
    events = []
    for _ in range(steps):
        room_up = min(LARGEST_AMOUNT, LARGEST_TOTAL - total)
        room_down = min(LARGEST_AMOUNT, total)
        gain = next(draws) < 0.5
        if room_up == 0 or room_down == 0:
            gain = room_down == 0
        verbs = GAINS if gain else LOSSES
        verb = verbs[pick(len(verbs))]
        amount = 1 + pick(room_up if gain else room_down)
        sign = 1 if gain else -1
        total += sign * amount
        events.append(Event(verb, amount, sign))
    return Story(person, thing, start, tuple(events))
