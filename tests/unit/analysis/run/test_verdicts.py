import pytest

from analysis.run.verdicts import plain_name


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("all_easy", "all easy"),
        ("all_grade_5", "all grade_5"),
        ("grade_5_equal_count", "grade_5 equal count"),
        ("equal_spend", "equal spend"),
        ("plan", "plan"),
    ],
)
def test_a_stratum_keeps_its_own_spelling(key: str, words: str) -> None:
    assert plain_name(key) == words
