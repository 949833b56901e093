"""Generated feature worlds: how far easy labels teach the target is set, so it is known.

An item of class k in a stratum has features  margin * d_k + noise,  with noise of unit variance in
every latent direction. The directions d_k of a stratum agree with the target's by a cosine of
`transfer`: 1 is full transfer, and labels of the wider margin are then the better teachers; 0 is
none. Where items have choices of their own, the right choice lies `margin` along one direction.
Nuisance features, which share few factors and say nothing of the class, stand beside the latent
ones; a mixing matrix correlates the latent ones with each other.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import partial

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from budget.worlds.conditions import BUDGETS, COST_RATIOS, ERROR_RATES, Condition
from budget.worlds.world import LabelledItems, World

FAMILY = "generated"
TRANSFERS = (0.0, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0)
_FACTORS = 3  # that the nuisance features share
_STREAM = 0x3A11


@dataclass(frozen=True)
class WorldRecipe:
    """What makes a generated world; `transfer` and margins run evenly from easy to hard.

    `own_choices`: items have choices of their own, else they share `choices` classes.
    """

    seed: int
    strata: int = 2
    choices: int = 2
    own_choices: bool = False
    transfer: float = 1.0
    easy_margin: float = 2.0
    hard_margin: float = 1.0
    latent: int = 32
    nuisance: int = 8
    pool: int = 2000  # items for sale of every stratum but the target
    hard_pool: int = 2000
    test: int = 1000


def stratum_names(strata: int) -> tuple[str, ...]:
    """Names of so many strata: easy, medium (medium1, medium2, ...), hard."""
    between = [f"medium{number}" if strata > 3 else "medium" for number in range(1, strata - 1)]
    return ("easy", *between, "hard")


def generate(recipe: WorldRecipe) -> LabelledItems:
    """Draw the items of a recipe; the same recipe gives the same items.

    Raises ValueError if there are fewer than two strata or choices, or too few latent features
    for the directions.
    """
    if recipe.strata < 2 or recipe.choices < 2 or recipe.latent < 2 * recipe.choices:
        raise ValueError(f"'recipe' should have 2 strata, 2 choices, room to turn; got {recipe}.")
    rng = np.random.default_rng([_STREAM, recipe.seed])
    heads = 1 if recipe.own_choices else recipe.choices
    # Orthonormal directions: the first are the target's, the others what easy labels teach instead.
    basis = np.linalg.qr(rng.standard_normal((recipe.latent, 2 * heads)))[0].T
    mixing = np.eye(recipe.latent) + 0.3 * rng.standard_normal((recipe.latent,) * 2) / np.sqrt(
        recipe.latent
    )
    loadings = rng.standard_normal((_FACTORS, recipe.nuisance))
    names = stratum_names(recipe.strata)
    features, answers, pools = [], [], {}
    start = 0
    for place, name in enumerate(names):
        way = place / (recipe.strata - 1)
        cosine = recipe.transfer + (1 - recipe.transfer) * way
        margin = recipe.easy_margin + (recipe.hard_margin - recipe.easy_margin) * way
        means = margin * (cosine * basis[:heads] + np.sqrt(1 - cosine**2) * basis[heads:])
        for_sale = recipe.hard_pool if name == names[-1] else recipe.pool
        count = for_sale + (recipe.test if name == names[-1] else 0)
        own = rng.integers(0, recipe.choices, count)
        features.append(_draw(recipe, means, own, mixing, loadings, rng))
        answers.append(own)
        pools[name] = np.arange(start, start + for_sale)
        start += count
    test = np.arange(start - recipe.test, start)
    return LabelledItems(
        name=f"{FAMILY} {recipe.seed}",
        features=np.concatenate(features),
        mask=np.ones((start, recipe.choices), dtype=bool),
        answers=np.concatenate(answers).astype(np.int64),
        pools=pools,
        target=names[-1],
        test=test,
        groups=np.arange(start).astype(str).astype(object),
    )


def _draw(
    recipe: WorldRecipe,
    means: Array,
    answers: NDArray[np.int64],
    mixing: Array,
    loadings: Array,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Features (items, choices or 1, latent + nuisance)."""
    shape = (answers.size, recipe.choices if recipe.own_choices else 1)
    latent = rng.standard_normal((*shape, recipe.latent))
    if recipe.own_choices:
        latent[np.arange(answers.size), answers] += means[0]
    else:
        latent[:, 0] += means[answers]
    factors = rng.standard_normal((*shape, _FACTORS))
    nuisance = factors @ loadings + rng.standard_normal((*shape, recipe.nuisance))
    return np.concatenate([latent @ mixing, nuisance], axis=2).astype(np.float32)


def draw_recipe(number: int) -> tuple[WorldRecipe, Condition]:
    """The recipe and the condition of the generated world of this number."""
    rng = np.random.default_rng([_STREAM, 1, number])
    own_choices = bool(rng.random() < 0.4)
    hard_margin = float(rng.uniform(0.9, 1.8))
    recipe = WorldRecipe(
        seed=number,
        strata=3 if rng.random() < 0.25 else 2,
        choices=int(rng.integers(2, 5)),
        own_choices=own_choices,
        transfer=float(rng.choice(TRANSFERS)),
        easy_margin=round(hard_margin * float(rng.uniform(1.0, 2.2)), 2),
        hard_margin=round(hard_margin, 2),
        latent=int(rng.choice([24, 40, 64])),
        nuisance=int(rng.choice([0, 8, 24])),
        hard_pool=int(rng.choice([700, 1200, 2000])),
    )
    condition = Condition(
        int(rng.choice(COST_RATIOS)),
        ERROR_RATES[int(rng.integers(len(ERROR_RATES)))],
        int(rng.choice(BUDGETS)),
    )
    return recipe, condition


def generated_worlds() -> Iterator[World]:
    """Generated worlds without end, always the same."""
    number = 0
    while True:
        recipe, condition = draw_recipe(number)
        yield generated_world(recipe, condition)
        number += 1


def generated_world(recipe: WorldRecipe, condition: Condition) -> World:
    """The world of a recipe under a condition."""
    names = stratum_names(recipe.strata)
    own = {name: value for name, value in asdict(recipe).items() if name != "seed"}
    return World(
        name=f"{FAMILY}-{recipe.seed:04d}-{condition.name}",
        family=FAMILY,
        terms=condition.terms(names),
        budget=Decimal(condition.budget),
        load=partial(generate, recipe),
        parameters={**own, **condition.parameters()},
    )
