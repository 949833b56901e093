from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from annotation.machines.labels import MachineLabels
from annotation.machines.measured import measured_errors, to_check

Make = Callable[..., MachineLabels]


def test_all_that_were_checked_are_known_exactly(make_machine: Make) -> None:
    labels = make_machine(500)
    found = measured_errors(labels)
    wrong = float((labels.said != labels.people).mean())
    own = found.overall
    assert (own.wrong.low, own.wrong.estimate, own.wrong.high) == (wrong, wrong, wrong)
    assert (own.items, own.checked, own.more_checks, found.unused) == (500, 500, 0, 0)
    assert [part.name for part in found.strata] == ["even", "odd"]
    assert sum(part.items for part in found.strata) == 500
    assert [part.name for part in found.bands] == ["0.60", "0.80", "0.90", "0.99"]
    assert found.confusion.sum() == 500
    assert np.trace(found.confusion) == 500 - (labels.said != labels.people).sum()


def test_only_items_drawn_at_random_tell_it(make_machine: Make) -> None:
    """People who look where the machine is unsure find more errors than there are."""
    truth = make_machine(2000)
    unsure = np.where(truth.confidence < 0.7, truth.people, -1)
    at_random = to_check(replace(truth, people=unsure), 300, seed=1)
    assert 200 < at_random.size < 300  # some of the 300 are answered already
    known = unsure.copy()
    known[at_random] = truth.people[at_random]
    labels = replace(truth, people=known)
    share = float((truth.said != truth.people).mean())
    found = measured_errors(labels, seed=1)
    # The beginning of the order, and what happens to be known after it.
    assert 300 <= found.overall.checked < 310
    assert found.unused > 300
    low, high = found.overall.wrong.bounds
    assert low <= share <= high
    naive = measured_errors(labels, seed=1, drawn_by_user=True)
    assert naive.unused == 0 and naive.overall.wrong.bounds[0] > share


def test_nothing_is_known_where_nobody_was_asked(make_machine: Make) -> None:
    found = measured_errors(make_machine(people=np.full(400, -1)))
    assert found.overall.wrong.estimate is None and found.overall.checked == 0
    # 5 points either way at the worst share: 271 of items without end, of 400 fewer.
    assert found.overall.more_checks == 162
    assert all(own.missed.estimate is None for own in found.classes)


def test_in_which_direction_it_is_wrong() -> None:
    """A machine that says yes to half of the noes."""
    from .conftest import machine_labels

    truth = np.repeat([0, 1], 100)
    said = np.where(np.arange(200) < 150, 0, 1)
    labels = machine_labels(200, said=said, people=truth)
    yes, no, perhaps = measured_errors(labels).classes
    assert (yes.said, yes.true.estimate, yes.missed.estimate) == (0.75, 0.5, 0.0)
    assert yes.false.estimate == pytest.approx(1 / 3) and yes.taken_for is None
    assert (no.missed.estimate, no.false.estimate, no.taken_for) == (0.5, 0.0, "yes")
    assert (perhaps.said, perhaps.missed.estimate) == (0.0, None)


def test_items_with_choices_of_their_own_have_no_classes(make_machine: Make) -> None:
    labels = make_machine(30)
    own = [[f"a{k}", f"b{k}", f"c{k}"] for k in range(30)]
    found = measured_errors(replace(labels, items=labels.items.assign(choices=own)))
    assert found.classes == () and found.confusion.size == 0
