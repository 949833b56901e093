"""Fitting one probe with its penalty cross-validated: labelmix against scikit-learn.

Same rows, same penalties, same folds, two classes; the chosen penalty and the accuracy on held-out
rows must be equal. scikit-learn's LogisticRegression with lbfgs is the peer. Generated features.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from _machine import interleaved_medians, write_result
from training.probe import FOLDS, GRADIENT_TOLERANCE, PENALTIES, LinearProbe, fit_probe

Array = NDArray[Any]
WIDTH = 768
TEST_ROWS = 2000


def draw(labels: int, seed: int) -> tuple[Array, Array]:
    """Correlated features with a weak class direction; a tenth of the labels are wrong."""
    rng = np.random.default_rng(seed)
    basis = np.random.default_rng(0).standard_normal((64, WIDTH))
    truth = rng.integers(0, 2, labels)
    hidden = rng.standard_normal((labels, 64))
    hidden[:, :4] += 0.7 * (2 * truth[:, None] - 1)
    features = hidden @ basis + 0.5 * rng.standard_normal((labels, WIDTH))
    wrong = rng.random(labels) < 0.1
    return features.astype(np.float32), np.where(wrong, 1 - truth, truth)


def fit_ours(features: Array, labels: Array) -> LinearProbe:
    """The probe as trials fit it."""
    return fit_probe(features[:, None, :], labels, np.ones((len(labels), 2), dtype=bool))


def fit_peer(features: Array, labels: Array) -> LogisticRegression:
    """The same objective, folds and warm starts in scikit-learn's terms."""
    penalties = sorted(PENALTIES, reverse=True)
    fold = np.arange(len(labels)) % FOLDS
    losses = np.zeros(len(penalties))
    for held_out in range(FOLDS):
        train, test = fold != held_out, fold == held_out
        model = logistic_regression()
        for index, penalty in enumerate(penalties):
            model.set_params(C=inverse_penalty(penalty, train.sum()))
            model.fit(features[train], labels[train])
            chances = model.predict_proba(features[test])
            losses[index] += log_loss(labels[test], chances, normalize=False, labels=[0, 1])
    best = penalties[int(np.argmin(losses))]
    model = logistic_regression().set_params(C=inverse_penalty(best, len(labels)))
    return model.fit(features, labels)


def logistic_regression() -> LogisticRegression:
    """L-BFGS to labelmix's tolerance, started from the fit before."""
    return LogisticRegression(
        solver="lbfgs", tol=GRADIENT_TOLERANCE, max_iter=5000, warm_start=True
    )


def inverse_penalty(penalty: float, rows: int) -> float:
    """Two heads with penalty p / 2 each are one logistic vector with p / 4: C = 2 / (rows p)."""
    return 2 / (rows * penalty)


def main() -> None:
    """Time both at several sizes and print the ratios."""
    results = {}
    test_features, test_labels = draw(TEST_ROWS, 99)
    for labels in (80, 320, 1280):
        features, targets = draw(labels, 1)
        ours = fit_ours(features, targets)
        scaled = (features - ours.mean) / ours.scale
        peer = fit_peer(scaled, targets)
        scores = ours.scores(test_features[:, None, :], np.ones((TEST_ROWS, 2), dtype=bool))
        our_answers = scores.argmax(1)
        peer_answers = peer.predict((test_features - ours.mean) / ours.scale)
        agreement = float((our_answers == peer_answers).mean())
        accuracy = float((our_answers == test_labels).mean())
        assert agreement > 0.995, f"the two disagree on {1 - agreement:.2%} of {labels}-label rows"
        contestants = {
            "labelmix": lambda f=features, t=targets: fit_ours(f, t),
            "scikit-learn": lambda f=scaled, t=targets: fit_peer(f, t),
        }
        timings = interleaved_medians(contestants, repetitions=5)
        ratio = timings["scikit-learn"]["median"] / timings["labelmix"]["median"]
        results[str(labels)] = {
            "ratio": ratio,
            "agreement": agreement,
            "accuracy": accuracy,
            "timings": timings,
        }
        print(
            f"{labels:5d} labels: labelmix {timings['labelmix']['median']:.3f} s, scikit-learn "
            f"{timings['scikit-learn']['median']:.3f} s, agreement {agreement:.2%}"
        )
        print(f"ratio: {ratio:.1f}")
    write_result("probe_fit", {"width": WIDTH, "labels": results})


if __name__ == "__main__":
    main()
