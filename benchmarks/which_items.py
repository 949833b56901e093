"""Which items to ask: judgments for the same accuracy on hard items, by doubt and at random.

Two measures. "model": hard test items that a probe answers right, trained on what was answered.
"labels": hard items whose own label is right, where a given set of items is to be labelled.

Random items with one and with three judgments each are the baseline; the ratio is to the better
one. Beside them ActiveLab (cleanlab) and BADGE (scikit-activeml), where installed. Real judgments
of medical_treat and rte_crowd come in an order drawn per seed. SST-5 has simulated annotators; so
have TREC and Subj, which nothing was tried on before.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import _selection_peers as peers
from _judgments_needed import gain, interval
from _machine import RESULTS, write_result
from _selection_worlds import DATA, WORLDS, Judged, World, symmetric_posteriors
from annotation.arrays import Array, IntArray
from budget.selection.choose import chosen_items
from budget.selection.settings import SelectionSettings
from budget.selection.state import AskableItems
from training.probes.batches import ProbeJob
from training.probes.out_of_fold import unseen_chances
from training.probes.probe import fit_probes, score_probes

PENALTIES = (1.0, 0.1, 0.01, 0.001)
ROUND, ROUNDS = 25, 16  # judgments of a round; twice as many where there are more than two classes
LABEL_ROUND = 50  # the same where labels are compared
PASSES = 8  # judgments per item in the mean, where labels are compared
RANDOM = {
    f"random, {count} each": SelectionSettings(method="random", judgments=count) for count in (1, 3)
}
DOUBT = {"doubt": SelectionSettings()}
BY_MODEL = {"doubt", "ActiveLab"}


class Play:
    """What was asked and answered under one seed."""

    def __init__(self, world: World, seed: int, rows: IntArray) -> None:
        self.world, self.seed, self.rows = world, seed, rows
        self.judged: Judged = world.judged(seed)
        self.votes = np.zeros(world.mask.shape)
        self.given = np.zeros(len(world.mask), dtype=np.int64)
        self.chances: Array | None = None
        self.spent = 0
        there = (self.judged.labels >= 0).sum(axis=1)
        self.most = np.where(np.isin(np.arange(there.size), rows), there, 0)

    @property
    def state(self) -> AskableItems:
        rows, world = self.rows, self.world
        return AskableItems(
            item_ids=[str(row) for row in rows],
            features=world.features[rows, 0],
            posteriors=self.posteriors(rows),
            choice_counts=world.mask[rows].sum(axis=1),
            given=self.given[rows],
            room=(self.most - self.given)[rows],
            error_rate=world.error_rate,
            predictions=None if self.chances is None else self.chances[rows],
        )

    def posteriors(self, rows: IntArray) -> Array:
        return symmetric_posteriors(self.votes[rows], self.world.error_rate)

    def ask(self, chosen: Sequence[tuple[int, int]]) -> None:
        for row, count in chosen:
            for _ in range(count):
                self.votes[row, self.judged.labels[row, self.given[row]]] += 1
                self.given[row] += 1
        self.spent += sum(count for _, count in chosen)

    def job(self) -> ProbeJob:
        rows = np.flatnonzero(self.given)
        return ProbeJob(rows, self.posteriors(rows))


Way = Callable[[Play, int, int], list[tuple[int, int]]]


def ours(settings: SelectionSettings) -> Way:
    def choose(play: Play, number: int, turn: int) -> list[tuple[int, int]]:
        seed = 1000 * play.seed + turn
        return [(int(row), n) for row, n in chosen_items(play.state, number, seed, settings)]

    return choose


def by_activelab(play: Play, number: int, turn: int) -> list[tuple[int, int]]:
    rng = np.random.default_rng([play.seed, turn])
    open_items = np.flatnonzero(play.most > play.given)
    chosen = None
    if play.chances is not None:
        chosen = peers.activelab(
            *(play.judged.labels, play.judged.annotators, play.given, play.chances),
            *(open_items, number, rng),
        )
    if chosen is None:
        new = open_items[play.given[open_items] == 0]
        chosen = rng.permutation(new if new.size else open_items)[:number]
    return [(int(row), 1) for row in chosen]


def by_badge(play: Play, number: int, turn: int) -> list[tuple[int, int]]:
    rng = np.random.default_rng([play.seed, turn])
    new = np.flatnonzero((play.given == 0) & (play.most > 0))
    if not turn or new.size < number:
        return ours(RANDOM["random, 1 each"])(play, number, turn)
    labels = np.where(play.given > 0, play.votes.argmax(axis=1), -1)
    rows = play.world.features[:, 0].astype(np.float64)
    rows = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-9)
    rows /= np.sqrt(rows.shape[1])
    classes = play.world.mask.shape[1]
    seed = int(rng.integers(2**31))
    return [(int(row), 1) for row in peers.badge(rows, labels, classes, new, number, seed)]


def model_curve(world: World, way: Way, seeds: int, by_model: bool) -> NDArray[np.bool_]:
    """Which hard test items the probe answers right, (rounds, seeds, test items).

    `by_model`: the way looks at what a probe says of the items.
    """
    plays = [Play(world, seed, world.pool) for seed in range(seeds)]
    number = round_of(world)
    found = []
    for turn in range(ROUNDS):
        for play in plays:
            play.ask(way(play, number, turn))
        jobs = [play.job() for play in plays]
        if by_model:
            fits = unseen_chances(world.features, world.mask, jobs, turn, PENALTIES)
            probes = [fit.probe for fit in fits]
            for play, fit in zip(plays, fits, strict=True):
                play.chances = fit.chances
        else:
            probes = fit_probes(world.features, world.mask, jobs, PENALTIES)
        scores = score_probes(probes, world.features[world.test], world.mask[world.test])
        found.append(scores.argmax(axis=2) == world.answers[world.test])
    return np.stack(found)


def label_curve(
    world: World, settings: SelectionSettings, seeds: int
) -> tuple[NDArray[np.bool_], Array]:
    """Which hard items have the right label, (checkpoints, seeds, hard items); judgments spent.

    Of equally likely labels one is drawn.
    """
    rows = world.labelled
    steps = [rows.size * quarter // 4 for quarter in range(4, 4 * PASSES + 1)]
    found, spent = [], []
    for seed in range(seeds):
        play, turn = Play(world, seed, rows), 0
        ties = np.random.default_rng([seed, 1]).random(play.votes.shape)
        right, used = [], []
        for goal in steps:
            while play.spent < goal:
                chosen = ours(settings)(play, min(LABEL_ROUND, goal - play.spent), turn)
                if not chosen:
                    break
                play.ask(chosen)
                turn += 1
            likely = play.posteriors(rows) + 1e-9 * ties[rows]
            right.append((likely.argmax(axis=1) == world.answers[rows])[world.hard])
            used.append(play.spent)
        found.append(right)
        spent.append(used)
    return np.moveaxis(np.array(found), 0, 1), np.mean(spent, axis=0)


def round_of(world: World) -> int:
    """Judgments of a round: more where there are more classes to tell apart."""
    return ROUND * (2 if world.mask.shape[1] > 2 else 1)


def compared(
    curves: dict[str, NDArray[np.bool_]], spent: Array, of: Sequence[str]
) -> dict[str, Any]:
    """Accuracies, and judgments needed over those of each random way and of the better one."""
    means = {name: curve.mean(axis=(1, 2)) for name, curve in curves.items()}
    found: dict[str, Any] = {
        "judgments": spent.tolist(),
        "accuracy": {name: mean.round(4).tolist() for name, mean in means.items()},
        "better_random": max(RANDOM, key=lambda name: means[name].mean()),
        "needed": {},
        "gain": {},
    }
    for name in of:
        found["needed"][name], found["gain"][name] = {}, {}
        for other in RANDOM:
            seeds = min(curves[name].shape[1], curves[other].shape[1])
            ratio = interval(curves[name][:, :seeds], curves[other][:, :seeds], spent)
            found["needed"][name][other] = ratio and [round(value, 3) for value in ratio]
            more = gain(curves[name][:, :seeds], curves[other][:, :seeds])
            found["gain"][name][other] = [round(value, 4) for value in more]
    return found


def measure_model(world: World, seeds: int, peer_seeds: int) -> dict[str, Any]:
    ways: dict[str, tuple[Way, int]] = {
        name: (ours(settings), seeds) for name, settings in (RANDOM | DOUBT).items()
    }
    if peer_seeds and not peers.missing():
        ways |= {"ActiveLab": (by_activelab, peer_seeds), "BADGE": (by_badge, peer_seeds)}
    curves = {
        name: model_curve(world, way, count, name in BY_MODEL)
        for name, (way, count) in ways.items()
    }
    spent = (round_of(world) * np.arange(1, ROUNDS + 1)).astype(np.float64)
    found = compared(curves, spent, [name for name in ways if name not in RANDOM])
    return found | {"seeds": {name: count for name, (_, count) in ways.items()}}


def measure_labels(world: World, seeds: int) -> dict[str, Any]:
    """By doubt without stopping, for the ratio; and where it stops when left to itself."""
    goes_on = SelectionSettings(random_share=0.0, clear=1.0)
    ways = RANDOM | {"doubt": goes_on}
    found = {name: label_curve(world, settings, seeds) for name, settings in ways.items()}
    spent = found["doubt"][1]
    result = compared({name: curve for name, (curve, _) in found.items()}, spent, ["doubt"])
    stopped, used = label_curve(world, SelectionSettings(random_share=0.0), seeds)
    return result | {
        "items": int(world.labelled.size),
        "stops_at": {"judgments": float(used[-1]), "accuracy": float(stopped[-1].mean())},
        "seeds": seeds,
    }


def show(name: str, measure: str, result: dict[str, Any]) -> None:
    better = result["better_random"]
    print(f"{name}, {measure}: better at random is '{better}'")
    for way, accuracy in result["accuracy"].items():
        marks = " ".join(f"{value:.3f}" for value in accuracy[3::4])
        ratio = result["needed"].get(way, {}).get(better)
        text = "" if ratio is None else "  needs {} ({} to {}) of its judgments".format(*ratio)
        more = result["gain"].get(way, {}).get(better)
        text += "" if more is None else "; {:+.4f} ({:+.4f} to {:+.4f})".format(*more)
        print(f"  {way:16} {marks}{text}", flush=True)


def earlier(name: str) -> dict[str, Any]:
    """Worlds that were measured before; those named now are measured anew."""
    path = RESULTS / f"{name}.json"
    text = path.read_text(encoding="utf-8") if path.is_file() else "{}"
    found = json.loads(text, parse_constant=lambda _: None)
    return {world: found[world] for world in WORLDS if world in found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", nargs="*", default=list(WORLDS))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--peer-seeds", type=int, default=6)
    parser.add_argument("--features", type=Path, default=Path("runs/which_items"))
    parser.add_argument("--result", default="which_items")
    options = parser.parse_args()
    if not DATA.is_dir():
        print(f"nothing measured: it takes the data sets in {DATA} (LABELMIX_DATA names another).")
        return
    if peers.missing() and options.peer_seeds:
        print(
            f"ActiveLab and BADGE are left out: {', '.join(peers.missing())} not installed; "
            "pip install 'labelmix[bench]'."
        )
    results = earlier(options.result)
    for name in options.worlds:
        world = WORLDS[name](options.features)
        results[name] = {"error_rate": world.error_rate}
        for measure, found in (
            ("labels", measure_labels(world, options.seeds)),
            ("model", measure_model(world, options.seeds, options.peer_seeds)),
        ):
            results[name][measure] = found
            show(name, measure, found)
        write_result(options.result, {name: results[name] for name in WORLDS if name in results})


if __name__ == "__main__":
    main()
