"""Judgments as arrays of codes, for everything that is computed from them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import IntArray
from annotation.errors import InputError, short
from annotation.judgments.number_spelling import one_spelling

LabelKind = Literal["shared", "own choices", "open"]
"""How labels of different items compare:

- "shared": all items are labelled with the same few classes; the code is the class.
- "own choices": every item has choices of its own, known from the item table; the code is the
  position.
- "open": items have answers of their own that nobody listed, or free answers; equal numbers are
  one answer, however they are spelled. A code means nothing beyond its item; codes are spread
  evenly, so that none looks more frequent than another. They depend on the item's answers alone:
  no name of an item or annotator and no order of rows changes them.

Where no item table tells, labels are classes if they are few and come back: at most two, or at most
50 that each occur in two items on average. Free answers hardly come back.
"""
UNNAMED = "all items"
NO_GOLD = -1
_MOST_SHARED = 50
_ITEMS_OF_A_CLASS = 2  # in which a class occurs on average; an answer of one item's own in one


@dataclass(frozen=True)
class _Labels:
    """The part of `Coded` that depends on the kind of labels."""

    kind: LabelKind
    label: IntArray
    gold: IntArray
    choice_counts: IntArray
    shared: tuple[str, ...] = ()
    own: Sequence[Sequence[str]] | NDArray[np.object_] = ()
    unknown_gold: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coded:
    """The usable judgments of a table as codes, one per annotator and item.

    `item`, `annotator`, `label` and `row` (its row in the table) are (judgments,), sorted by item;
    `stratum`, `choice_counts` and `gold` (a label, or NO_GOLD) are (items,).
    """

    kind: LabelKind
    item_ids: NDArray[np.object_]
    annotators: NDArray[np.object_]
    strata: tuple[str, ...]
    item: IntArray
    annotator: IntArray
    label: IntArray
    row: IntArray
    stratum: IntArray
    choice_counts: IntArray
    gold: IntArray
    shared: tuple[str, ...]  # the classes, where they are shared
    own: (
        Sequence[Sequence[str]] | NDArray[np.object_]
    )  # of every item, where they are not; "" what nobody said
    unknown_gold: tuple[str, ...] = ()  # gold answers, item by item, that are none of the classes

    def text(self, item: int, label: int) -> str:
        """What a label says; "" where nobody gave it and it is not known."""
        return self.shared[label] if self.shared else str(self.own[item][label])

    def on_given_classes(self) -> "Coded":
        """The same judgments without the classes that nobody chose; itself where there are none.

        A gold answer that nobody gave is none then.
        """
        given = np.unique(self.label)
        if self.kind != "shared" or given.size == len(self.shared) or given.size < 2:
            return self
        # The last place stands for NO_GOLD, which is -1.
        codes = np.full(len(self.shared) + 1, NO_GOLD, dtype=np.int64)
        codes[given] = np.arange(given.size)
        return replace(
            self,
            label=codes[self.label],
            gold=codes[self.gold],
            choice_counts=np.full_like(self.choice_counts, given.size),
            shared=tuple(self.shared[code] for code in given),
        )

    @cached_property
    def judged_stratum(self) -> IntArray:
        """Stratum of every judgment's item, (judgments,)."""
        return self.stratum[self.item]

    def roles(self, judgments: pd.DataFrame) -> NDArray[np.object_]:
        """Role of every annotator, (annotators,): the last one told, None where there is none."""
        roles = np.full(len(self.annotators), None, dtype=object)
        told = judgments["role"].to_numpy(dtype=object)[self.row]
        known = np.flatnonzero(~pd.isna(told))
        roles[self.annotator[known]] = told[known]
        return roles


def usable(judgments: pd.DataFrame) -> pd.DataFrame:
    """Judgments that carry a label; of several by one annotator on one item, the last."""
    there = judgments[~judgments["cancelled"]]
    if not there.duplicated(["item_id", "annotator"]).any():
        return there
    in_time = there.sort_values("created_at", kind="stable", na_position="first")
    return in_time.drop_duplicates(["item_id", "annotator"], keep="last").sort_index()


