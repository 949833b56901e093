from collections.abc import Callable
from decimal import Decimal

import pandas as pd
import pytest

from annotation.judgments.number_spelling import number_of, one_spelling
from annotation.truth.coding import code_judgments

Make = Callable[..., pd.DataFrame]


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("-1,200.50", Decimal("-1200.5")), ("+.5", Decimal("0.5")), ("1,234,567", 1234567)],
)
def test_numbers(text: str, number: Decimal) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(
    "text", ["", "-", ".", "1,2", "12,34,567", "1e5", "1_0", "nan", "5 %", "1.", "\u0663", "9" * 99]
)
def test_other_texts_are_no_numbers(text: str) -> None:
    assert number_of(text) is None


def test_equal_numbers_are_spelled_as_the_first() -> None:
    texts = ["1200", None, "1,200.0", "yes", "Yes", "1200"]
    assert one_spelling(texts).tolist() == ["1200", None, "1200", "yes", "Yes", "1200"]


def test_free_answers_are_right_by_value(make: Make) -> None:
    rows = [(f"i{n}", who, said) for n in range(60) for who, said in
            (("x", f"{n + 1000:,}"), ("y", f"{n + 1000}.0"), ("z", f"{n}"))]  # fmt: skip
    coded = code_judgments(make(rows, gold=[str(int(n) + 1000) for n in range(60) for _ in "xyz"]))
    assert coded.kind == "open"
    right = coded.label == coded.gold[coded.item]
    assert right.reshape(60, 3).tolist() == [[True, True, False]] * 60
