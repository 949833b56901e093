"""Every trial is handed out once, the longest first; a lost worker's goes to another."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.strata.bands import Strata
from training.engines.dispatch import Dispatcher, Outcome, WorkerLostError, attempt, trial_name
from training.progress import Passed, Tell
from training.trial import Recipe, Trial, TrialResult

RESULT = TrialResult(np.array([True, False]), 1.0, 1, "cpu")
TRIAL = Trial(
    item_fingerprint="f" * 64,
    strata=Strata.easy_medium_hard("steps", 2, 5),
    target="hard",
    test_target=10,
    test_others=6,
    test_seed=0,
    model="pico",
    revision="r1",
    recipe=Recipe("qlora", (), quantisation="nf4"),
    mix=(("easy", 6), ("hard", 9)),
    terms=(("easy", 0.1, "redraw"), ("hard", 0.2, "redraw")),
    pilot=None,
    seed=2,
)


def trial(labels: int) -> Trial:
    return replace(TRIAL, mix=(("easy", labels),))


class HandWorker:
    """A worker whose answers the test gives by hand."""

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.start: Future[InputError | None] = Future()
        self.trials: list[Trial] = []
        self.answer: Future[TrialResult | InputError] = Future()
        self.ended_at_once: bool | None = None

    def ready(self) -> Future[InputError | None]:
        return self.start

    def run(self, trial: Trial) -> Future[TrialResult | InputError]:
        assert self.start.done()
        assert not self.trials or self.answer.done()  # one at a time
        self.trials.append(trial)
        self.answer = Future()
        return self.answer

    def told(self) -> Passed | None:
        return None

    def own_error(self, error: BaseException) -> BaseException:
        return WorkerLostError("gone") if isinstance(error, ConnectionError) else error

    def end(self, at_once: bool) -> None:
        self.ended_at_once = at_once


class Hands:
    """Hires HandWorkers and remembers them."""

    def __init__(self) -> None:
        self.workers: list[HandWorker] = []

    def __call__(self, slot: int) -> HandWorker:
        self.workers.append(HandWorker(slot))
        return self.workers[-1]


@pytest.fixture
def hands() -> Hands:
    return Hands()


def labels_of(trials: list[Trial]) -> list[int]:
    return [sum(trial.labels().values()) for trial in trials]


def ended(dispatcher: Dispatcher) -> list[tuple[Trial, Outcome]]:
    return list(dispatcher.outcomes(block=False))


def test_the_longest_first_to_whoever_is_free(hands: Hands) -> None:
    dispatcher = Dispatcher(hands, 2, retries=0)
    dispatcher.start([trial(3), trial(9), trial(5), trial(7)])
    one, other = hands.workers  # no more than two are hired for four trials
    assert ended(dispatcher) == []
    other.start.set_result(None)
    assert ended(dispatcher) == []
    assert (labels_of(one.trials), labels_of(other.trials)) == ([], [9])
    one.start.set_result(None)
    assert ended(dispatcher) == []
    one.answer.set_result(RESULT)
    assert [(labels_of([t]), outcome) for t, outcome in ended(dispatcher)] == [([7], RESULT)]
    other.answer.set_result(RESULT)
    assert len(ended(dispatcher)) == 1
    assert (labels_of(one.trials), labels_of(other.trials)) == ([7, 5], [9, 3])
    one.answer.set_result(RESULT)
    other.answer.set_result(RESULT)
    assert len(list(dispatcher.outcomes(block=True))) == 2
    assert ended(dispatcher) == []


def test_no_more_workers_than_trials_and_they_stay(hands: Hands) -> None:
    dispatcher = Dispatcher(hands, 3, retries=0)
    for labels in (1, 2):
        dispatcher.start([trial(labels)])
        if not hands.workers[0].start.done():
            hands.workers[0].start.set_result(None)
        ended(dispatcher)
        hands.workers[0].answer.set_result(RESULT)
        assert len(ended(dispatcher)) == 1
    assert len(hands.workers) == 1
    dispatcher.close(abandon=False)
    assert hands.workers[0].ended_at_once is False


def test_an_error_is_the_trials_own_and_the_worker_goes_on(hands: Hands) -> None:
    dispatcher = Dispatcher(hands, 1, retries=3)
    dispatcher.start([trial(3), trial(2), trial(1)])
    (worker,) = hands.workers
    worker.start.set_result(None)
    ended(dispatcher)
    returned, raised = InputError("bad"), ZeroDivisionError("worse")
    worker.answer.set_result(returned)
    assert ended(dispatcher)[0][1] is returned
    worker.answer.set_exception(raised)
    assert ended(dispatcher)[0][1] is raised
    worker.answer.set_result(RESULT)
    assert ended(dispatcher)[0][1] is RESULT
    assert hands.workers == [worker]


def lose_trials(dispatcher: Dispatcher, hands: Hands) -> Iterator[list[tuple[Trial, Outcome]]]:
    """Whatever starts is lost with its trial."""
    while True:
        hands.workers[-1].start.set_result(None)
        ended(dispatcher)
        hands.workers[-1].answer.set_exception(ConnectionError())
        yield ended(dispatcher)


def test_a_lost_trial_is_run_again_so_often_and_no_more(hands: Hands) -> None:
    dispatcher = Dispatcher(hands, 1, retries=2)
    dispatcher.start([trial(4), trial(3)])
    losing = lose_trials(dispatcher, hands)
    assert next(losing) == []
    assert next(losing) == []
    ((lost, outcome),) = next(losing)
    assert labels_of([lost]) == [4]
    assert isinstance(outcome, InputError)
    assert "qlora on 4 easy labels, seed 2: lost its worker 3 times (gone)" in str(outcome)
    assert [labels_of(worker.trials) for worker in hands.workers[:3]] == [[4], [4], [4]]
    assert [worker.ended_at_once for worker in hands.workers[:3]] == [True] * 3
    assert [worker.slot for worker in hands.workers] == [0] * 4
    hands.workers[3].start.set_result(None)
    ended(dispatcher)
    assert labels_of(hands.workers[3].trials) == [3]


def test_one_that_cannot_be_replaced_holds_nothing_up(hands: Hands) -> None:
    dispatcher = Dispatcher(hands, 2, retries=1)
    dispatcher.start([trial(4), trial(3)])
    one, other = hands.workers
    one.start.set_result(None)
    other.start.set_result(None)
    ended(dispatcher)
    other.answer.set_exception(ConnectionError())
    assert ended(dispatcher) == []
    assert len(hands.workers) == 3  # the third never becomes ready
    one.answer.set_result(RESULT)
    assert len(ended(dispatcher)) == 1
    one.answer.set_result(RESULT)
    assert len(list(dispatcher.outcomes(block=True))) == 1
    assert labels_of(one.trials) == [4, 3]


def test_workers_that_do_not_start_end_the_work(hands: Hands) -> None:
    dispatcher = Dispatcher(hands, 1, retries=1)
    dispatcher.start([trial(4)])
    hands.workers[0].start.set_exception(ConnectionError())
    assert ended(dispatcher) == []
    hands.workers[1].start.set_exception(ConnectionError())
    with pytest.raises(InputError, match="a worker ended before it could start a trial: gone"):
        ended(dispatcher)


@pytest.mark.parametrize("error", [InputError("no model there"), ZeroDivisionError("bug")])
def test_what_a_worker_says_of_its_start_ends_the_work(hands: Hands, error: Exception) -> None:
    dispatcher = Dispatcher(hands, 2, retries=1)
    dispatcher.start([trial(4), trial(3)])
    if isinstance(error, InputError):
        hands.workers[1].start.set_result(error)
    else:
        hands.workers[1].start.set_exception(error)
    with pytest.raises(type(error), match=str(error)):
        ended(dispatcher)


def test_after_a_stop_only_what_runs_is_waited_for(hands: Hands) -> None:
    dispatcher = Dispatcher(hands, 1, retries=0)
    dispatcher.start([trial(4), trial(3)])
    (worker,) = hands.workers
    worker.start.set_result(None)
    ended(dispatcher)
    dispatcher.stop()
    worker.answer.set_result(RESULT)
    assert len(list(dispatcher.outcomes(block=True))) == 1
    assert labels_of(worker.trials) == [4]
    dispatcher.close(abandon=True)
    assert worker.ended_at_once is True


def test_bad_input_is_returned_and_a_bug_is_raised() -> None:
    class Raising:
        def __init__(self, error: Exception) -> None:
            self.error = error

        def run(self, trial: Trial, tell: Tell) -> TrialResult:
            raise self.error

    error = InputError("bad")
    assert attempt(Raising(error), trial(1)) is error
    with pytest.raises(ZeroDivisionError):
        attempt(Raising(ZeroDivisionError()), trial(1))


def test_a_trial_in_words() -> None:
    assert trial_name(TRIAL) == "qlora on 6 easy + 9 hard labels, seed 2"
    assert trial_name(replace(TRIAL, recipe=Recipe("zero_shot"), mix=())) == "zero_shot, seed 2"
    rehearsal = replace(TRIAL, recipe=Recipe("probe"), borrowed=8, rehearses=(("easy", 64),))
    assert trial_name(rehearsal) == (
        "probe on 64 easy guessed labels (from 6 easy + 9 hard + 8 borrowed hard), seed 2"
    )
