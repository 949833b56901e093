"""Hidden states for the probe: labelmix against the plain `output_hidden_states=True` loop.

Wanted of every choice: the middle and the last hidden state at the last token of prompt + choice.
The plain loop, as it is usually written, runs every (prompt, choice) pair as one row, takes the
states of all layers and positions to main memory, and picks from there. Same random Llama in
memory, same texts, one thread; the arrays must be equal to 1e-4. Bytes are those of the tensors
that are kept of a pass and taken to main memory. Generated items, as ARC has them.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from _machine import interleaved_medians, write_result
from _measure import counted_work, fitted_exponent
from _models import SMALL, GeneratedItems, Language, random_llama
from training.item_states import probe_layers
from training.models.load import LoadedModel, set_threads
from training.models.quiet import quiet_libraries
from training.prompts import DEFAULT_PROMPT
from training.scoring.choices import encode_items, scored_batches

TOLERANCE = 1e-4
ITEMS, REPETITIONS = 24, 3
BATCH_SIZES = (4, 8, 16)  # rows, of which the plain loop gets its fastest
GROWING_ITEMS, GROWING_LAYERS = (6, 12, 24), (4, 8, 16)

Array = NDArray[np.float32]


def ours(loaded: LoadedModel, items: GeneratedItems) -> tuple[Array, int]:
    """Texts to states (items, choices, layers, width), and the bytes kept of all passes."""
    layers = probe_layers(loaded)
    encoded = encode_items(loaded, items.questions, items.choices, items.item_ids)
    most = max(len(own) for own in items.choices)
    shape = (len(encoded), most, len(layers), int(loaded.model.config.hidden_size))
    found, moved = np.zeros(shape, dtype=np.float32), 0
    for batch, scored in scored_batches(loaded, encoded, layers):
        assert scored.states is not None
        states = scored.states.cpu()
        moved += states.nbytes
        found[batch, : states.shape[1]] = states.numpy()
    return found, moved


@torch.no_grad()
def plain(loaded: LoadedModel, items: GeneratedItems, rows: int) -> tuple[Array, int]:
    """The same by the plain loop, in batches of so many pairs."""
    layers = probe_layers(loaded)
    tokenizer = loaded.tokenizer
    tokenizer.padding_side = "left"
    pairs = [
        (index, slot, DEFAULT_PROMPT.text(question, own) + DEFAULT_PROMPT.answer(choice))
        for index, (question, own) in enumerate(zip(items.questions, items.choices, strict=True))
        for slot, choice in enumerate(own)
    ]
    most = max(len(own) for own in items.choices)
    shape = (len(items.questions), most, len(layers), int(loaded.model.config.hidden_size))
    found, moved = np.zeros(shape, dtype=np.float32), 0
    for start in range(0, len(pairs), rows):
        batch = pairs[start : start + rows]
        padded = tokenizer([text for *_, text in batch], padding=True, return_tensors="pt")
        padded = padded.to(loaded.device)
        output = loaded.model(
            input_ids=padded["input_ids"],
            attention_mask=padded["attention_mask"],
            position_ids=(padded["attention_mask"].cumsum(1) - 1).clamp(min=0),
            output_hidden_states=True,
        )
        stacked = torch.stack(output.hidden_states, dim=1).cpu()  # (rows, layers, tokens, width)
        moved += stacked.nbytes
        for row, (index, slot, _) in enumerate(batch):
            found[index, slot] = stacked[row, layers, -1].numpy()
    return found, moved


def fastest_batch(loaded: LoadedModel, items: GeneratedItems) -> int:
    """Rows of a batch that suit the plain loop best."""
    timings = interleaved_medians(
        {str(rows): partial(plain, loaded, items, rows) for rows in BATCH_SIZES}, 1
    )
    return min(BATCH_SIZES, key=lambda rows: timings[str(rows)]["median"])


def compare(loaded: LoadedModel, items: GeneratedItems, rows: int, repeated: int) -> dict[str, Any]:
    """Both on the same items: equality, seconds, bytes and tokens."""
    with counted_work(loaded.model) as our_work:
        mine, mine_moved = ours(loaded, items)
    with counted_work(loaded.model) as plain_work:
        theirs, theirs_moved = plain(loaded, items, rows)
    difference = float(np.abs(mine - theirs).max())
    assert difference <= TOLERANCE, f"hidden states differ by {difference:.2e}"
    assert np.abs(mine).max() > 1000 * TOLERANCE, "there is nothing to compare"
    timings = interleaved_medians(
        {
            "labelmix": lambda: ours(loaded, items),
            "plain loop": lambda: plain(loaded, items, rows),
        },
        repeated,
    )
    seconds = {name: timing["median"] for name, timing in timings.items()}
    count = len(items.questions)
    return {
        "items": count,
        "layers": int(loaded.model.config.num_hidden_layers),
        "rows": rows,
        "ratio_seconds": seconds["plain loop"] / seconds["labelmix"],
        "ratio_bytes": theirs_moved / mine_moved,
        "items_per_second": {name: count / value for name, value in seconds.items()},
        "bytes": {"labelmix": mine_moved, "plain loop": theirs_moved},
        "tokens_computed": {"labelmix": our_work.tokens, "plain loop": plain_work.tokens},
        "largest_difference": difference,
        "timings": timings,
    }


def growth(name: str, records: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """Exponents of seconds and bytes of both sides in what grew."""
    sizes = list(records)
    grown: dict[str, Any] = {"sizes": sizes}
    for side in ("labelmix", "plain loop"):
        seconds = [record["timings"][side]["median"] for record in records.values()]
        moved = [record["bytes"][side] for record in records.values()]
        grown[side] = {
            "seconds": seconds,
            "bytes": moved,
            "exponent_seconds": fitted_exponent(sizes, seconds),
            "exponent_bytes": fitted_exponent(sizes, moved),
        }
        print(
            f"growth with {name} {sizes}, {side}: seconds ** "
            f"{grown[side]['exponent_seconds']:.2f}, bytes ** {grown[side]['exponent_bytes']:.2f}"
        )
    return grown


def main() -> None:
    """Compare on one size, then let items and layers grow."""
    quiet_libraries()
    set_threads()
    language = Language()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loaded = random_llama(folder / "model", SMALL, language)
        parameters = sum(weights.numel() for weights in loaded.model.parameters())
        print(
            f"Llama of {parameters / 1e6:.0f} million parameters, {torch.get_num_threads()} thread"
        )
        rows = fastest_batch(loaded, language.items(4, seed=3))
        record = compare(loaded, language.items(ITEMS, seed=0), rows, REPETITIONS)
        _show(record)
        by_items = {
            count: compare(loaded, language.items(count, seed=2), rows, 1)
            for count in GROWING_ITEMS
        }
        by_layers = {}
        for layers in GROWING_LAYERS:
            deeper = random_llama(folder / str(layers), replace(SMALL, layers=layers), language)
            by_layers[layers] = compare(deeper, language.items(6, seed=2), rows, 1)
    grown = {"items": growth("items", by_items), "layers": growth("layers", by_layers)}
    write_result(
        "hidden_states",
        {"parameters": parameters, "tolerance": TOLERANCE, "comparison": record, "growth": grown},
    )


def _show(record: Mapping[str, Any]) -> None:
    print(f"{record['items']} items of 4 choices, the plain loop in batches of {record['rows']}")
    for name, rate in record["items_per_second"].items():
        tokens, moved = record["tokens_computed"][name], record["bytes"][name]
        print(
            f"  {name:12s} {rate:7.2f} items/s, {tokens:7d} tokens computed, {moved / 1e6:9.2f} MB"
        )
    print(f"  largest difference of a state: {record['largest_difference']:.1e}")
    print("seconds")
    print(f"ratio: {record['ratio_seconds']:.1f}")
    print("bytes kept and moved")
    print(f"ratio: {record['ratio_bytes']:.0f}")


if __name__ == "__main__":
    main()
