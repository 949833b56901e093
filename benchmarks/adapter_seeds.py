"""How far adapters of the demo differ by luck: of the training, and of what was bought.

No claim of speed, but the evidence behind `[qlora]` of `budget/config/demo.toml`. Every purchase is
trained several times, from other adapters and in another order of items; the spread of those is
the training's own. Purchases differ in items and in the errors of their labels. `--before` measures
the settings that the demo had until then.
"""

import argparse
from dataclasses import asdict

import numpy as np

from _machine import write_result
from annotation.arrays import Array
from budget.config.prepare import prepare
from budget.config.templates import demo_config
from training.lab import Lab
from training.models.quiet import quiet_libraries
from training.running.answering import likeliest
from training.running.labels_of_trial import labels_of
from training.scoring.choices import encode_items
from training.tuning.qlora import QloraSettings, Tries, load_for_tuning, train_and_score

PURCHASES = ("easy=160", "easy=480", "hard=160", "hard=240")
BEFORE = QloraSettings(
    rank=8, alpha=16, batch=8, epochs=4, least_updates=120, learning_rate=2e-3, warm_up=0.05
)


def accuracies(
    lab: Lab, mix: dict[str, int], settings: QloraSettings, drawn: int, seeds: int
) -> Array:
    """Accuracy on the target's test items in points, (purchases, seeds of the training)."""
    task, items = lab.task, lab.task.items
    loaded = load_for_tuning(lab.source)
    encoded = encode_items(
        loaded, items["question"].tolist(), items["choices"].tolist(), items["item_id"].tolist()
    )
    test = task.test_positions[lab.on_target]
    found = np.empty((drawn, seeds))
    for purchase in range(drawn):
        labels = labels_of(lab.trial(lab.recipes["qlora"], mix, purchase), task)
        for seed in range(seeds):
            tries = Tries()
            scores = train_and_score(
                loaded,
                [encoded[row] for row in labels.positions],
                labels.labels,
                [encoded[row] for row in test],
                settings,
                1000 * purchase + seed,
                tries=tries,
            )
            picked, _ = likeliest(scores.double().numpy(), task, test)
            found[purchase, seed] = 100 * (picked == task.answers[test]).mean()
            again = f", begun anew {tries.restarts} times" if tries.restarts else ""
            print(f"{mix} {purchase} {seed}: {found[purchase, seed]:.1f} %{again}", flush=True)
    return found


def main() -> None:
    """Run, print the table and write the results."""
    parser = argparse.ArgumentParser(description="How far adapters of the demo differ by luck.")
    parser.add_argument("--before", action="store_true", help="the settings that were before")
    parser.add_argument("--purchases", type=int, default=3, help="drawn of every kind")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of every purchase")
    parser.add_argument("--labels", action="append", metavar="STRATUM=NUMBER")
    asked = parser.parse_args()
    quiet_libraries()
    config = demo_config()
    lab = prepare(config).lab
    own = {k: v for k, v in config.qlora.settings().items() if k != "objective"}
    settings = BEFORE if asked.before else QloraSettings(**own)
    rows = []
    for text in asked.labels or PURCHASES:
        name, number = text.split("=")
        found = accuracies(lab, {name: int(number)}, settings, asked.purchases, asked.seeds)
        within = float(np.sqrt(found.var(axis=1, ddof=1).mean()))
        between = float(found.mean(axis=1).std(ddof=1)) if asked.purchases > 1 else None
        rows.append(
            {
                "labels": text,
                "mean": float(found.mean()),
                "training_deviation": within,
                "deviation_of_purchases": between,
                "accuracies": found.round(2).tolist(),
            }
        )
        print(f"{text}: {found.mean():.1f} %, of one purchase {within:.1f}, between {between}")
    name = "adapter_seeds_before" if asked.before else "adapter_seeds"
    write_result(name, {"settings": asdict(settings), "purchases": rows})


if __name__ == "__main__":
    main()
