"""What a collection's store keeps of a test set whose right answers are bought."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from annotation.databases import damaged
from budget.collection.store.store import CollectionStore

ITEMS = "test_items"
"""Key of the fact that names the items which were drawn for the test set."""
ANSWERS = "test_answers"
"""Key of the fact that holds the answers, once they are settled."""

_Kind = TypeVar("_Kind")


class BoughtAnswer(BaseModel):
    """The right answer to a test item as people gave it, and the probability that it is right."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    answer: str = Field(min_length=1)
    posterior: float = Field(ge=0, le=1)


class SettledAnswers(BaseModel):
    """What became of every test item: its answer, or why it is left out. Items by name."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    answers: dict[str, BoughtAnswer]
    left_out: dict[str, str]


@dataclass(frozen=True)
class BoughtTestSet:
    """A test set whose answers are bought, as far as it has come.

    Attributes
    ----------
    drawn : items that were drawn from those to be labelled; empty where a table names them
    settled : the answers; None until they are bought
    """

    drawn: tuple[str, ...] = ()
    settled: SettledAnswers | None = field(default=None)

    def as_facts(self) -> Mapping[str, str]:
        """What a new store remembers of it."""
        return {ITEMS: json.dumps(self.drawn, ensure_ascii=False)} if self.drawn else {}


def kept_test_set(store: CollectionStore) -> BoughtTestSet:
    """The test set as the store has it.

    Raises MachineError if what it has cannot be read.
    """
    drawn = _read(store, ITEMS, TypeAdapter(tuple[str, ...])) or ()
    return BoughtTestSet(drawn, _read(store, ANSWERS, TypeAdapter(SettledAnswers)))


def _read(store: CollectionStore, key: str, kind: TypeAdapter[_Kind]) -> _Kind | None:
    kept = store.about(key)
    if kept is None:
        return None
    try:
        return kind.validate_json(kept)
    except ValidationError:
        what = f"table about, key '{key}': cannot be read"
        raise damaged(store.shown, what, "put a copy of it back") from None
