from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.machines.labels import MachineLabels
from annotation.machines.routing import (
    Promise,
    Route,
    allowed_errors,
    drawing_order,
    route,
    sample_size,
)

Make = Callable[..., MachineLabels]


def asked_in_turn(truth: MachineLabels, promise: Promise, seed: int = 0) -> tuple[Route, int, int]:
    """People answer what they are asked, time after time: the last route, answers, and calls."""
    known: NDArray[np.int64] = np.full(len(truth), -1)
    for calls in range(1, 100):
        found = route(replace(truth, people=known), promise, seed)
        if found.is_decided:
            return found, int((known >= 0).sum()), calls
        assert (known[found.ask] < 0).all()  # nobody is asked twice
        assert len(found.why) == found.ask.size
        known = known.copy()
        known[found.ask] = truth.people[found.ask]
    raise AssertionError("it does not end")


def test_people_are_asked_step_by_step_and_all_at_once_is_the_same(make_machine: Make) -> None:
    truth, promise = make_machine(1000, wrong=0.15), Promise(0.05)
    found, answers, calls = asked_in_turn(truth, promise)
    whole = route(truth, promise)
    np.testing.assert_array_equal(found.by_machine, whole.by_machine)
    # Batches of audits are asked for ahead: at most the last of them were not needed.
    assert 0 <= answers - int(whole.by_people.sum()) < 60
    assert found.by_machine.sum() > 300 and calls > 2
    assert not (found.by_machine & whole.by_people).any()
    assert (found.by_machine | whole.by_people).all()


def test_the_first_question_is_a_sample_drawn_at_random(make_machine: Make) -> None:
    labels = make_machine(people=np.full(400, -1))
    found = route(labels, Promise(0.05), seed=3)
    assert set(found.why) == {"sample"}
    assert sorted(found.ask) == sorted(drawing_order(labels, 3)[: sample_size(400)])
    assert found.expected is None and found.audit_rate is None
    other = route(labels, Promise(0.05), seed=4)
    assert sorted(found.ask) != sorted(other.ask)


def test_a_perfect_machine_labels_most_and_a_useless_one_next_to_nothing(
    make_machine: Make,
) -> None:
    perfect = route(make_machine(2000, wrong=0.0), Promise(0.05))
    assert perfect.by_people.mean() < 0.15 and perfect.found == 0
    useless = route(make_machine(2000, wrong=0.66, sure=False), Promise(0.01))
    # Twenty labels may be wrong: a few items are let through, at an audit of nearly all.
    assert useless.by_machine.mean() < 0.03 and useless.is_decided


def test_items_without_an_answer_of_the_machine_go_to_people(make_machine: Make) -> None:
    labels = make_machine(600, wrong=0.05)
    said = labels.said.copy()
    said[:100] = -1
    found = route(replace(labels, said=said), Promise(0.05))
    assert found.by_people[:100].all() and found.by_machine[100:].any()
    known = np.where(np.arange(600) < 100, -1, labels.people)
    asked = route(replace(labels, said=said, people=known), Promise(0.05))
    assert asked.ask.tolist() == list(range(100)) and set(asked.why) == {"no answer"}


def test_fewer_items_than_a_sample_are_all_for_people(make_machine: Make) -> None:
    found = route(make_machine(20), Promise(0.05))
    assert found.by_people.all() and found.is_decided and not found.by_machine.any()


def test_answers_that_nobody_asked_for_change_nothing(make_machine: Make) -> None:
    truth, promise = make_machine(800, wrong=0.1), Promise(0.05)
    first = route(replace(truth, people=np.full(800, -1)), promise)
    known = np.full(800, -1)
    known[first.ask] = truth.people[first.ask]
    some = known.copy()
    spare = np.setdiff1d(np.arange(800), first.ask)[:200]
    some[spare] = truth.people[spare]
    one, other = (route(replace(truth, people=own), promise) for own in (known, some))
    assert (one.audit_rate, one.allowed) == (other.audit_rate, other.allowed)


def test_allowed_errors_against_what_is_drawn() -> None:
    """How many of the wrong answers are audited before so many stay, by drawing them."""
    rng = np.random.default_rng(5)
    stay, rate, sure = 20, 0.3, 0.9
    audited = rng.random((20_000, 200)) < rate
    at = np.argmax(np.cumsum(~audited, axis=1) == stay + 1, axis=1)
    before = np.cumsum(audited, axis=1)[np.arange(len(at)), at]
    allowed = allowed_errors(stay, rate, sure)
    assert (before <= allowed).mean() <= 1 - sure + 0.01
    assert (before <= allowed + 1).mean() > 1 - sure - 0.01


def test_too_few_audits_allow_nothing() -> None:
    assert allowed_errors(2, 0.02, 0.95) == -1
    assert allowed_errors(500, 0.02, 0.95) >= 0


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 2.0])
def test_a_share_that_makes_no_sense(share: float) -> None:
    with pytest.raises(InputError, match="share of wrong labels should be above 0 and below 1"):
        Promise(share)


def test_other_numbers_that_make_no_sense(make_machine: Make) -> None:
    with pytest.raises(InputError, match=r"probability should be at least \.5"):
        Promise(0.05, 0.2)
    with pytest.raises(InputError, match="sample should have at least 1 item"):
        route(make_machine(), Promise(0.05), sample=0)
