"""How much work the next plan takes: trials to train, items to read, and for how long."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotation.arrays import Positions
from budget.collection.predicting import kind_of_probe
from training.lab import Lab
from training.running.runner import TrialRunner
from training.store import TrialStore
from training.trial import Trial

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
    """

    trials: int
    kept: int
    items: int
    sample: int
    reading_seconds: float | None
    training_seconds: float | None


def workload(
    lab: Lab,
    trials: Sequence[Trial],
    folder: Path,
    store: TrialStore,
    others: Iterable[Positions] = (),
) -> Workload:
    """The work that trials still are; a few items are read for it, and kept.

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
    runner = TrialRunner(lab.task, lab.source, folder)
    of_trials = runner.absent_features(probes) if probes else 0
    looked_at = np.unique(np.concatenate([np.array([], dtype=np.int64), *others]))
    if probes:
        looked_at = np.setdiff1d(looked_at, runner.feature_positions(probes))
    items = of_trials
    if looked_at.size:
        items += runner.features(*kind_of_probe(lab)).absent(looked_at)
    sample, per_item = _read_a_few(runner, probes) if of_trials else (0, None)
    return Workload(
        trials=len(missing),
        kept=len(done),
        items=items,
        sample=sample,
        reading_seconds=None if per_item is None else items * per_item,
        training_seconds=float(np.mean(seconds)) * len(missing) if seconds else None,
    )


def _read_a_few(runner: TrialRunner, probes: Sequence[Trial]) -> tuple[int, float]:
    """Read a few items, spread over all; how many, and seconds of one without the loading."""
    runner.reader()
    begun = time.perf_counter()
    count = runner.prepare_some_features(probes, SAMPLE)
    return count, (time.perf_counter() - begun) / count


def work_line(work: Workload) -> str:
    """The work in a line, for people."""
    if not work.trials:
        return f"work: nothing to train; {work.kept:,} trials are kept"
    kept = f" ({work.kept:,} more are kept)" if work.kept else ""
    told = [f"work: {work.trials:,} trials to train{kept}"]
    if work.items and work.reading_seconds is not None:
        told.append(
            f"{work.items:,} items to read first, about {_duration(work.reading_seconds)} as "
            f"{work.sample} of them took"
        )
    told.append(
        "how long training takes is not known yet"
        if work.training_seconds is None
        else f"training about {_duration(work.training_seconds)} as trials of before took"
    )
    return "; ".join(told)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} seconds" if seconds < 10 else f"{seconds:.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
