"""How much work the next plan takes: trials to train, items to read, and for how long."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from annotation.arrays import Positions
from budget.collection.predicting import kind_of_probe
from budget.config.collection_config import CollectionConfig
from training.lab import Lab
from training.models.source import ModelSource
from training.reading_cost import ReadingCost
from training.store import TrialStore
from training.task import Task
from training.trial import Trial
from training.unlabelled.reading import MOST_READ

if TYPE_CHECKING:
    from training.features import FeatureStore
    from training.running.runner import TrialRunner

_SIZES = ((1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
SAMPLE = 8  # items that are read to see how long it takes


@dataclass(frozen=True)
class Workload:
    """What has to be done before a batch can be planned.

    Attributes
    ----------
    trials : models to train
    kept : that were trained before, and are not trained again
    items : that a model has to read for it, the sample included
    sample : of these that were read to see how long it takes; they are kept
    reading_seconds : of all items, as the sample tells; None where none has to be read
    training_seconds : of all trials, as those of before tell; None where there were none
    tokens, flops : of all items, and floating-point operations of one pass over them
    """

    trials: int
    kept: int
    items: int
    sample: int
    reading_seconds: float | None
    training_seconds: float | None
    tokens: int = 0
    flops: float = 0.0


class _Reading(TypedDict):
    """The part of a workload that is about reading."""

    items: int
    sample: int
    reading_seconds: float | None
    tokens: int
    flops: float


def workload(
    lab: Lab,
    trials: Sequence[Trial],
    folder: Path,
    store: TrialStore,
    others: Iterable[Positions] = (),
) -> Workload:
    """The work that trials still are; a few items are read for it, and kept in `folder`.

    Parameters
    ----------
    lab
        Whose trials they are.
    trials
        All that will be asked for.
    folder
        Where features of items are kept.
    store
        Where finished trials are.
    others
        Further items that a model reads for it.
    """
    missing = store.missing(trials)
    keys = {trial.key for trial in missing}
    done = {t.key: store.get(t) for t in trials if t.key not in keys}
    seconds = [own.seconds for own in done.values() if own is not None]
    probes = [trial for trial in missing if trial.method == "probe"]
    from training.running.runner import TrialRunner

    runner = TrialRunner(lab.task, lab.source, folder)
    unread = runner.unread(probes) if probes else []
    looked_at = np.unique(np.concatenate([np.array([], dtype=np.int64), *others]))
    if probes:
        looked_at = np.setdiff1d(looked_at, runner.feature_positions(probes))
    if looked_at.size:
        features = runner.features(*kind_of_probe(lab))
        unread += [(features, own) for own in [features.without_features(looked_at)] if own.size]
    reading = _reading(unread, runner)
    return Workload(
        trials=len(missing),
        kept=len(done),
        training_seconds=float(np.mean(seconds)) * len(missing) if seconds else None,
        **reading,
    )


def first_workload(
    task: Task, source: ModelSource, config: CollectionConfig, asked: Positions, folder: Path
) -> Workload | None:
    """What a model has to read before the second batch; None where no probes plan.

    How many trials there will be is not known before anybody has judged anything. `asked` are the
    items of the first batch; as many others are read as usual.
    """
    if config.methods.plan_with != "probe":
        return None
    others = [name for name in config.strata.buy if name != task.target]
    looked_at = [task.unlabelled(name, MOST_READ) for name in others]
    items = np.unique(np.concatenate([task.test_positions, asked, *looked_at]))
    from training.running.runner import TrialRunner

    runner = TrialRunner(task, source, folder)
    store = runner.features(config.prompt_version("probe"), config.probe.optimiser == "paper")
    return Workload(0, 0, training_seconds=None, **_reading([(store, items)], runner))


def _reading(unread: "Sequence[tuple[FeatureStore, Positions]]", runner: "TrialRunner") -> _Reading:
    """What reading takes; a few items are read to see how long, and kept."""
    count = sum(items.size for _, items in unread)
    if not count:
        return _Reading(items=0, sample=0, reading_seconds=None, tokens=0, flops=0.0)
    loaded = runner.reader()
    cost = sum((store.cost(items, loaded) for store, items in unread), ReadingCost())
    sample, per_item = _read_a_few(unread, runner)
    return _Reading(
        items=count,
        sample=sample,
        reading_seconds=count * per_item,
        tokens=cost.tokens,
        flops=cost.flops,
    )


def _read_a_few(
    unread: "Sequence[tuple[FeatureStore, Positions]]", runner: "TrialRunner"
) -> tuple[int, float]:
    """Read a few items, spread over all; how many, and seconds of one without the loading."""
    begun, done = time.perf_counter(), 0
    for store, items in unread:
        places = np.linspace(0, items.size - 1, min(SAMPLE - done, items.size)).astype(np.int64)
        some = np.unique(items[places])
        if some.size:
            store.get(some, runner.reader)
        done += some.size
    return done, (time.perf_counter() - begun) / done


def work_line(work: Workload) -> str:
    """The work in a line, for people."""
    if not work.trials:
        return f"work: nothing to train; {work.kept:,} trials are kept"
    kept = f" ({work.kept:,} more are kept)" if work.kept else ""
    told = [f"work: {work.trials:,} trials to train{kept}"]
    if work.items and work.reading_seconds is not None:
        told.append(reading_line(work, work.reading_seconds))
    told.append(
        "how long training takes is not known yet"
        if work.training_seconds is None
        else f"training about {_duration(work.training_seconds)} as trials of before took"
    )
    return "; ".join(told)


def reading_line(work: Workload, seconds: float) -> str:
    """What is to be read, in a phrase."""
    return (
        f"{work.items:,} items to read first ({work.tokens:,} tokens, "
        f"{_in_words(work.flops)} FLOPs), about {_duration(seconds)} as {work.sample} of them took"
    )


def _in_words(number: float) -> str:
    """A large number for people: "49 billion"."""
    for size, name in _SIZES:
        if number >= size:
            return f"{number / size:,.{0 if number >= 10 * size else 1}f} {name}"
    return f"{number:,.0f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} seconds" if seconds < 10 else f"{seconds:.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
