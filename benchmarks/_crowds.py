"""Published crowds whose truth is known: judgments and right answers as arrays."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import IntArray
from annotation.judgments.table import validate_judgments
from annotation.truth.coding import NO_GOLD, Coded, code_judgments

ROOT = Path(__file__).parent.parent
SIX = ("RTE", "medical relations", "face sentiment", "duck", "product", "dog")


@dataclass(frozen=True)
class Crowd:
    """Judgments of items with a known answer, and that answer's code, (items,)."""

    name: str
    coded: Coded
    truth: IntArray

    @property
    def is_wrong(self) -> NDArray[np.bool_]:
        """Of every judgment, (judgments,)."""
        return np.asarray(self.coded.label != self.truth[self.coded.item])

    @property
    def wrong(self) -> float:
        """Share of judgments that are wrong."""
        return float(self.is_wrong.mean())

    def with_gold(self, items: int, rng: np.random.Generator) -> Coded:
        """The judgments where so many items, drawn, are gold."""
        gold = np.full(self.truth.size, NO_GOLD)
        answered = np.flatnonzero(self.truth != NO_GOLD)
        chosen = rng.choice(answered, min(items, answered.size), replace=False)
        gold[chosen] = self.truth[chosen]
        return replace(self.coded, gold=gold)

    def only(self, judgments: NDArray[np.bool_]) -> "Crowd":
        """The crowd with these judgments alone, (judgments,)."""
        item, person = self.coded.item[judgments], self.coded.annotator[judgments]
        texts = np.array(self.coded.shared, dtype=object)
        table = pd.DataFrame(
            {
                "item_id": self.coded.item_ids[item],
                "annotator": self.coded.annotators[person],
                "label": texts[self.coded.label[judgments]],
            }
        ).astype(object)
        answered = np.flatnonzero(self.truth != NO_GOLD)
        right = zip(self.coded.item_ids[answered], texts[self.truth[answered]], strict=True)
        truth = {str(item): str(answer) for item, answer in right}
        return crowd(self.name, table, truth)

    def thinned(self, per_item: int, rng: np.random.Generator) -> "Crowd":
        """So many judgments of every item, drawn."""
        order = np.lexsort([rng.random(self.coded.item.size), self.coded.item])
        item = self.coded.item[order]
        first = np.flatnonzero(np.r_[True, np.diff(item) != 0])
        rank = np.arange(item.size) - np.repeat(first, np.diff(np.r_[first, item.size]))
        kept = np.zeros(item.size, dtype=bool)
        kept[order[rank < per_item]] = True
        return self.only(kept)

    def uneven(self, share: float, rng: np.random.Generator) -> "Crowd":
        """So many items left out that the commonest of two classes has this share of the rest."""
        common = int(np.bincount(self.truth[self.truth != NO_GOLD]).argmax())
        others = np.flatnonzero(self.truth != common)
        many = round(int((self.truth == common).sum()) * (1 - share) / share)
        kept = self.truth == common
        kept[rng.choice(others, min(many, others.size), replace=False)] = True
        return self.only(kept[self.coded.item])

    def halves(self, rng: np.random.Generator) -> tuple["Crowd", float]:
        """Half of the people, and the share of the other half's judgments that are wrong.

        Of the items that both judged.
        """
        ours = rng.random(len(self.coded.annotators)) < 0.5
        mine = ours[self.coded.annotator]
        both = np.isin(
            self.coded.item, np.intersect1d(self.coded.item[mine], self.coded.item[~mine])
        )
        return self.only(mine & both), float(self.is_wrong[~mine & both].mean())


def crowd(name: str, table: pd.DataFrame, truth: Mapping[str, str]) -> Crowd:
    """Judgments (columns item_id, annotator, label) of the items whose answer is known.

    Of several by one person on one item, the last. An answer that nobody gave is wrong for all.
    """
    table = table.loc[table["item_id"].isin(truth.keys()), ["item_id", "annotator", "label"]]
    table = table.drop_duplicates(["item_id", "annotator"], keep="last").reset_index(drop=True)
    coded = code_judgments(validate_judgments(table, name))
    codes = {text: code for code, text in enumerate(coded.shared)}
    right = [codes.get(truth[str(each)], NO_GOLD) for each in coded.item_ids]
    return Crowd(name, coded, np.array(right))


def six_crowds() -> Iterator[Crowd]:
    """The six of docs/method/error-rates.md, as far as LABELMIX_DATA or ../shared/data has them."""
    base = Path(os.environ.get("LABELMIX_DATA") or ROOT.parent / "shared" / "data")
    for name in SIX:
        try:
            yield crowd(name, *_read(name, base))
        except FileNotFoundError as problem:
            print(f"{name} left out: {problem}")


def crowds_of(folder: Path) -> Iterator[Crowd]:
    """All folders below that hold `label.csv` (item, worker, label) and `truth.csv` (item, truth).

    That is how github.com/yuan-li/truth-inference-at-scale keeps them.
    """
    for path in sorted(folder.rglob("label.csv")):
        table = pd.read_csv(path, dtype=str)
        table = table.rename(columns={"item": "item_id", "worker": "annotator"})
        known = pd.read_csv(path.with_name("truth.csv"), dtype=str)
        truth = dict(zip(known["item"], known["truth"], strict=True))
        yield crowd(path.parent.name, table, truth)


def _read(name: str, base: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    if name == "face sentiment":
        folder = base.parent / "cases" / "F1_face_sentiment"
        table = pd.read_csv(folder / "j.csv", dtype=str)
        return table, json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    if name in ("duck", "product", "dog"):
        folder = base / "crowd_truth"
        known = pd.read_csv(folder / f"{name}_truth.csv", dtype=str)
        table = pd.read_csv(folder / f"{name}_judgments.csv", dtype=str)
        return table, dict(zip(known["item_id"], known["truth"], strict=True))
    folder = base / ("rte_crowd" if name == "RTE" else "medical_treat")
    table = pd.read_csv(folder / "judgments.csv", dtype=str)
    key = "answer" if name == "RTE" else "adjudicated"
    lines = (folder / "items.jsonl").read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines]
    return table, {item["item_id"]: item[key] for item in items if item[key]}
