import pytest

from annotation.name_value import name_and_value


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("easy=100", ("easy", "100")),
        (" easy = 1 00 ", ("easy", "1 00")),
        ("a=b@c=3", ("a=b@c", "3")),  # a name may hold equals signs
        ("easy=", ("easy", "")),
        ("=3", ("", "3")),
        ("easy", None),
        ("", None),
    ],
)
def test_split_at_the_last_sign(text: str, pair: tuple[str, str] | None) -> None:
    assert name_and_value(text) == pair


def test_split_at_the_first_sign_where_values_hold_some() -> None:
    assert name_and_value("question=a=b", at_first=True) == ("question", "a=b")
    assert name_and_value("question", at_first=True) is None
