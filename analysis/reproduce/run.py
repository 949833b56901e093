"""Run experiments: train what is missing, find what they claim, write tables, figures and a page.

Every trial is kept the moment it is done, under everything that can change it, so that work that
was stopped goes on from there, and experiments that want the same trials share them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from analysis.accuracy import CONFIDENCE
from analysis.reproduce.claims import without_cases
from analysis.reproduce.drawings import Drawing
from analysis.reproduce.experiment import Answers, Experiment, Finding, WantedTrials
from analysis.reproduce.page import write_page
from analysis.reproduce.result import ExperimentResult, Reproduction, Status
from analysis.reproduce.study import NotApplicableError, Study
from analysis.reproduce.tables import csv_text, latex_text
from analysis.run.result import ModelSummary
from analysis.version import labelmix_version
from annotation.errors import InputError, MachineError
from annotation.items.table import REMARKS, fingerprint
from annotation.locks import FolderInUseError, exclusive
from annotation.whole_files import whole_file, writing
from annotation.written_together import written_together
from training.engines import Watcher
from training.engines.base import StoringEngine
from training.engines.choice import EngineChoice
from training.store import TrialStore
from training.trial import Trial, TrialResult

Clock = Callable[[], float]


@dataclass(frozen=True)
class Reproduced:
    """Everything that was found; the drawings of every experiment by its name."""

    result: Reproduction
    drawings: dict[str, list[Drawing]]


def run_reproduction(
    study: Study,
    experiments: Sequence[Experiment],
    out: Path,
    watcher: Watcher,
    engine: EngineChoice,
    most_seconds: float | None = None,
    clock: Clock = time.monotonic,
) -> Reproduced:
    """Run experiments one after the other; results are written to `out` after each.

    Where `most_seconds` are over, no further trial is begun: what is left is told as not finished,
    and the same call goes on from there.

    Raises InputError if another command works in `out`, or a model cannot be used.
    """
    began = clock()
    deadline = None if most_seconds is None else began + most_seconds
    done: list[ExperimentResult] = []
    drawings: dict[str, list[Drawing]] = {}
    outcome: Reproduced | None = None
    with exclusive(out, "labelmix reproduce"), TrialStore(out / "trials.sqlite") as store:
        trainer = _Trainer(study, store, watcher, engine, deadline, clock)
        for experiment in experiments:
            result, drawn = _one(study, experiment, trainer)
            done.append(result)
            drawings[experiment.name] = drawn
            outcome = Reproduced(_summary(study, done, store, clock() - began), drawings)
            write_outcome(outcome, out)
    assert outcome is not None, "there is an experiment at least"
    return outcome


@dataclass(frozen=True)
class _Trainer:
    """Trains what experiments want, until the time is over."""

    study: Study
    store: TrialStore
    watcher: Watcher
    engine: EngineChoice
    deadline: float | None
    clock: Clock

    def train(self, wanted: Sequence[WantedTrials], name: str) -> dict[str, TrialResult] | None:
        """Results by key of all trials; None where the time was over before they were done."""
        for own in wanted:
            missing = self.store.missing(own.trials)
            if not missing:
                continue
            if self.over:
                return None
            lab = own.lab
            with self.engine.start(lab.task, lab.source, self.study.folder, self.store) as running:
                if not self._run(running, missing, f"{name}: {own.what}"):
                    return None
        found = {}
        for trial in (trial for own in wanted for trial in own.trials):
            result = self.store.get(trial)
            assert result is not None
            found[trial.key] = result
        return found

    def _run(self, engine: StoringEngine, missing: Sequence[Trial], what: str) -> bool:
        """Whether all were run: probes together, which share their work, and others in parts."""
        if self.deadline is None:
            engine.run(missing, self.watcher, what)
            return True
        for is_probe, group in groupby(missing, key=lambda trial: trial.method == "probe"):
            trials = list(group)
            for part in [trials] if is_probe else [[trial] for trial in trials]:
                if self.over:
                    return False
                engine.run(part, self.watcher, what)
        return True

    @property
    def over(self) -> bool:
        return self.deadline is not None and self.clock() >= self.deadline


def _one(
    study: Study, experiment: Experiment, trainer: _Trainer
) -> tuple[ExperimentResult, list[Drawing]]:
    """An experiment's result and its figures."""
    trials = 0
    try:
        wanted = experiment.wanted(study)
        trials = len({trial.key for own in wanted for trial in own.trials})
        results = trainer.train(wanted, experiment.name)
        if results is None or (not wanted and trainer.over):
            why = "the time was over; the same command goes on from there."
            return _without(experiment, "not finished", why, trials), []
        finding = experiment.find(study, Answers(results))
    except NotApplicableError as error:
        return _without(experiment, "not applicable", str(error), trials), []
    except (MachineError, FolderInUseError):
        raise
    except InputError as error:  # of this experiment's trials: the others may well go on
        return _without(experiment, "not finished", str(error), trials), []
    return _found(experiment, finding, trials), list(finding.drawings)


