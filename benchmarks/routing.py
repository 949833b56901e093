"""Which items a machine may label: people's labels for the same bound, beside pac-labels.

The peer is the code of Candès, Ilyas and Zrnic (arXiv 2506.10908, MIT),
github.com/tijana-zrnic/pac-labels. It is no package: give the path of its pac_utils.py with --peer.
Both get the same sentences, answers and confidences, the same bound and a seed per draw. How many
items it draws to check is varied, and its interval is the one that assumes large samples, which
asks for fewer labels than the other.
"""

import argparse
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from _machine import write_result
from annotation.machines.labels import MachineLabels, read_machine_labels
from annotation.machines.routing import Promise, route

CHECKS = (150, 250, 500)
DATA = Path("../shared/data/stance_llm/items.jsonl")


def ours(labels: MachineLabels, promise: Promise, draws: int) -> dict[str, Any]:
    """Shares that people label, and of wrong labels, over draws."""
    people, wrong = [], []
    for seed in range(draws):
        found = route(labels, promise, seed)
        assert found.is_decided
        people.append(found.by_people.mean())
        wrong.append((found.by_machine & (labels.said != labels.people)).mean())
    return summary(people, wrong, promise)


def theirs(
    peer: ModuleType, labels: MachineLabels, promise: Promise, draws: int, checks: int
) -> dict[str, Any]:
    """The same by pac-labels: items to check are drawn with one probability for all."""
    people, wrong = [], []
    for seed in range(draws):
        np.random.seed(seed)  # noqa: NPY002 - it draws from numpy's global stream
        noise = np.random.default_rng(seed).normal(size=len(labels))
        doubt = 1 - labels.confidence + 1e-5 * noise
        given, asked, _ = peer.pac_labeling(
            labels.people,
            labels.said,
            peer.zero_one_loss,
            promise.error_at_most,
            1 - promise.sure,
            doubt,
            np.ones(len(labels)),
            checks,
            asymptotic=True,
        )
        people.append(asked.mean())
        wrong.append((given != labels.people).mean())
    return summary(people, wrong, promise)


def summary(people: list[float], wrong: list[float], promise: Promise) -> dict[str, Any]:
    kept = [own <= promise.error_at_most for own in wrong]
    return {
        "people": round(float(np.mean(people)), 4),
        "people_sd": round(float(np.std(people)), 4),
        "wrong": round(float(np.mean(wrong)), 4),
        "bound_kept": round(float(np.mean(kept)), 4),
        "draws": len(people),
    }


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("pac_utils", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=Path, default=DATA)
    parser.add_argument("--peer", type=Path, help="pac_utils.py of pac-labels")
    parser.add_argument("--draws", type=int, default=300)
    options = parser.parse_args()
    labels = read_machine_labels(options.items, "llm_label", "llm_confidence", "answer")
    found: dict[str, Any] = {
        "items": len(labels),
        "machine_wrong": round(float((labels.said != labels.people).mean()), 4),
    }
    peer = None if options.peer is None else load(options.peer)
    for share in (0.05, 0.1):
        promise = Promise(share, 0.95)
        own: dict[str, Any] = {"labelmix": ours(labels, promise, 5 * options.draws)}
        for checks in CHECKS if peer is not None else ():
            assert peer is not None
            own[f"pac-labels, {checks} checks"] = theirs(
                peer, labels, promise, options.draws, checks
            )
        for name, result in own.items():
            print(share, name, result)
        found[f"error_at_most_{share:g}"] = own
    write_result("routing", found)


if __name__ == "__main__":
    main()
