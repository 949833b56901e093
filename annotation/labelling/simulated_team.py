"""Simulated annotation work whose truth is known: who errs how often, and how long it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from annotation.arrays import Array
from annotation.errors import InputError
from annotation.intervals import Scope
from annotation.judgments.table import validate_judgments
from annotation.labelling.work_days import time_stamps

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
LARGEST = 10_000_000
_LONGEST = 86_400.0  # seconds
_HARDEST = 20.0  # everybody guesses long before


@dataclass(frozen=True)
class Workplace:
    """What kind of work is simulated.

    An annotator of ability a draws the answer to an item of hardness h anew, uniformly over all
    choices, with probability 1 / (1 + exp(a - h)), and is right otherwise: the Rasch model with
    guessing. Abilities are normal around 0, hardness is normal within a stratum. Seconds are
    log-normal: exp(log(median) + growth h + speed of the annotator + noise).

    Raises InputError if a number is out of its range.
    """

    items: Mapping[str, int] = field(default_factory=lambda: {"easy": 100, "hard": 100})
    hardness: Mapping[str, float] = field(
        default_factory=lambda: {"easy": -2.0, "medium": -1.0, "hard": 0.0}
    )
    hardness_spread: float = 1.0  # standard deviation within a stratum
    annotators: int = 10
    ability_spread: float = 0.7  # standard deviation
    judgments_per_item: int = 3
    choices: int = 4
    seconds: float = 30.0  # median of an item of hardness 0
    growth: float = 0.25  # of log seconds with hardness
    speed_spread: float = 0.3  # standard deviation of log seconds between annotators
    time_noise: float = 0.5  # standard deviation of log seconds of one annotator
    cancelled: float = 0.02  # share of judgments
    idle: float = 0.01  # share of judgments with a break of 15 minutes to two hours in their time
    gold: float = 0.0  # share of items that are gold questions
    hours_per_day: float = 6.0

    def __post_init__(self) -> None:
        shares = ("cancelled", "idle", "gold")
        positive = ("seconds", "hours_per_day")
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Mapping):
                continue
            if not np.isfinite(value) or value < 0 or (each.name in positive and value == 0):
                raise InputError(f"{each.name} should be a number above 0; got {value}.")
            if each.name in shares and value > 1:
                raise InputError(f"{each.name} should be a share within 0 and 1; got {value}.")
        if self.seconds > _LONGEST or self.annotators > LARGEST:
            raise InputError(
                f"a judgment should take at most {_LONGEST:g} seconds, and annotators should be at "
                f"most {LARGEST:,}; got {self.seconds:g} and {self.annotators:,}."
            )
        for name, count in self.items.items():
            if count < 1:
                raise InputError(f"stratum '{name}' should have at least 1 item; got {count}.")
            if name not in self.hardness:
                raise InputError(
                    f"stratum '{name}' has no hardness; give it one (--hardness {name}=-1), or "
                    f"choose from {', '.join(self.hardness)}."
                )
            if not abs(self.hardness[name]) <= _HARDEST:
                raise InputError(
                    f"stratum '{name}': hardness should be within {-_HARDEST:g} and {_HARDEST:g}; "
                    f"got {self.hardness[name]:g}."
                )
        if not self.items:
            raise InputError("there should be items of at least one stratum.")
        if self.choices < 2 or self.annotators < 1:
            raise InputError("there should be at least 2 choices and 1 annotator.")
        if not 1 <= self.judgments_per_item <= self.annotators:
            raise InputError(
                f"judgments_per_item should be within 1 and the {self.annotators} annotators; "
                f"got {self.judgments_per_item}."
            )
        if sum(self.items.values()) * self.judgments_per_item > LARGEST:
            raise InputError(f"more than {LARGEST:,} judgments; ask for fewer items.")

    def error_rate(self, stratum: str, abilities: Array | None = None) -> float:
        """Expected share of wrong judgments in a stratum, over all items like these.

        Of annotators with these abilities, each judging the same number of items; by default of
        the whole population of annotators.
        """
        redrawn = self._redrawn(stratum, abilities).mean()
        return float(redrawn * (1 - 1 / self.choices))

    def annotator_error_rates(self, stratum: str, abilities: Array) -> Array:
        """Expected share of wrong judgments of every annotator in a stratum, (annotators,)."""
        return np.asarray(self._redrawn(stratum, abilities) * (1 - 1 / self.choices))

    def _redrawn(self, stratum: str, abilities: Array | None) -> Array:
        hardness = self.hardness[stratum] + self.hardness_spread * _NODES
        if abilities is None:
            by_node = expit(hardness[:, None] - self.ability_spread * _NODES) @ _WEIGHTS
            return np.array([by_node @ _WEIGHTS])
        return np.asarray(expit(hardness - np.asarray(abilities)[:, None]) @ _WEIGHTS)

    def mean_seconds(self, stratum: str, speeds: Array | None = None) -> float:
        """Expected seconds of work on a judgment, breaks left out; as `error_rate` otherwise."""
        variance = (self.growth * self.hardness_spread) ** 2 + self.time_noise**2
        usual = np.log(self.seconds) + self.growth * self.hardness[stratum] + variance / 2
        if speeds is None:
            return float(np.exp(usual + self.speed_spread**2 / 2))
        return float(np.exp(usual + speeds).mean())


@dataclass(frozen=True)
class Simulation:
    """Judgments and the truth behind them.

    `abilities` and `speeds` (annotators,) in the order of `annotators`; `answers` and `hardness`
    (items,) in the order of `item_ids`.
    """

    workplace: Workplace
    judgments: pd.DataFrame
    annotators: list[str]
    abilities: Array
    speeds: Array
    item_ids: list[str]
    answers: list[str]
    hardness: Array

    def error_rate(self, stratum: str, scope: Scope) -> float:
        """The true error rate that an interval of this scope should hold."""
        whom = {"these": self.abilities, "like_these": None}
        if scope not in get_args(Scope):
            raise ValueError(f"scope should be one of {get_args(Scope)}; got {scope!r}.")
        return self.workplace.error_rate(stratum, whom[scope])


def simulate_judgments(workplace: Workplace, seed: int) -> Simulation:
    """Simulate annotation work; the same workplace and seed give the same judgments.

    Every item is judged by different annotators, all equally likely. Some judgments are cancelled,
    some last longer because of a break; time stamps follow working days, see
    `annotation.labelling.work_days`.
    """
    rng = np.random.default_rng(seed)
    names = list(workplace.items)
    stratum = np.repeat(np.arange(len(names)), [workplace.items[name] for name in names])
    centre = np.array([workplace.hardness[name] for name in names])
    items, per_item = len(stratum), workplace.judgments_per_item
    hardness = centre[stratum] + workplace.hardness_spread * rng.standard_normal(items)
    abilities = workplace.ability_spread * rng.standard_normal(workplace.annotators)
    speeds = workplace.speed_spread * rng.standard_normal(workplace.annotators)
    answers = rng.integers(0, workplace.choices, items)
    who = _different(items, per_item, workplace.annotators, rng).ravel()
    item = np.repeat(np.arange(items), per_item)
    redrawn = rng.random(item.size) < expit(hardness[item] - abilities[who])
    label = np.where(redrawn, rng.integers(0, workplace.choices, item.size), answers[item])
    noise = workplace.time_noise * rng.standard_normal(item.size)
    seconds = workplace.seconds * np.exp(workplace.growth * hardness[item] + speeds[who] + noise)
    is_idle = rng.random(item.size) < workplace.idle
    seconds = seconds + np.where(is_idle, rng.uniform(900, 7200, item.size), 0.0)
    cancelled = rng.random(item.size) < workplace.cancelled
    order = rng.permutation(item.size)  # in which they are done
    stamps = time_stamps(who[order], seconds[order], workplace.hours_per_day, rng)
    is_gold = rng.random(items) < workplace.gold
    classes = np.array([f"class {n + 1}" for n in range(workplace.choices)], dtype=object)
    digits = len(str(items))
    item_ids = np.array([f"item-{n + 1:0{digits}d}" for n in range(items)], dtype=object)
    annotators = np.array([f"annotator-{n + 1}" for n in range(workplace.annotators)], dtype=object)
    done = item[order]
    frame = pd.DataFrame(
        {
            "item_id": item_ids[done],
            "annotator": annotators[who[order]],
            "label": _or_none(~cancelled[order], classes[label[order]]),
            "seconds": seconds[order].round(3),
            "created_at": stamps,
            "source_id": [f"simulated-{n + 1}" for n in range(item.size)],
            "cancelled": cancelled[order],
            "stratum": np.array(names, dtype=object)[stratum[done]],
            "gold": _or_none(is_gold[done], classes[answers[done]]),
        }
    )
    return Simulation(
        workplace,
        validate_judgments(frame, where="simulated judgments"),
        annotators.tolist(),
        abilities,
        speeds,
        item_ids.tolist(),
        classes[answers].tolist(),
        hardness,
    )


def _or_none(there: NDArray[np.bool_], texts: NDArray[np.object_]) -> NDArray[np.object_]:
    """Texts where they are there, None elsewhere."""
    kept = np.full(texts.shape, None, dtype=object)
    kept[there] = texts[there]
    return kept


def _different(
    items: int, per_item: int, annotators: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Annotators of every item, all different, (items, per_item)."""
    if 3 * per_item > annotators:
        return rng.random((items, annotators)).argsort(axis=1)[:, :per_item]
    chosen = rng.integers(0, annotators, (items, per_item))
    while True:  # few repeat where annotators are many
        ordered = np.sort(chosen, axis=1)
        again = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
        if not again.size:
            return chosen
        chosen[again] = rng.integers(0, annotators, (again.size, per_item))


def truth_of(simulation: Simulation) -> dict[str, object]:
    """The truth behind a simulation as plain values, for a JSON file.

    Error rates and mean seconds per stratum, of these annotators and of annotators like these;
    ability and error rate per stratum of every annotator; answer and hardness of every item.
    """
    workplace = simulation.workplace
    return {
        "strata": {
            name: {
                "error_rate": {
                    "these": simulation.error_rate(name, "these"),
                    "like_these": simulation.error_rate(name, "like_these"),
                },
                "mean_seconds": {
                    "these": workplace.mean_seconds(name, simulation.speeds),
                    "like_these": workplace.mean_seconds(name),
                },
            }
            for name in workplace.items
        },
        "annotators": {
            annotator: {
                "ability": float(ability),
                "error_rate": {
                    name: float(workplace.annotator_error_rates(name, np.array([ability]))[0])
                    for name in workplace.items
                },
            }
            for annotator, ability in zip(simulation.annotators, simulation.abilities, strict=True)
        },
        "items": {
            item_id: {"answer": answer, "hardness": float(hardness)}
            for item_id, answer, hardness in zip(
                simulation.item_ids, simulation.answers, simulation.hardness, strict=True
            )
        },
    }
