"""What a trial is, and what it returns."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from annotation.labelling.labels import Labels
from annotation.strata.bands import Strata
from annotation.terms.cost import LabelTerms
from training.models.number_types import Quantisation, Use, compute_type
from training.models.source import ModelSource
from training.prompts import PROMPT_VERSION
from training.targets.make import TargetKind
from training.task import Pilot, Task

Method = Literal["zero_shot", "in_context", "chain_of_thought", "probe", "qlora"]
"""How a trial turns its purchase into answers.

- "zero_shot": the likeliest choice, nothing bought.
- "in_context": the likeliest choice after the purchase as worked examples.
- "chain_of_thought": generated reasoning and answer, after the purchase as worked examples if
  there is one.
- "probe": softmax regression on frozen features.
- "qlora": a low-rank adapter on the 4-bit model.
"""

# Raised whenever the same trial would come out differently: old results are then not re-used.
RECIPE_VERSION = 3

# Detail of a result: share of test items whose choices the model scores all alike.
INDISTINCT = "indistinct_share"
# Of an adapter: trainings that were begun anew, as their loss ended no lower than that of guessing,
# and whether that of the last one did so, too. Absent where no training failed.
RESTARTS, FAILED = "restarts", "failed"


@dataclass(frozen=True)
class Recipe:
    """How labels become a model that answers.

    Attributes
    ----------
    method : see `Method`
    settings : of the method, sorted by name
    prompt : its version, see `training.prompts`
    quantisation : of the model's weights
    target_kind, target_settings : what labels become in training, see `training.targets.make`
    judgments : per label, whose majority it is

    Raises ValueError for what a method does not do: a probe on a quantised model, or reasoning
    trained towards anything but its labels.
    """

    method: Method
    settings: tuple[tuple[str, Any], ...] = ()
    prompt: str = PROMPT_VERSION
    quantisation: Quantisation = "none"
    target_kind: TargetKind = "hard_labels"
    target_settings: tuple[tuple[str, Any], ...] = ()
    judgments: int = 1

    def __post_init__(self) -> None:
        if self.method == "probe" and self.quantisation != "none":
            raise ValueError(
                f"a probe reads the whole model; got quantisation '{self.quantisation}'."
            )
        reasons = dict(self.settings).get("objective") == "reasoning"
        if reasons and self.target_kind != "hard_labels":
            raise ValueError(f"reasoning is trained as labelled; got targets '{self.target_kind}'.")


@dataclass(frozen=True)
class LabelSource:
    """Which labels a trial trains on, and what it looks at beside them.

    Attributes
    ----------
    mix : stratum -> labels
    terms : stratum -> error rates of simulated annotators; those of strata that are not bought
        are left out, since they cannot change a result, and so are prices
    pilot : a first purchase of which these labels are a subsample; None for a fresh purchase
    borrowed : labels of the target's test items beside the mix
    given : the labels themselves, borrowed ones at the end, where people or machines gave them;
        None where annotators are simulated
    reads : stratum -> unlabelled items that a probe looks at
    rehearses : stratum -> labels that are guessed, not bought
    """

    mix: Mapping[str, int] = field(default_factory=dict)
    terms: Mapping[str, LabelTerms] = field(default_factory=dict)
    pilot: Pilot | None = None
    borrowed: int = 0
    given: Labels | None = None
    reads: Mapping[str, int] = field(default_factory=dict)
    rehearses: Mapping[str, int] = field(default_factory=dict)


NOTHING = LabelSource()


@dataclass(frozen=True)
class Trial:
    """Train on one purchase with one recipe and seed, test on the fixed test set.

    A trial that borrows tells a planner about the target's labels. What it answers to test items
    that it trained on says nothing (`Task.scored`), and no result that is reported may borrow.
    A probe that reads tells in its details what it sees in items without labels
    (`training.unlabelled.reading`). One that rehearses trains on guessed labels instead of its
    mix, which together with borrowed right answers tells what to guess
    (`training.unlabelled.rehearsal`).

    Holds everything that can change the result; `key` is the hash of all of it, and of labels that
    were given their own hash. `make_trial` says what the fields hold.
    """

    item_fingerprint: str
    strata: Strata
    target: str
    test_target: int | None
    test_others: int | None
    test_seed: int
    model: str
    revision: str
    recipe: Recipe
    mix: tuple[tuple[str, int], ...]
    terms: tuple[tuple[str, float, str], ...]  # stratum, error rate, kind of error
    pilot: Pilot | None
    seed: int
    compute: str = "float32"  # the number type that the model computes in
    version: int = RECIPE_VERSION
    borrowed: int = 0
    reads: tuple[tuple[str, int], ...] = ()
    rehearses: tuple[tuple[str, int], ...] = ()
    given: Labels | None = field(default=None, compare=False, repr=False)
    given_key: str | None = None

    @cached_property
    def key(self) -> str:
        text = json.dumps(self.record(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        """All of it for a file; of labels that were given, their hash."""
        return asdict(replace(self, given=None))

    @property
    def method(self) -> Method:
        return self.recipe.method

    def labels(self) -> dict[str, int]:
        return dict(self.mix)

    @property
    def size(self) -> int:
        """Labels that it trains on, or that tell it what to guess."""
        return sum(count for _, count in self.mix) + self.borrowed


@dataclass(frozen=True)
class TrialResult:
    """`correct` (test items,) bool, in the order of the task's test set, borrowed items too."""

    correct: NDArray[np.bool_]
    seconds: float
    peak_memory_bytes: int
    device: str
    details: dict[str, float] = field(default_factory=dict)

    def accuracy(self, strata: NDArray[np.object_]) -> dict[str, float]:
        """Accuracy per stratum of the test set; `strata` (test items,)."""
        names = dict.fromkeys(strata.tolist())
        return {name: float(self.correct[strata == name].mean()) for name in names}


