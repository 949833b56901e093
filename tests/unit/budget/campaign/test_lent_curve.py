import pytest

from budget.campaign.lent_curve import curve_sizes


@pytest.mark.parametrize(
    ("test_items", "sizes"),
    [
        (0, []),
        (9, []),  # 7 could be lent
        (10, [8]),
        (100, [8, 16, 32, 64, 80]),
        (400, [8, 16, 32, 64, 128, 256, 320]),
    ],
)
def test_sizes_double_and_leave_items_to_score(test_items: int, sizes: list[int]) -> None:
    assert curve_sizes(test_items) == sizes
