"""How an item is put: instructions apart, choices by letter, nothing of another item."""

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.machines.language_model.question import check_askable, messages, request_name


def test_instructions_and_item_stand_apart() -> None:
    system, user = messages("Judge.", "Is it odd?", ["no", "yes"])
    assert system == {"role": "system", "content": "Judge."}
    assert user["role"] == "user"
    assert user["content"] == "Is it odd?\n\nA. no\nB. yes\n\nAnswer with one letter."


def test_every_part_of_a_request_makes_another_name() -> None:
    def name(url: str = "u", model: str = "m", longest: int = 16, **other: str) -> str:
        parts = {"instructions": "i", "question": "q", "choice": "a", **other}
        asked = messages(parts["instructions"], parts["question"], [parts["choice"], "b"])
        return request_name(url, model, longest, asked)

    names = {
        name(),
        name(url="v"),
        name(model="n"),
        name(longest=17),
        name(instructions="j"),
        name(question="r"),
        name(choice="c"),
    }
    assert len(names) == 7
    assert name() == name()


@pytest.mark.parametrize("choices", [None, [], ["one"], [str(k) for k in range(27)]])
def test_items_without_choices_or_with_too_many(choices: list[str] | None) -> None:
    items = pd.DataFrame({"choices": [["a", "b"], choices]})
    with pytest.raises(InputError, match=r"x\.csv: row 2: has (0|1|27) choices"):
        check_askable(items, "x.csv")
