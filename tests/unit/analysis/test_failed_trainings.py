"""Failed trainings are told, in `trial`, `run` and `curves` alike."""

import numpy as np

from analysis.failed_trainings import failed_trainings
from training.trial import FAILED, RESTARTS, TrialResult


def result(**details: float) -> TrialResult:
    return TrialResult(np.array([True, False]), 1.0, 1, "cpu", details)


def test_nothing_is_said_where_nothing_failed() -> None:
    assert failed_trainings([]) == []
    assert failed_trainings([result(), result(wrong_label_share=0.2)]) == []


def test_what_was_begun_anew_and_what_never_trained() -> None:
    trained = result(**{RESTARTS: 1.0, FAILED: 0.0})
    lost = result(**{RESTARTS: 2.0, FAILED: 1.0})
    (told,) = failed_trainings([result(), trained])
    assert told.startswith("1 of 2 trials began their training anew")
    anew, never = failed_trainings([result(), trained, lost])
    assert anew.startswith("2 of 3 trials began") and never.startswith("1 of 3 trials never")
    (alone,) = failed_trainings([result(**{RESTARTS: 0.0, FAILED: 1.0})])  # none was allowed
    assert alone.startswith("1 of 1 trials never trained")
