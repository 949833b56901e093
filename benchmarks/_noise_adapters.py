"""QLoRA on pico, towards every kind of target: a small run beside that of the probes."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from _noise_conditions import Arm, Condition, Real, buy, targets_of
from _noise_worlds import World
from training.models.source import find_model
from training.scoring.choices import EncodedItem, score_items
from training.targets.make import entropy_uncertainty
from training.tuning.qlora import QloraSettings, encode_for_tuning, load_for_tuning, train_and_score

SEEDS = 6
CONDITIONS = (Condition("mixed", 160, 0.3), Condition("mixed", 160, 0.3, judges=3))
# pico has under a million parameters: it needs larger steps than the default.
SETTINGS = QloraSettings(rank=8, alpha=16, batch=8, least_updates=120, learning_rate=2e-3)


def measure_adapters(world: World) -> Iterator[dict[Condition, dict[Arm, NDArray[np.bool_]]]]:
    """Condition by condition: arm -> which test items are right, (seeds, test items).

    The uncertainty of an item with one judgment is the untrained model's.
    """
    loaded = load_for_tuning(find_model("pico"))
    table = world.items
    encoded = encode_for_tuning(
        loaded,
        table["question"].tolist(),
        table["choices"].tolist(),
        table["item_id"].tolist(),
    )
    test = [encoded[row] for row in world.test]
    own = [item for item in encoded if isinstance(item, EncodedItem)]
    untrained = score_items(loaded, own).softmax(1).double().numpy()
    entropies: Real = entropy_uncertainty(untrained, world.choice_counts)
    for condition in CONDITIONS:
        arms: tuple[Arm, ...] = ("hard_labels", *condition.arms())
        of_arm: dict[Arm, NDArray[np.bool_]] = {}
        for arm in arms:
            right = []
            for seed in range(SEEDS):
                bought = buy(world, condition, seed)
                uncertainties = entropies[bought.rows] if condition.judges == 1 else None
                targets = targets_of(world, arm, bought, uncertainties)
                scores = train_and_score(
                    loaded,
                    [encoded[row] for row in bought.rows],
                    targets.probabilities,
                    test,
                    SETTINGS,
                    seed,
                    redraw_rates=targets.redraw_rates,
                )
                right.append(scores.argmax(1).numpy() == world.answers[world.test])
            of_arm[arm] = np.stack(right)
        yield {condition: of_arm}
