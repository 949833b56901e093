"""Workshop items are right, distinct, and their stories are never in the running text."""

import re
from itertools import islice

import pandas as pd
import pytest

from annotation.sources.workshop import load_workshop
from annotation.sources.workshop_world import (
    GAINS,
    LARGEST_TOTAL,
    LOSSES,
    Event,
    Story,
)
from training.pico.running_text import running_text

OPENING = re.compile(r"(\w+) has (\d+) (\w+)\.")
EVENT = re.compile(rf"(\w+) ({'|'.join((*GAINS, *LOSSES))}) (\d+)( more)?\.")
QUESTION = re.compile(r"How many (\w+) does (\w+) have now\?")


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    return load_workshop(1500)


def read_story(text: str) -> Story | None:
    """The story that a text tells, read from the text alone; None if it tells none."""
    opening = OPENING.match(text)
    if opening is None:
        return None
    person, start, thing = opening.groups()
    told = [match for match in EVENT.finditer(text, opening.end()) if match[1] == person]
    events = [
        Event(verb, int(n), 1 if verb in GAINS else -1)
        for _, verb, n, _ in map(re.Match.groups, told)
    ]
    return Story(person, thing, int(start), tuple(events))


def test_answers_are_right_by_recomputation_from_the_question(items: pd.DataFrame) -> None:
    for item in items.itertuples():
        story = read_story(item.question)
        assert story is not None
        asked = QUESTION.search(item.question)
        assert asked is not None and asked.groups() == (story.thing, story.person)
        total = story.start + sum(event.sign * event.amount for event in story.events)
        assert item.choices[item.answer] == str(total)
        assert len(story.events) == item.steps
        # The question tells this story and nothing else.
        assert item.question == " ".join([*story.sentences(), asked[0]])


def test_items_are_distinct_with_four_distinct_choices_in_range(items: pd.DataFrame) -> None:
    assert items["question"].is_unique
    for choices in items["choices"]:
        assert len(choices) == 4 == len(set(choices))
        assert all(0 <= int(choice) <= LARGEST_TOTAL for choice in choices)


def test_the_place_of_the_answer_says_nothing(items: pd.DataFrame) -> None:
    shares = items["answer"].value_counts(normalize=True)
    assert shares.min() > 0.25 - 0.056 and shares.max() < 0.25 + 0.056  # five standard deviations


@pytest.mark.parametrize("size", [1, 7, 400])
def test_a_longer_table_begins_with_the_shorter(items: pd.DataFrame, size: int) -> None:
    pd.testing.assert_frame_equal(load_workshop(size), items.iloc[:size])


def test_stories_of_items_are_never_in_the_running_text(items: pd.DataFrame) -> None:
    item_stories = [read_story(question) for question in items["question"]]
    assert all(story is not None and story.is_reserved() for story in item_stories)
    documents = list(islice(running_text(seed=0), 6000))
    stories = [story for text in documents if (story := read_story(text)) is not None]
    # Tales, claims and interviews are nine in ten documents; without this the test says nothing.
    assert len(stories) > 5000
    assert all(story.events for story in stories)
    assert not any(story.is_reserved() for story in stories)


def test_the_question_of_the_items_is_never_in_the_running_text() -> None:
    assert not any(QUESTION.search(text) for text in islice(running_text(seed=1), 6000))
