import numpy as np
import pytest

from budget.worlds.text_hardness import error_confidence, hashed_tfidf


def test_counts_are_weighed_and_rows_have_length_one() -> None:
    features = hashed_tfidf(["red red blue", "red", ""], buckets=4096)
    # Terms: red, blue, "red red", "red blue" in the first; red is in two of three texts.
    common, rare = np.log(4 / 3), np.log(4 / 2)
    weights = np.array([(1 + np.log(2)) * common, rare, rare, rare])
    expected = np.sort(weights / np.sqrt((weights**2).sum()))
    assert np.sort(features[0][features[0] > 0]) == pytest.approx(expected)
    assert features[1].max() == pytest.approx(1.0)
    assert not features[2].any()


def test_misleading_words_are_hard() -> None:
    rng = np.random.default_rng(0)
    answers = rng.integers(0, 2, 200)
    misled = np.arange(200) < 20
    said = np.where(misled, 1 - answers, answers)
    texts = [["a bad film", "a good film"][word] for word in said]
    hardness = error_confidence(texts, answers, classes=2)
    assert hardness.shape == (200,)
    assert hardness[misled].min() > 0.5 > hardness[~misled].max()
    np.testing.assert_array_equal(hardness, error_confidence(texts, answers, classes=2))


def test_too_few_texts() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        error_confidence(["a", "b"], np.array([0, 1]), classes=2)