def code_judgments(
    judgments: pd.DataFrame,
    items: pd.DataFrame | None = None,
    choice_count: int | None = None,
    strata_order: Sequence[str] = (),
) -> Coded:
    """Turn a valid judgment table into codes.

    Parameters
    ----------
    judgments
        See `annotation.judgments.table.validate_judgments`.
    items
        The item table, where there is one: it says which choices every item has. Labels should
        be among them, see `annotation.judgments.item_checks`.
    choice_count
        How many choices an item has where that is not known; by default the largest number of
        different labels that any item got, at least 2. Where items share their classes, a gold
        answer that nobody gave is a class only if there should be more than were given.
    strata_order
        Strata in order of hardness, where that is known.

    Raises
    ------
    InputError
        If no judgment carries a label, or more classes were given than `choice_count` says.
    """
    there = usable(judgments)
    if there.empty:
        raise InputError("there are no judgments with a label; give a table that has some.")
    item, item_ids = pd.factorize(there["item_id"].to_numpy(dtype=object))
    by_item = np.argsort(item, kind="stable")
    there, item = there.iloc[by_item], item[by_item].astype(np.int64)
    annotator, annotators = pd.factorize(there["annotator"].to_numpy(dtype=object))
    texts = there["label"].str.strip().to_numpy(dtype=object)
    first_row = np.flatnonzero(np.r_[True, item[1:] != item[:-1]])
    gold_texts = there["gold"].to_numpy(dtype=object)[first_row]
    gold_texts = np.array([t.strip() if isinstance(t, str) else None for t in gold_texts], object)
    labels = _labels(item_ids, item, texts, gold_texts, items, choice_count)
    stratum, strata = _strata(there["stratum"].to_numpy(dtype=object)[first_row], strata_order)
    return Coded(
        item_ids=np.asarray(item_ids, dtype=object),
        annotators=np.asarray(annotators, dtype=object),
        strata=strata,
        item=item,
        annotator=annotator.astype(np.int64),
        row=there.index.to_numpy(dtype=np.int64),
        stratum=stratum,
        kind=labels.kind,
        label=labels.label,
        gold=labels.gold,
        choice_counts=labels.choice_counts,
        shared=labels.shared,
        own=labels.own,
        unknown_gold=labels.unknown_gold,
    )


def _labels(
    item_ids: NDArray[np.object_],
    item: IntArray,
    texts: NDArray[np.object_],
    gold: NDArray[np.object_],
    items: pd.DataFrame | None,
    choice_count: int | None,
) -> _Labels:
    choices = _choices_of(items, item_ids)
    if choices is not None:
        if len({tuple(own) for own in choices}) == 1:
            return _shared(tuple(choices[0]), len(item_ids), texts, gold)
        return _own(choices, item, texts, gold)
    texts, gold = np.split(one_spelling([*texts, *gold]), [len(texts)])
    given = set(texts)
    if len(given) <= 2 or (len(given) <= _MOST_SHARED and _come_back(item, texts, len(given))):
        if choice_count is not None and choice_count < len(given):
            named = ", ".join(short(text) for text in sorted(given)[:5])
            raise InputError(
                f"there are {len(given)} different labels ({named}{', ...' * (len(given) > 5)}), "
                f"but choices should be {choice_count}; say more with --choices."
            )
        missing = max(0, (choice_count or 2) - len(given))
        ungiven = Counter(text for text in gold if text is not None and text not in given)
        # Of as common ones by the alphabet: the order of rows changes nothing.
        told = sorted(ungiven, key=lambda text: (-ungiven[text], text))[:missing]
        nobody = [f"(class {n + 1} nobody chose)" for n in range(missing - len(told))]
        return _shared((*sorted([*given, *told]), *nobody), len(item_ids), texts, gold)
    return _open(item_ids, item, texts, gold, choice_count)


def _come_back(item: IntArray, texts: NDArray[np.object_], given: int) -> bool:
    """Whether a label occurs in two items on average, or in more."""
    code = pd.factorize(texts)[0]
    return bool(np.unique(item * given + code).size >= _ITEMS_OF_A_CLASS * given)


