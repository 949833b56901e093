"""A trial's key follows everything that can change its result, and nothing else."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotation.labelling.labels import Labels
from annotation.strata.bands import Edge, Strata, make_strata
from annotation.terms.cost import LabelTerms
from tests.trials import flat_trial
from training.models.source import ModelSource
from training.task import Pilot, Task, TestSizes
from training.trial import Recipe, Trial, TrialResult

ROOT = Path(__file__).resolve().parents[3]

RECIPE = Recipe("qlora", (("rank", 8),))
TRIAL = Trial(
    item_fingerprint="f" * 64,
    strata=Strata.easy_medium_hard("steps", 2, 5),
    target="hard",
    test_target=10,
    test_others=6,
    test_seed=0,
    model="pico",
    revision="r1",
    recipe=RECIPE,
    mix=(("easy", 8), ("hard", 4)),
    terms=(("easy", 0.1, "redraw"), ("hard", 0.2, "redraw")),
    pilot=Pilot((("easy", 10), ("hard", 10)), seed=7),
    seed=3,
)

OTHER_RECIPES: dict[str, list[Any]] = {
    "quantisation": ["nf4"],
    "method": ["probe", "zero_shot"],
    "settings": [(("rank", 4),), (("ranks", 8),), ()],
    "target_kind": ["smoothed", "posterior"],
    "target_settings": [(("slope", 0.5),)],
    "judgments": [3],
    "prompt": ["0041"],
}

OTHER: dict[str, list[Any]] = {
    "item_fingerprint": ["e" * 64],
    "strata": [
        Strata.easy_medium_hard("stepz", 2, 5),
        Strata.easy_medium_hard("steps", 2.5, 5),
        Strata.easy_medium_hard("steps", 2, 6),
        make_strata("steps", [Edge(2), Edge(5)]),
        make_strata("steps", [Edge(2)]),
        Strata.easy_medium_hard("steps", 2, 5).named(("a", "b", "hard")),
    ],
    "target": ["easy"],
    "test_target": [11],
    "test_others": [7],
    "test_seed": [1],
    "model": ["other"],
    "revision": ["r2"],
    "recipe": [
        replace(RECIPE, **{name: value})
        for name, values in OTHER_RECIPES.items()
        for value in values
    ],
    "mix": [(("easy", 9), ("hard", 4)), (("easy", 8),), (("easy", 4), ("hard", 8)), ()],
    "terms": [
        (("easy", 0.11, "redraw"), ("hard", 0.2, "redraw")),
        (("easy", 0.1, "flip"), ("hard", 0.2, "redraw")),
        (("easy", 0.2, "redraw"), ("hard", 0.1, "redraw")),
    ],
    "pilot": [
        None,
        Pilot((("easy", 10), ("hard", 10)), seed=8),
        Pilot((("easy", 10), ("hard", 11)), seed=7),
    ],
    "seed": [4],
    "compute": ["bfloat16"],
    "version": [TRIAL.version + 1],
    "borrowed": [8, 16],
    "reads": [(("easy", 100),), (("easy", 200),)],
    "rehearses": [(("easy", 64),), (("easy", 32), ("hard", 32))],
    "given_key": ["a" * 64, "b" * 64],
}


def test_every_field_has_other_values_here() -> None:
    told_by_their_key = {"given"}
    assert OTHER.keys() | told_by_their_key == {field.name for field in fields(Trial)}
    assert OTHER_RECIPES.keys() == {field.name for field in fields(Recipe)}


def test_key_changes_with_every_field() -> None:
    changed = [replace(TRIAL, **{name: v}) for name, values in OTHER.items() for v in values]
    keys = {TRIAL.key, *(trial.key for trial in changed)}
    assert len(keys) == 1 + len(changed)
    assert replace(TRIAL).key == TRIAL.key


def test_key_is_the_same_in_every_process() -> None:
    code = (
        "from annotation.strata.bands import Edge, Strata\nfrom training.task import Pilot\n"
        f"from training.trial import Recipe, Trial\nprint({TRIAL!r}.key)"
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)}
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == TRIAL.key
    assert len(TRIAL.key) == 64


SOURCE = ModelSource("pico", "/models/pico", "r1", "decoder")
TERMS = {
    "easy": LabelTerms(Decimal(1), 0.1, "redraw"),
    "medium": LabelTerms(Decimal(1), 0.15, "redraw"),
    "hard": LabelTerms(Decimal(2), 0.2, "redraw"),
}
PILOT = Pilot((("easy", 10), ("hard", 10)), seed=7)


@pytest.fixture(scope="module")
def describe(make_items: Callable[..., pd.DataFrame]) -> Callable[..., Trial]:
    """make_trial with defaults, each of which a test may change."""
    table = make_items(60)
    task = Task(table, Strata.easy_medium_hard("steps", 2, 5), "hard", TestSizes(10, 6))

    def call(**changes: Any) -> Trial:
        arguments: dict[str, Any] = {
            "task": task,
            "model": SOURCE,
            "method": "qlora",
            "settings": {"rank": 4, "batch": 8},
            "mix": {"easy": 4, "hard": 6},
            "terms": TERMS,
            "seed": 3,
            "pilot": PILOT,
            "quantisation": "nf4",
        }
        return flat_trial(**(arguments | changes))

    return call


def test_what_cannot_change_the_result_does_not_change_the_key(
    describe: Callable[..., Trial],
) -> None:
    key = describe().key
    dearer = {name: replace(each, cost=Decimal(9)) for name, each in TERMS.items()}
    noisier_medium = TERMS | {"medium": LabelTerms(Decimal(1), 0.9, "flip")}
    same = {
        "cost": describe(terms=dearer),
        "terms of a stratum that is not bought": describe(terms=noisier_medium),
        "no terms for it": describe(terms={n: TERMS[n] for n in ("easy", "hard")}),
        "order of the terms": describe(terms=dict(reversed(TERMS.items()))),
        "order of the mix": describe(mix={"hard": 6, "easy": 4}),
        "a zero in the mix": describe(mix={"easy": 4, "medium": 0, "hard": 6}),
        "order of the settings": describe(settings={"batch": 8, "rank": 4}),
        "where the model lies": describe(model=replace(SOURCE, location="/elsewhere")),
    }
    assert {what: trial.key == key for what, trial in same.items()} == dict.fromkeys(same, True)


def test_what_can_change_the_result_changes_the_key(
    describe: Callable[..., Trial], make_items: Callable[..., pd.DataFrame]
) -> None:
    table = make_items(60)
    reworded = table.copy()
    reworded.loc[3, "question"] = "another question?"
    strata, sizes = Strata.easy_medium_hard("steps", 2, 5), TestSizes(10, 6)
    changed = {
        "an item": describe(task=Task(reworded, strata, "hard", sizes)),
        "order of the items": describe(
            task=Task(table[::-1].reset_index(drop=True), strata, "hard", sizes)
        ),
        "the cut": describe(
            task=Task(table, Strata.easy_medium_hard("steps", 1, 5), "hard", sizes)
        ),
        "the target": describe(task=Task(table, strata, "easy", sizes)),
        "the size of the test set": describe(task=Task(table, strata, "hard", TestSizes(9, 6))),
        "the other test sizes": describe(task=Task(table, strata, "hard", TestSizes(10, 5))),
        "the draw of the test set": describe(task=Task(table, strata, "hard", sizes, seed=1)),
        "the model": describe(model=replace(SOURCE, name="other")),
        "its revision": describe(model=replace(SOURCE, revision="r2")),
        "quantisation": describe(quantisation="none"),
        "the method": describe(method="in_context"),
        "the targets": describe(target_kind="smoothed"),
        "a target setting": describe(target_settings={"slope": 0.5}),
        "judgments per label": describe(judgments=3),
        "the prompt": describe(prompt="0306-mended"),
        "a setting": describe(settings={"rank": 5, "batch": 8}),
        "the mix": describe(mix={"easy": 5, "hard": 6}),
        "an error rate": describe(terms=TERMS | {"easy": LabelTerms(Decimal(1), 0.2, "redraw")}),
        "a kind of error": describe(terms=TERMS | {"easy": LabelTerms(Decimal(1), 0.1, "flip")}),
        "the pilot": describe(pilot=replace(PILOT, seed=8)),
        "no pilot": describe(pilot=None),
        "the seed": describe(seed=4),
    }
    keys = {describe().key, *(trial.key for trial in changed.values())}
    assert len(keys) == 1 + len(changed)


def test_a_trial_that_borrows_knows_the_terms_of_the_target(
    describe: Callable[..., Trial],
) -> None:
    trial = describe(mix={}, borrowed=5)
    assert (trial.mix, trial.borrowed) == ((), 5)
    assert trial.terms == (("hard", 0.2, "redraw"),)
    noisier = TERMS | {"hard": LabelTerms(Decimal(2), 0.3, "redraw")}
    assert describe(mix={}, borrowed=5, terms=noisier).key != trial.key


def test_labels_that_were_given_are_told_by_their_hash(describe: Callable[..., Trial]) -> None:
    positions, judged = np.array([3, 8]), np.array([[1, 0], [0, 0]])
    given = Labels(positions, judged, np.array([0.1, 0.1]))
    other = Labels(positions, np.array([[1, 0], [0, 1]]), np.array([0.1, 0.1]))
    trial = describe(mix={"easy": 2}, terms={}, given=given)
    assert trial.key == describe(mix={"easy": 2}, terms={}, given=replace(given)).key
    assert trial.key != describe(mix={"easy": 2}, terms={}, given=other).key
    assert trial.key != describe(mix={"easy": 2}, terms={}).key
    assert trial.record()["given"] is None and trial.record()["given_key"] == given.key


def test_bounds_written_otherwise_are_the_same_trial() -> None:
    strata = make_strata("steps", [Edge(2.0), Edge(5, "harder")])
    assert replace(TRIAL, strata=strata).key == TRIAL.key


def test_only_what_is_trained_borrows(describe: Callable[..., Trial]) -> None:
    with pytest.raises(ValueError, match="borrow"):
        describe(method="in_context", mix={}, borrowed=5, settings={})


def test_only_probes_read(describe: Callable[..., Trial]) -> None:
    trial = describe(method="probe", quantisation="none", reads={"easy": 9}, settings={})
    assert trial.reads == (("easy", 9),)
    with pytest.raises(ValueError, match="read"):
        describe(reads={"easy": 9})


def test_a_trial_that_buys_nothing_knows_no_terms_and_no_pilot(
    describe: Callable[..., Trial],
) -> None:
    trial = describe(method="zero_shot", mix={"easy": 0}, settings={})
    assert (trial.mix, trial.terms, trial.pilot) == ((), (), None)
    assert trial.labels() == {}


def test_labels(describe: Callable[..., Trial]) -> None:
    assert describe(mix={"hard": 6, "easy": 4}).labels() == {"easy": 4, "hard": 6}


def test_accuracy_per_stratum() -> None:
    correct = np.array([True, False, True, True, False])
    strata = np.array(["easy", "easy", "hard", "hard", "hard"], dtype=object)
    result = TrialResult(correct, 1.0, 0, "cpu")
    assert result.accuracy(strata) == {"easy": 0.5, "hard": pytest.approx(2 / 3)}
