"""Which prompt suits a model and its items: zero-shot accuracy by prompt on a sample of test items.

A prompt that lists the choices leaves some models guessing, and one that does not others. Ways of
dividing a choice's log-probability by its length are compared beside, which costs no further pass.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.accuracy import CONFIDENCE, ItemClusters
from analysis.estimates import Estimate, Record
from analysis.numbers import percent
from annotation.arrays import Positions
from annotation.errors import InputError
from annotation.locks import exclusive
from training.engines import Watcher
from training.engines.base import StoringEngine
from training.engines.choice import EngineChoice
from training.lab import Lab
from training.running.answering import likeliest
from training.scoring.choices import Normalisation
from training.store import TrialStore

SAMPLE = 200  # test items
_VERSIONS = ("0040-mended", "0306-mended")
_NORMALISATIONS: tuple[Normalisation, ...] = ("sum", "token", "character")


class ComparedPrompt(Record):
    """One way to ask, on the sample.

    `over_asked` is its accuracy less that of the configured way, paired, with an interval that
    holds for all ways together (Bonferroni); None for the configured way itself.
    """

    prompt: str
    normalisation: str
    accuracy: Estimate
    over_asked: Estimate | None

    @property
    def is_better(self) -> bool:
        """Whether it is resolved to be better than the configured way."""
        return self.over_asked is not None and (self.over_asked.low or 0.0) > 0


class ComparedPrompts(Record):
    """Every way to ask that was tried, the configured one first.

    `without_model` is the accuracy on the same items of always answering the commonest class of
    their stratum where all items share their choices, else of guessing.
    """

    model: str
    items: int
    without_model: float
    ways: list[ComparedPrompt]

    @property
    def better(self) -> ComparedPrompt | None:
        """The best of those that are resolved to be better than the configured one, if any."""
        found = [way for way in self.ways if way.is_better]
        return max(found, key=lambda way: way.accuracy.estimate or 0.0, default=None)

    @property
    def tells(self) -> bool:
        """Whether the configured way is resolved to be above what needs no model."""
        return (self.ways[0].accuracy.low or 0.0) > self.without_model


def compare_prompts_of(
    lab: Lab, out: Path, watcher: Watcher, engine: EngineChoice, most: int
) -> ComparedPrompts:
    """The same with an engine of its own, whose files are in `out`.

    Raises InputError for an encoder, for items without choices, or if another command works there.
    """
    if lab.source.kind != "decoder":
        raise InputError(
            f"model '{lab.source.name}' is an encoder, which no prompt asks; name a decoder."
        )
    lab.task.require_choices("zero_shot")
    with (
        exclusive(out, "labelmix trial"),
        TrialStore(out / "trials.sqlite") as store,
        engine.start(lab.task, lab.source, out / "features", store) as running,
    ):
        return compare_prompts(lab, running, watcher, most)


def compare_prompts(
    lab: Lab, engine: StoringEngine, watcher: Watcher, most: int = SAMPLE
) -> ComparedPrompts:
    """Ask a whole decoder in several ways about at most so many test items, drawn by chance.

    Raises ValueError for an encoder, which is asked nothing.
    """
    if lab.source.kind != "decoder":
        raise ValueError(f"an encoder is asked nothing; got '{lab.source.name}'.")
    task, zero_shot = lab.task, lab.recipes["zero_shot"]
    asked = zero_shot.prompt, _normalisation(dict(zero_shot.settings).get("normalisation", "sum"))
    sample = _sample(task.test_positions.size, most)
    positions = task.test_positions[sample]
    right: dict[tuple[str, Normalisation], NDArray[np.bool_]] = {}
    for version in dict.fromkeys((asked[0], *_VERSIONS)):
        scores = engine.choice_scores(version, positions, watcher, f"checking prompt {version}")
        for normalisation in _NORMALISATIONS:
            picked, _ = likeliest(scores.by(normalisation), task, positions)
            right[version, normalisation] = picked == task.answers[positions]
    clusters = ItemClusters(task.test_groups[sample])
    of_asked = right.pop(asked)
    confidence = 1 - (1 - CONFIDENCE) / len(right)
    ways = [_way(asked, of_asked, None, clusters, confidence)]
    ways += [_way(way, own, of_asked, clusters, confidence) for way, own in right.items()]
    return ComparedPrompts(
        model=lab.source.label,
        items=int(sample.size),
        without_model=_without_model(lab, sample),
        ways=ways,
    )


def prompt_remarks(found: ComparedPrompts) -> list[str]:
    """What there is to say of the configured prompt: a better one, or that it tells nothing."""
    asked, better = found.ways[0], found.better
    is_right = (
        f"asked by prompt {asked.prompt} ({asked.normalisation}) {found.model} is right on "
        f"{percent(asked.accuracy.estimate)} of {found.items} test items"
    )
    if better is not None:
        return [
            f"{is_right}, by {better.prompt} ({better.normalisation}) on "
            f"{percent(better.accuracy.estimate)}: set [prompt] choices = "
            f'"{better.prompt}" and normalisation = "{better.normalisation}".'
        ]
    if not found.tells:
        return [
            f"{is_right}, which is not resolved to be above the {percent(found.without_model)} "
            "that need no model; no other prompt is resolved to be better."
        ]
    return []


def _sample(count: int, most: int) -> Positions:
    """Places of test items, drawn by chance where there are more than wanted; in order."""
    drawn = np.random.default_rng(0).permutation(count)[:most]
    return np.asarray(np.sort(drawn))


def _way(
    way: tuple[str, Normalisation],
    right: NDArray[np.bool_],
    asked: NDArray[np.bool_] | None,
    clusters: ItemClusters,
    confidence: float,
) -> ComparedPrompt:
    over = None
    if asked is not None:
        over = clusters.difference(right[None], asked[None], confidence)
    accuracy = clusters.accuracy(right[None])
    return ComparedPrompt(prompt=way[0], normalisation=way[1], accuracy=accuracy, over_asked=over)


def _without_model(lab: Lab, sample: Positions) -> float:
    """Accuracy on the sample of the commonest class of every stratum, or of guessing."""
    strata = lab.task.test_strata[sample]
    right = 1 / lab.task.choice_counts[lab.task.test_positions[sample]]
    for name in dict.fromkeys(strata.tolist()):
        always = lab.commonest_class(name)
        if always is not None:
            of_stratum = strata == name
            right[of_stratum] = always.correct[sample][of_stratum]
    return float(right.mean())


def _normalisation(name: object) -> Normalisation:
    return next(own for own in _NORMALISATIONS if own == name)


def shown_order(ways: Sequence[ComparedPrompt]) -> list[ComparedPrompt]:
    """Ways to ask, the most accurate first."""
    return sorted(ways, key=lambda way: -(way.accuracy.estimate or 0.0))
