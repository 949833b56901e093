"""Zero-shot scores and probe features in one pass, against a pass for each, and against a harness.

SmolLM2 on ARC questions in float32, one thread. Two passes are labelmix's own: scores alone, then
features. All are timed in turns on slices of the same items, by the seconds that the process
computed: a busy machine lengthens the clock's. Scores and features of one pass must equal those of
two to 1e-4. lm-evaluation-harness scores the same items by the same prompt, its whole
`simple_evaluate` timed once; log-probabilities must be equal to 1e-4 and 1e-5 of their size, and
its accuracy must be ours.

    python benchmarks/one_pass.py --data FOLDER

FOLDER holds ARC as the source `arc` reads it: ARC-Easy/, ARC-Challenge/ and annotations.json.
Without it nothing is measured.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from _harness import Harness
from _machine import write_result
from _models import GeneratedItems
from annotation.sources.arc import load_arc
from training.features import FeatureStore, parts_of
from training.hardness.pool import Pool
from training.item_states import DecoderReader, probe_layers
from training.models.load import LoadedModel, load_model, set_threads
from training.models.quiet import quiet_libraries
from training.models.source import ModelSource, find_model
from training.prompts import Prompt, find_prompt

TOLERANCE, RELATIVE = 1e-4, 1e-5
SLICES = 6
HARNESS_BATCH = 8


class Contest:
    """One pass and two passes over the same items, slice by slice.

    Both start from texts, in parts of as many items; the one pass ends in files on the disk, too.
    """

    def __init__(
        self, items: pd.DataFrame, source: ModelSource, loaded: LoadedModel, prompt: Prompt
    ) -> None:
        self._items, self._source, self._loaded, self._prompt = items, source, loaded, prompt
        self.seconds = {"one pass": 0.0, "two passes": 0.0}

    def run(self, folder: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Largest differences of scores and features, and all scores (items, choices)."""
        pool = Pool(self._items)
        store = FeatureStore(folder, pool, self._source, self._prompt)
        most = int(pool.choice_counts.max())
        layers = probe_layers(self._loaded)
        reader = DecoderReader(self._loaded, self._prompt, most, layers, lambda *_: None)
        reader.choices(self._items.iloc[:2])  # the first call checks the model
        scores, differences = [], []
        for number, part in enumerate(np.array_split(np.arange(len(self._items)), SLICES)):
            both: dict[str, Any] = {}

            def one(part: Any = part, both: dict[str, Any] = both) -> None:  # noqa: ANN401
                both["scores"] = store.scores(part, lambda: self._loaded).rows
                both["features"] = store.get(part, lambda: self._loaded)

            def two(part: Any = part, both: dict[str, Any] = both) -> None:  # noqa: ANN401
                rows = [self._items.iloc[own] for own in parts_of(part)]
                both["scores alone"] = np.concatenate([reader.scores(own) for own in rows])
                rows = [self._items.iloc[own] for own in parts_of(part)]
                both["features alone"] = np.concatenate([reader.choices(own)[0] for own in rows])

            turns = [("one pass", one), ("two passes", two)]
            for name, contestant in turns[:: 1 if number % 2 else -1]:
                self.seconds[name] += _computed(contestant)
            names = ("scores", "features")
            pairs = [(both[name], both[f"{name} alone"]) for name in names]
            differences.append([float(np.abs(a - b).max()) for a, b in pairs])
            scores.append(both["scores"][:, 0])
            ratio = self.seconds["two passes"] / self.seconds["one pass"]
            print(f"{part[-1] + 1} items: {self.seconds}, ratio {ratio:.2f}", flush=True)
        return np.max(differences, axis=0), np.concatenate(scores)


def _computed(run: Callable[[], object]) -> float:
    """Seconds that this process computed."""
    started = time.process_time()
    run()
    return time.process_time() - started


def main() -> None:
    """Compare, check that all come to the same, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("LABELMIX_DATA", "")) / "ai2_arc",
        help="folder of ARC, as the source arc reads it; default: ai2_arc in LABELMIX_DATA",
    )
    parser.add_argument("--model", default="smollm2", help="a decoder; default smollm2")
    parser.add_argument("--items", type=int, default=600, help="how many, drawn by chance")
    parser.add_argument("--prompt", default="0306-mended", help="by its version")
    asked = parser.parse_args()
    if not (asked.data / "annotations.json").is_file():
        print("no data of ARC: nothing is measured; give --data FOLDER, or set LABELMIX_DATA")
        return
    quiet_libraries()
    set_threads()
    items = load_arc(data_dir=str(asked.data)).sample(asked.items, random_state=0)
    items = items.reset_index(drop=True)
    source = find_model(asked.model, "float32")
    loaded = load_model(source, device="cpu")
    prompt = find_prompt(asked.prompt, source.label)
    contest = Contest(items, source, loaded, prompt)
    with tempfile.TemporaryDirectory() as name:
        differences, scores = contest.run(Path(name) / "features")
        assert (differences <= TOLERANCE).all(), differences
        texts = GeneratedItems(
            items["question"].tolist(),
            [list(own) for own in items["choices"]],
            items["answer"].astype(int).tolist(),
        )
        harness = Harness(Path(name) / "harness", loaded, texts, texts, prompt)
        found: list[Any] = []
        harness_seconds = _computed(partial(_evaluate, harness, found))
    [theirs] = found
    expected = theirs.scores.numpy()
    largest = float(np.abs(scores[:, : expected.shape[1]] - expected).max())
    near = np.allclose(scores[:, : expected.shape[1]], expected, RELATIVE, TOLERANCE)
    assert near, f"log-probabilities differ by {largest:.2e}"
    accuracy = float((scores.argmax(1) == items["answer"].to_numpy(dtype=np.int64)).mean())
    assert accuracy == theirs.accuracy, f"accuracy {accuracy} and {theirs.accuracy}"
    one = contest.seconds["one pass"]
    ratio = contest.seconds["two passes"] / one
    payload = {
        "model": source.label,
        "items": len(items),
        "prompt": prompt.version,
        "ratio": ratio,
        "ratio_to_harness": harness_seconds / one,
        "process_seconds": {**contest.seconds, "lm-evaluation-harness": harness_seconds},
        "accuracy": {"labelmix": accuracy, "lm-evaluation-harness": theirs.accuracy},
        "largest_difference": {
            "scores": float(differences[0]),
            "features": float(differences[1]),
            "scores_to_harness": largest,
        },
    }
    write_result("one_pass", payload)
    print(f"ratio: {ratio:.2f}, against the harness {harness_seconds / one:.2f}, {accuracy:.1%}")


def _evaluate(harness: Harness, found: list[Any]) -> None:
    found.append(harness.evaluate(0, HARNESS_BATCH))


if __name__ == "__main__":
    main()