def _found(experiment: Experiment, finding: Finding, trials: int) -> ExperimentResult:
    return ExperimentResult(
        name=experiment.name,
        title=experiment.title,
        measures=experiment.measures,
        status="done",
        why=None,
        claims=list(finding.claims),
        tables=list(finding.tables),
        figures=[drawing.name for drawing in finding.drawings],
        notes=list(finding.notes),
        trials=trials,
    )


def _without(experiment: Experiment, status: Status, why: str, trials: int) -> ExperimentResult:
    claims = experiment.claims if status == "not applicable" else ()
    return ExperimentResult(
        name=experiment.name,
        title=experiment.title,
        measures=experiment.measures,
        status=status,
        why=why,
        claims=[without_cases(claim, why) for claim in claims],
        tables=[],
        figures=[],
        notes=[],
        trials=trials,
    )


def _summary(
    study: Study, done: Sequence[ExperimentResult], store: TrialStore, seconds: float
) -> Reproduction:
    return Reproduction(
        labelmix_version=labelmix_version(),
        data=study.data,
        source=study.source,
        items=len(study.items),
        item_fingerprint=fingerprint(study.items),
        models=[
            ModelSummary(
                name=model.source.label,
                revision=model.source.revision,
                kind=model.source.kind,
                parameters=model.parameters,
            )
            for model in study.models
        ],
        design=asdict(study.design),
        confidence=CONFIDENCE,
        remarks=list(study.items.attrs.get(REMARKS, ())),
        experiments=list(done),
        trials=len(store),
        timing={"run_seconds": seconds},
    )


def write_outcome(outcome: Reproduced, out: Path) -> None:
    """Write reproduction.json, the page, and every table and figure, all or none of them.

    Raises InputError if a file cannot be written.
    """
    stale = _stale(outcome.result, out)
    with written_together():
        for experiment in outcome.result.experiments:
            for table in experiment.tables:
                for suffix, text in (("csv", csv_text(table)), ("tex", latex_text(table))):
                    with whole_file(out / "tables" / f"{table.name}.{suffix}") as unfinished:
                        unfinished.write_text(text, encoding="utf-8")
            for drawing in outcome.drawings.get(experiment.name, []):
                drawing.write(out / "figures")
        with whole_file(out / "reproduction.json") as unfinished:
            unfinished.write_text(outcome.result.model_dump_json(indent=2) + "\n", encoding="utf-8")
        write_page(outcome.result, outcome.drawings, out / "reproduction.html")
    for path in stale:
        with writing(path):
            path.unlink(missing_ok=True)


def _stale(result: Reproduction, out: Path) -> list[Path]:
    """Tables and figures that an earlier call wrote of these experiments, and this one does not."""
    try:
        text = (out / "reproduction.json").read_text(encoding="utf-8")
        earlier = Reproduction.model_validate_json(text)
    except (OSError, ValueError):  # none there, or of another version
        return []
    names = {experiment.name for experiment in result.experiments}
    before = {p for own in earlier.experiments if own.name in names for p in _files(own)}
    now = {path for own in result.experiments for path in _files(own)}
    return [out / path for path in sorted(before - now)]


def _files(experiment: ExperimentResult) -> list[str]:
    """The files of an experiment's tables and figures, in the folder of all."""
    tables = [f"tables/{own.name}.{end}" for own in experiment.tables for end in ("csv", "tex")]
    return tables + [
        f"figures/{name}.{end}" for name in experiment.figures for end in ("png", "svg")
    ]