def _choices_of(
    items: pd.DataFrame | None, item_ids: NDArray[np.object_]
) -> list[list[str]] | None:
    if items is None:
        return None
    known = dict(zip(items["item_id"], items["choices"], strict=True))
    choices = [[text.strip() for text in known.get(item_id, ())] for item_id in item_ids]
    return choices if all(choices) else None


def _shared(
    classes: tuple[str, ...], items: int, texts: NDArray[np.object_], gold: NDArray[np.object_]
) -> _Labels:
    codes = {text: code for code, text in enumerate(classes)}
    unknown = tuple(text for text in gold if text is not None and text not in codes)
    return _Labels(
        "shared",
        label=np.array([codes[text] for text in texts], dtype=np.int64),
        gold=np.array([codes.get(text, NO_GOLD) for text in gold], dtype=np.int64),
        choice_counts=np.full(items, len(classes), dtype=np.int64),
        shared=classes,
        unknown_gold=unknown,
    )


def _own(
    choices: Sequence[Sequence[str]],
    item: IntArray,
    texts: NDArray[np.object_],
    gold: NDArray[np.object_],
) -> _Labels:
    codes = [{text: code for code, text in enumerate(own)} for own in choices]
    label = [codes[i][text] for i, text in zip(item.tolist(), texts, strict=True)]
    right = [own.get(text, NO_GOLD) for own, text in zip(codes, gold, strict=True)]
    return _Labels(
        "own choices",
        label=np.array(label, dtype=np.int64),
        gold=np.array(right, dtype=np.int64),
        choice_counts=np.array([len(own) for own in choices], dtype=np.int64),
        own=choices,
    )


def _open(
    item_ids: NDArray[np.object_],
    item: IntArray,
    texts: NDArray[np.object_],
    gold: NDArray[np.object_],
    choice_count: int | None,
) -> _Labels:
    with_gold = np.array([text is not None for text in gold], dtype=bool)
    where = np.r_[item, np.flatnonzero(with_gold)]
    said = np.r_[texts, gold[with_gold]]
    text_code, distinct = pd.factorize(said)
    scramble = pd.util.hash_array(np.asarray(distinct, dtype=object), categorize=False)
    pair, first, of_pair = np.unique(
        where * len(distinct) + text_code, return_index=True, return_inverse=True
    )
    pair_item = pair // len(distinct)
    order = np.lexsort((scramble[pair % len(distinct)], pair_item))
    start = np.flatnonzero(np.r_[True, np.diff(pair_item[order]) != 0])
    sizes = np.diff(np.r_[start, len(order)])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(start, sizes)
    count = max(2, int(sizes.max()), choice_count or 0)
    # Turned by all of the item's answers together, so that no code is the most frequent one.
    turn = np.zeros(len(item_ids), dtype=np.uint64)
    np.add.at(turn, pair_item, scramble[pair % len(distinct)])
    code_of_pair = (rank + (turn % np.uint64(count))[pair_item].astype(np.int64)) % count
    codes = code_of_pair[of_pair]
    gold_codes = np.full(len(item_ids), NO_GOLD, dtype=np.int64)
    gold_codes[with_gold] = codes[len(item) :]
    own = np.full((len(item_ids), count), "", dtype=object)
    own[pair_item, code_of_pair] = said[first]
    return _Labels(
        "open",
        label=codes[: len(item)],
        gold=gold_codes,
        choice_counts=np.full(len(item_ids), count, dtype=np.int64),
        own=own,
    )


def _strata(names: NDArray[np.object_], order: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
    """Codes and names of strata, easy before hard, others by name; none is one stratum."""
    known = [name if isinstance(name, str) and name else UNNAMED for name in names]
    first = tuple(order) or ("easy", "medium", "hard")
    strata = sorted(set(known), key=lambda n: (first.index(n) if n in first else len(first), n))
    codes = {name: code for code, name in enumerate(strata)}
    return np.array([codes[name] for name in known], dtype=np.int64), tuple(strata)
