"""What all engines share: run what is missing, keep each result the moment it is there."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from annotation.arrays import Positions
from training.engines.dispatch import Dispatcher, Outcome, attempt, trial_name
from training.models.source import ModelSource
from training.progress import Passed
from training.store import TrialStore
from training.task import Task
from training.trial import Trial, TrialResult
from training.tuning.diverged import TrainingDivergedError

if TYPE_CHECKING:  # what loads models is loaded with the first model
    from training.running.runner import TrialRunner
    from training.scoring.choice_scores import ChoiceScores


class Watcher(Protocol):
    """Told how the work goes on."""

    def stage(self, description: str, total: int) -> None:
        """A stage of `total` steps begins."""

    def advance(self, steps: int = 1, tokens: int = 0) -> None:
        """So many steps of the stage are done, which took so many tokens, where that is known."""

    def within(self, step: str, passed: Passed) -> None:
        """How far a long step of the stage is, by its name; several may be under way at a time."""

    def ended(self, step: str) -> None:
        """A long step is done, or given up."""


class SilentWatcher:
    """Hears and says nothing."""

    def stage(self, description: str, total: int) -> None:
        pass

    def advance(self, steps: int = 1, tokens: int = 0) -> None:
        pass

    def within(self, step: str, passed: Passed) -> None:
        pass

    def ended(self, step: str) -> None:
        pass


class Engine(Protocol):
    """Where trials run."""

    def run(
        self, trials: Sequence[Trial], watcher: Watcher, description: str
    ) -> dict[str, TrialResult]:
        """Results by key of all `trials`; those already in the store are not run again.

        A trial whose loss is not finite does not stop the others: they are run and kept first.
        Any other error stops the work: no trial is started after it, and those that run then
        are still kept.

        Raises TrainingDivergedError naming the trials whose loss was not finite.
        """


class StoringEngine(ABC):
    """An engine that solves probes and scores choices in this process, other trials in workers.

    Only this process writes the store and the features: their files have one writer.
    """

    def __init__(self, task: Task, source: ModelSource, folder: Path, store: TrialStore) -> None:
        self._arguments = (task, source, folder)
        self._store = store
        self._runner: TrialRunner | None = None
        self._dispatcher: Dispatcher | None = None

    @abstractmethod
    def _uses_workers(self, trials: int) -> bool:
        """Whether so many trials, none of them a probe, go to workers."""

    @abstractmethod
    def _make_dispatcher(self) -> Dispatcher:
        """The workers; asked for once, before the first trial goes to them."""

    @property
    def runner(self) -> "TrialRunner":
        from training.running.runner import TrialRunner

        if self._runner is None:
            self._runner = TrialRunner(*self._arguments)
        return self._runner

    def choice_scores(
        self, prompt: str, positions: Positions, watcher: Watcher, description: str
    ) -> "ChoiceScores":
        """Scores of the choices of these items, put to a whole decoder by a prompt; kept."""
        store = self.runner.features(prompt)
        absent = store.absent_scores(positions)
        if absent:
            watcher.stage(description, absent)
        return store.scores(positions, self.runner.model, watcher.advance)

    def run(
        self, trials: Sequence[Trial], watcher: Watcher, description: str
    ) -> dict[str, TrialResult]:
        """Results by key of all `trials`: see Engine."""
        from training.running.runner import keeps_scores

        missing = self._store.missing(trials)
        probes = [trial for trial in missing if trial.method == "probe"]
        kept = [trial for trial in missing if keeps_scores(trial, self._arguments[1])]
        read_here = {trial.key for trial in (*probes, *kept)}
        others = [trial for trial in missing if trial.key not in read_here]
        here, apart = ([], others) if self._uses_workers(len(others)) else (others, [])
        here = [*kept, *here]
        if kept:
            absent = self.runner.absent_scores(kept)
            if absent:
                watcher.stage("zero-shot: reading test items", absent)
                self.runner.prepare_scores(kept, watcher.advance)
        if probes:
            absent = self.runner.absent_features(probes)
            if absent:
                watcher.stage("reading items", absent)
                self.runner.prepare_features(probes, watcher.advance)
        if missing:
            watcher.stage(description, len(missing))
        failed: dict[str, TrainingDivergedError] = {}
        try:
            for trial, outcome in self._outcomes(probes, here, apart, watcher):
                watcher.ended(trial_name(trial))
                if isinstance(outcome, TrialResult):
                    self._store.put(trial, outcome)
                elif isinstance(outcome, TrainingDivergedError):
                    failed[trial.key] = outcome
                else:
                    raise outcome
                watcher.advance()
        except Exception:
            self._keep_what_runs(watcher)
            raise
        except BaseException:  # an interruption waits for nothing
            self.close(abandon=True)
            raise
        if failed:
            raise _failure(missing, failed)
        results = {}
        for trial in trials:
            result_or_none = self._store.get(trial)
            assert result_or_none is not None
            results[trial.key] = result_or_none
        return results

    def close(self, abandon: bool = False) -> None:
        """End the workers: when they are done, or at once where their work is abandoned."""
        if self._dispatcher is not None:
            self._dispatcher.close(abandon)
            self._dispatcher = None

    def _outcomes(
        self,
        probes: Sequence[Trial],
        here: Sequence[Trial],
        apart: Sequence[Trial],
        watcher: Watcher,
    ) -> Iterator[tuple[Trial, Outcome]]:
        """Every trial as it ends; the workers' are looked after between those run here."""
        if apart:
            self._dispatcher = self._dispatcher or self._make_dispatcher()
            self._dispatcher.start(apart)
        for pair in self._here(probes, here, watcher):
            yield pair
            if self._dispatcher is not None:
                yield from self._dispatcher.outcomes(block=False, tell=watcher.within)
        if self._dispatcher is not None:
            yield from self._dispatcher.outcomes(block=True, tell=watcher.within)

    def _here(
        self, probes: Sequence[Trial], others: Sequence[Trial], watcher: Watcher
    ) -> Iterator[tuple[Trial, Outcome]]:
        if probes:
            yield from self.runner.run_probes(probes)
        for trial in others:
            yield trial, attempt(self.runner, trial, partial(watcher.within, trial_name(trial)))

    def _keep_what_runs(self, watcher: Watcher) -> None:
        if self._dispatcher is None:
            return
        self._dispatcher.stop()
        for trial, outcome in self._dispatcher.outcomes(block=True):
            if isinstance(outcome, TrialResult):
                self._store.put(trial, outcome)
                watcher.advance()


SomeEngine = TypeVar("SomeEngine", bound=StoringEngine)


@contextmanager
def closing(engine: SomeEngine) -> Iterator[SomeEngine]:
    """End an engine's workers with the block; at once if it ends with an error."""
    try:
        yield engine
    except BaseException:
        engine.close(abandon=True)
        raise
    engine.close()


def _failure(
    run: Sequence[Trial], failed: dict[str, TrainingDivergedError]
) -> TrainingDivergedError:
    """One error for all trials that diverged: the first one's, and the names of the others."""
    named = [trial for trial in run if trial.key in failed]
    message = (
        f"{len(named)} of {len(run)} trials failed, the others are done and kept: "
        f"{trial_name(named[0])}: {failed[named[0].key]}"
    )
    if len(named) > 1:
        message += f" Failed likewise: {'; '.join(map(trial_name, named[1:]))}."
    return TrainingDivergedError(message)
