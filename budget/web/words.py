"""The special words of a page, each with what docs/glossary.md says of it, in a sentence."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "stratum": "A band of items by hardness, such as easy or hard.",
    "judgment": "One annotator's answer to one item, with the time it took.",
    "label": "The answer that is used in training, made of one judgment or of several.",
    "gold question": "A test item among the others, whose right answer is known: it shows errors.",
    "supplier": "Who sells labels: a crowd, experts, a language model.",
    "batch": "What is bought at once, of one supplier or of several.",
    "promised": "Reserved for a batch that was approved, and not paid yet.",
    "clean": "The share of labels that tell something; the others are as good as random.",
    "error rate": "How often a judgment is wrong. flip: the share that is wrong. redraw: the share "
    "that is drawn anew over all choices, and may come out right.",
    "interval": "Where the true number is likely to be, given how much was measured.",
    "Krippendorff's alpha": "Agreement beyond chance: 1 where all agree, 0 where lots would do.",
    "pilot": "The first purchase of a run, which it learns from.",
    "simple rule": "A way to spend all money without a pilot, such as on easy labels alone.",
    "zero-shot": "What the model answers before it is trained on any label.",
    "fitted": "What the response surface, from which plans are made, has at this purchase.",
}
"""Word -> what it means."""

OF_PAGES: Mapping[str, tuple[str, ...]] = {
    "board": (
        *("stratum", "judgment", "label", "gold question", "supplier", "batch", "promised"),
        *("clean", "interval"),
    ),
    "quality": ("stratum", "judgment", "label", "interval", "Krippendorff's alpha"),
    "data": ("stratum", "judgment", "label", "gold question"),
    "explore": (
        *("stratum", "label", "pilot", "error rate", "clean", "interval", "simple rule"),
        "zero-shot",
    ),
    "turns": ("stratum", "label", "error rate"),
    "trials": ("stratum", "label", "interval", "fitted", "zero-shot"),
}
"""Page -> the words that stand on it."""


def words_of(page: str) -> list[tuple[str, str]]:
    """The words of a page with what they mean; none for a page that has none."""
    return [(word, WORDS[word]) for word in OF_PAGES.get(page, ())]
