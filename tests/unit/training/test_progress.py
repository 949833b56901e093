"""What a long pass tells of itself."""

import pytest

from training.progress import Passed, telling


def test_a_pass_tells_now_and_then_and_at_its_end() -> None:
    now = [10.0]
    told: list[Passed] = []
    progress = telling(told.append, "training", "updates", 0.0, 0.8, lambda: now[0])
    for done in range(1, 101):
        now[0] += 0.1
        progress(done, 100, 50 * done)
    assert 15 <= len(told) <= 25  # half a second apart, of ten seconds
    assert (told[-1].done, told[-1].tokens) == (100, 5000)
    assert told[-1].seconds == pytest.approx(10.0)
    assert told[-1].tokens_per_second == pytest.approx(500.0)
    assert told[-1].seconds_left == 0.0
    assert told[-1].of_trial == pytest.approx(0.8)


def test_the_time_left_is_that_of_the_rate_so_far() -> None:
    passed = Passed("testing", "items", 30, 120, 900, 6.0, before=0.8, share=0.2)
    assert passed.seconds_left == pytest.approx(18.0)
    assert passed.of_trial == pytest.approx(0.85)
