from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from budget.worlds.generated import (
    WorldRecipe,
    draw_recipe,
    generate,
    generated_worlds,
    stratum_names,
)

SMALL = WorldRecipe(seed=1, pool=30, hard_pool=20, test=10, latent=12, nuisance=3)


def test_shapes() -> None:
    shared = generate(SMALL)
    assert shared.features.shape == (60, 1, 15)
    assert {name: pool.size for name, pool in shared.pools.items()} == {"easy": 30, "hard": 20}
    own = generate(replace(SMALL, own_choices=True, choices=4, strata=3))
    assert own.features.shape == (90, 4, 15)
    assert own.features.dtype == np.float32
    assert own.strata == ("easy", "medium", "hard")


def test_the_same_recipe_gives_the_same_items() -> None:
    assert generate(SMALL).fingerprint == generate(SMALL).fingerprint
    assert generate(SMALL).fingerprint != generate(replace(SMALL, seed=2)).fingerprint


@pytest.mark.parametrize("own_choices", [False, True])
@pytest.mark.parametrize("transfer", [0.0, 0.6, 1.0])
def test_directions_agree_as_far_as_asked(own_choices: bool, transfer: float) -> None:
    recipe = WorldRecipe(
        seed=3, transfer=transfer, own_choices=own_choices, easy_margin=3.0, hard_margin=3.0,
        pool=20_000, hard_pool=20_000, test=10, latent=12, nuisance=0,
    )  # fmt: skip
    items = generate(recipe)

    def direction(name: str) -> NDArray[np.float64]:
        pool = items.pools[name]
        features, answers = items.features[pool], items.answers[pool]
        if own_choices:
            rows = np.arange(pool.size)
            return np.asarray(
                (features[rows, answers] - features[rows, 1 - answers]).mean(0), float
            )
        flat = features[:, 0]
        return np.asarray(flat[answers == 1].mean(0) - flat[answers == 0].mean(0), float)

    # The mixing is the same for both strata; it is undone by what the noise's covariance shows.
    hard = items.pools["hard"]
    answers = items.answers[hard]
    noise = items.features[hard, 1 - answers if own_choices else 0].astype(float)
    if not own_choices:
        for k in range(2):
            noise[answers == k] -= noise[answers == k].mean(0)
    inverse = np.linalg.inv(np.cov(noise.T))
    easy, hard_direction = direction("easy"), direction("hard")
    cosine = easy @ inverse @ hard_direction
    cosine /= np.sqrt((easy @ inverse @ easy) * (hard_direction @ inverse @ hard_direction))
    assert cosine == pytest.approx(transfer, abs=0.05)


def test_impossible_recipes() -> None:
    with pytest.raises(ValueError, match="room to turn"):
        generate(replace(SMALL, choices=7))


def test_names_of_strata() -> None:
    assert stratum_names(2) == ("easy", "hard")
    assert stratum_names(4) == ("easy", "medium1", "medium2", "hard")


def test_the_family_varies_and_stays_the_same() -> None:
    worlds = list(islice(generated_worlds(), 60))
    assert [own.name for own in worlds] == [own.name for own in islice(generated_worlds(), 60)]
    assert len({own.name for own in worlds}) == 60
    recipes = [draw_recipe(number)[0] for number in range(60)]
    assert {own.choices for own in recipes} == {2, 3, 4}
    assert {own.strata for own in recipes} == {2, 3}
    assert {0.0, 1.0} < {own.transfer for own in recipes}