def make_trial(
    task: Task, model: ModelSource, recipe: Recipe, seed: int, source: LabelSource = NOTHING
) -> Trial:
    """Describe a trial of `task`: labels from `source`, trained by `recipe`.

    Raises ValueError for what a method does not do: a zero-shot trial that buys, anything but a
    probe or an adapter that borrows, anything but a probe that reads or rehearses, a rehearsal
    without borrowed answers.
    """
    method, borrowed = recipe.method, source.borrowed
    if method == "zero_shot" and any(source.mix.values()):
        raise ValueError(f"a zero-shot trial buys nothing; got {dict(source.mix)}.")
    if borrowed and method not in ("probe", "qlora"):
        raise ValueError(f"only probes and adapters borrow labels; got method '{method}'.")
    if (source.reads or source.rehearses) and method != "probe":
        raise ValueError(f"only probes read unlabelled items or rehearse; got method '{method}'.")
    if source.rehearses and not borrowed:
        raise ValueError("a rehearsal is taught by borrowed answers; got none.")
    bought = {name: source.mix[name] for name in task.strata.names if source.mix.get(name, 0) > 0}
    labelled = {*bought, *source.rehearses, *([task.target] if borrowed else [])}
    return Trial(
        item_fingerprint=task.split_fingerprint,
        strata=task.strata,
        target=task.target,
        test_target=task.test_sizes.target,
        test_others=task.test_sizes.others,
        test_seed=task.seed,
        model=model.label,
        revision=model.revision,
        recipe=recipe,
        mix=tuple(bought.items()),
        terms=tuple(
            (name, source.terms[name].error_rate, source.terms[name].error_kind)
            for name in task.strata.names
            if name in labelled and name in source.terms
        ),
        pilot=source.pilot if bought else None,
        seed=seed,
        compute=number_type(model, method, recipe.quantisation),
        borrowed=borrowed,
        reads=tuple(source.reads.items()),
        rehearses=tuple(source.rehearses.items()),
        given=source.given,
        given_key=None if source.given is None else source.given.key,
    )


def number_type(model: ModelSource, method: Method, quantisation: Quantisation) -> str:
    """What a trial computes in on this machine, e.g. "float32"."""
    uses: dict[Method, Use] = {"probe": "features", "qlora": "tuning"}
    return compute_type(model, quantisation, uses.get(method, "scores"))
