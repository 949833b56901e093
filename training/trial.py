"""What a trial is, and what it returns."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from annotation.strata.bands import Strata
from annotation.terms.cost import LabelTerms
from training.models.load import Quantisation, compute_type
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
RECIPE_VERSION = 2


@dataclass(frozen=True)
class Trial:
    """Train on one purchase with one method and seed, test on the fixed test set.

    A trial that borrows tells a planner about the target's labels. What it answers to test items
    that it trained on says nothing (`Task.scored`), and no result that is reported may borrow.
    A probe that reads tells in its details what it sees in items without labels
    (`training.unlabelled.reading`). One that rehearses trains on guessed labels instead of its
    mix, which together with borrowed right answers tells what to guess
    (`training.unlabelled.rehearsing`).

    Holds everything that can change the result; `key` is the hash of all of it.
    """

    item_fingerprint: str
    strata: Strata
    target: str
    test_target: int
    test_others: int
    test_seed: int
    model: str
    revision: str
    quantisation: Quantisation
    method: Method
    settings: tuple[tuple[str, Any], ...]
    mix: tuple[tuple[str, int], ...]
    terms: tuple[tuple[str, float, str], ...]  # stratum, error rate, kind of error
    pilot: Pilot | None
    seed: int
    target_kind: TargetKind = "hard_labels"
    target_settings: tuple[tuple[str, Any], ...] = ()
    judgments: int = 1  # per label
    compute: str = "float32"  # the number type that the model computes in
    prompt: str = PROMPT_VERSION
    recipe: int = RECIPE_VERSION
    borrowed: int = 0  # labels of the target's test items that are trained on beside the mix
    reads: tuple[tuple[str, int], ...] = ()  # stratum, unlabelled items that a probe looks at
    rehearses: tuple[tuple[str, int], ...] = ()  # stratum, labels that are guessed, not bought

    @cached_property
    def key(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

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
    task: Task,
    model: ModelSource,
    method: Method,
    settings: Mapping[str, Any],
    mix: Mapping[str, int],
    terms: Mapping[str, LabelTerms],
    seed: int,
    pilot: Pilot | None = None,
    quantisation: Quantisation = "none",
    target_kind: TargetKind = "hard_labels",
    target_settings: Mapping[str, Any] | None = None,
    judgments: int = 1,
    prompt: str = PROMPT_VERSION,
    borrowed: int = 0,
    reads: Mapping[str, int] | None = None,
    rehearses: Mapping[str, int] | None = None,
) -> Trial:
    """Describe a trial of `task`.

    Error rates of strata that are not bought do not enter: they cannot change the result. Nor
    does the cost of a label, so that trials are re-used when only prices change.

    Raises ValueError for what a method does not do: a zero-shot trial that buys, a probe on a
    quantised model, reasoning trained towards anything but its labels, anything but a probe or an
    adapter that borrows, anything but a probe that reads or rehearses, a rehearsal without
    borrowed answers.
    """
    if method == "zero_shot" and any(mix.values()):
        raise ValueError(f"a zero-shot trial buys nothing; got {dict(mix)}.")
    if borrowed and method not in ("probe", "qlora"):
        raise ValueError(f"only probes and adapters borrow labels; got method '{method}'.")
    if (reads or rehearses) and method != "probe":
        raise ValueError(f"only probes read unlabelled items or rehearse; got method '{method}'.")
    if rehearses and not borrowed:
        raise ValueError("a rehearsal is taught by borrowed answers; got none.")
    if method == "probe" and quantisation != "none":
        raise ValueError(f"a probe reads the whole model; got quantisation '{quantisation}'.")
    if settings.get("objective") == "reasoning" and target_kind != "hard_labels":
        raise ValueError(f"reasoning is trained as labelled; got targets '{target_kind}'.")
    bought = {name: mix[name] for name in task.strata.names if mix.get(name, 0) > 0}
    labelled = {*bought, *(rehearses or {}), *([task.target] if borrowed else [])}
    return Trial(
        item_fingerprint=task.fingerprint,
        strata=task.strata,
        target=task.target,
        test_target=task.test_sizes.target,
        test_others=task.test_sizes.others,
        test_seed=task.seed,
        model=model.label,
        revision=model.revision,
        quantisation=quantisation,
        method=method,
        settings=tuple(sorted(settings.items())),
        mix=tuple(bought.items()),
        terms=tuple(
            (name, terms[name].error_rate, terms[name].error_kind)
            for name in task.strata.names
            if name in labelled
        ),
        pilot=pilot if bought else None,
        seed=seed,
        target_kind=target_kind,
        target_settings=tuple(sorted((target_settings or {}).items())),
        judgments=judgments,
        compute=number_type(model, method, quantisation),
        prompt=prompt,
        borrowed=borrowed,
        reads=tuple((reads or {}).items()),
        rehearses=tuple((rehearses or {}).items()),
    )


def number_type(model: ModelSource, method: Method, quantisation: Quantisation) -> str:
    """What a trial computes in on this machine, e.g. "float32"."""
    return compute_type(model.kind, quantisation, tuned=method == "qlora")
