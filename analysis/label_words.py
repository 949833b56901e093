"""How labels are told: as simulated, or as drawn from judgments that people gave.

The one switch: every sentence on a run, a trial, curves or a plan that names the labels takes these
words, so that nothing simulated is told as done. What labels cost is told as what they would cost.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelWords:
    """The words of one source of labels.

    Attributes
    ----------
    simulated : whether no person was asked
    kind : before "labels", with the blank behind it; "" for people's own
    whose : behind a number of labels, in brackets
    trained_on : behind a purchase that was trained on, in brackets
    labeller : who gives labels
    first_purchase : what the pilot is
    known_answers : what cross-validation inside the test set is trained on
    error_rates : how their error rates are known
    without_noise : labels to which no errors were added
    """

    simulated: bool
    kind: str
    whose: str
    trained_on: str
    labeller: str
    first_purchase: str
    known_answers: str
    error_rates: str
    without_noise: str

    def pilot(self, labels: str, cost: str) -> str:
        """The pilot of a run, with what it would cost; both as text."""
        if self.simulated:
            return f"simulated pilot of {labels}, which would cost {cost}"
        return f"pilot of {labels}, {self.trained_on}, which would cost {cost}"


SIMULATED = LabelWords(
    simulated=True,
    kind="simulated ",
    whose="simulated",
    trained_on="simulated labels",
    labeller="simulated annotators",
    first_purchase="simulated",
    known_answers="its own answers, with errors at the stated rate",
    error_rates="as stated",
    without_noise="clean",
)
COLLECTED = LabelWords(
    simulated=False,
    kind="",
    whose="people's own",
    trained_on="drawn from people's own judgments",
    labeller="judgments that were collected",
    first_purchase="drawn from what was collected",
    known_answers="people's own judgments",
    error_rates="as measured",
    without_noise="as judged",
)


def words_for(collected: object) -> LabelWords:
    """The words for labels that were collected, or simulated where there is nothing collected."""
    return COLLECTED if collected else SIMULATED
