import numpy as np
import pytest

from annotation.sources.workshop_world import (
    GAINS,
    LARGEST_AMOUNT,
    LARGEST_TOTAL,
    LOSSES,
    MOST_STEPS,
    Event,
    Story,
    draw_story,
)


def test_a_story_by_hand() -> None:
    story = Story("Ada", "tiles", 5, (Event("buys", 3, 1), Event("uses", 8, -1)))
    assert story.totals() == [5, 8, 0]
    assert story.sentences() == ["Ada has 5 tiles.", "Ada buys 3 more.", "Ada uses 8."]


def test_drawn_stories_stay_in_the_world() -> None:
    rng = np.random.default_rng(0)
    for number in range(600):
        steps = number % MOST_STEPS + 1
        story = draw_story(rng, steps)
        assert len(story.events) == steps
        assert all(0 <= total <= LARGEST_TOTAL for total in story.totals())
        for event in story.events:
            assert event.verb in (GAINS if event.sign > 0 else LOSSES)
            assert 1 <= event.amount <= LARGEST_AMOUNT


def test_about_one_story_in_eight_is_reserved() -> None:
    rng = np.random.default_rng(0)
    reserved = sum(draw_story(rng, 3).is_reserved() for _ in range(4000))
    assert 500 - 100 < reserved < 500 + 100  # 500 expected, standard deviation 21


def test_which_stories_are_reserved_never_changes() -> None:
    # The embedded model was trained on the others: a change here would leak its items.
    stories = [Story("Ada", "tiles", start, ()) for start in range(1, 20)]
    assert [story.start for story in stories if story.is_reserved()] == [1, 5, 16]


@pytest.mark.parametrize("steps", [0, MOST_STEPS + 1])
def test_impossible_steps(steps: int) -> None:
    with pytest.raises(ValueError, match=f"'steps' should be within 1..6; got {steps}"):
        draw_story(np.random.default_rng(0), steps)
