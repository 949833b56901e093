"""Updates and learning rates by hand; the paper's preset."""

from dataclasses import replace

import pytest

from training.tuning.settings import PRESETS, QloraSettings


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (1, 40),  # one update an epoch: as many epochs as it takes
        (16, 40),
        (17, 40),  # two an epoch, twenty epochs
        (48, 42),  # three an epoch, fourteen epochs
        (160, 40),  # ten an epoch, four epochs
        (161, 44),
        (320, 80),
    ],
)
def test_updates(items: int, expected: int) -> None:
    assert QloraSettings(batch=16, epochs=4, least_updates=40).updates(items) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (10, 10),  # one an epoch; at least ten
        (50, 10),
        (60, 10),  # two an epoch, five epochs
        (160, 12),  # 50 + 50 + 50 + 10, three epochs
        (320, 21),
    ],
)
def test_updates_of_the_paper(items: int, expected: int) -> None:
    assert PRESETS["paper"].updates(items) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (10, 150),  # fifteen times as many at least
        (60, 150),  # two an epoch, 75 epochs
        (160, 152),  # four an epoch, 38 epochs
        (5000, 300),
    ],
)
def test_updates_of_the_paper_for_reasoning(items: int, expected: int) -> None:
    assert PRESETS["paper_reasoning"].updates(items) == expected
    assert replace(PRESETS["paper_reasoning"], least_updates=10) == PRESETS["paper"]


def test_the_rate_warms_up_and_falls_to_nothing() -> None:
    rate = QloraSettings(warm_up=0.05).rate(40)  # two updates of warm-up
    assert rate(0) == 1 / 2
    assert rate(1) == 1
    assert rate(20) == pytest.approx(20 / 39)
    assert rate(39) == pytest.approx(1 / 39)


def test_the_papers_rate_starts_full_and_falls_to_a_tenth() -> None:
    rate = PRESETS["paper"].rate(12)
    assert rate(0) == 1
    assert rate(6) == pytest.approx(0.55)
    assert rate(12) == pytest.approx(0.1)
    assert all(rate(update) > rate(update + 1) for update in range(12))


def test_presets() -> None:
    assert PRESETS["default"] == QloraSettings()
    paper = PRESETS["paper"]
    assert (paper.rank, paper.alpha, paper.dropout, paper.target_modules) == (
        16,
        32,
        0.1,
        "default",
    )
    assert (paper.learning_rate, paper.weight_decay, paper.largest_gradient) == (1e-4, 1e-5, 1.0)
    assert replace(paper, batch=16) != paper


def test_tokens_of_a_pass_suit_the_device() -> None:
    assert [QloraSettings().pass_tokens(device) for device in ("cpu", "cuda")] == [1024, 8192]
    assert QloraSettings(tokens_per_pass=300).pass_tokens("cuda") == 300
