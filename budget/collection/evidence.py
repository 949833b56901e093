"""What a batch was decided on, as far as it is told again later."""

from pydantic import BaseModel, ConfigDict, ValidationError

from annotation.databases import damaged
from budget.collection.orders import BatchRecord


class ToldEvidence(BaseModel):
    """The part of a decision that is told again; all else is kept and not looked at.

    Attributes
    ----------
    why : the decision in a sentence
    accuracy_of_all_labels : on the target's test items, of a model trained on all labels so far
    guessing, commonest_class : accuracy of either there
    """

    model_config = ConfigDict(strict=True)

    why: str = ""
    accuracy_of_all_labels: float | None = None
    guessing: float | None = None
    commonest_class: float | None = None


def told_evidence(batch: BatchRecord, shown: str) -> ToldEvidence:
    """The evidence of a batch; `shown` names its store, for people.

    Raises MachineError if the store holds something else than was written.
    """
    try:
        return ToldEvidence.model_validate(dict(batch.decision))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        what = (
            f"table batches, number {batch.number}, column 'decision': {name}: "
            f"{first['msg'].lower()}"
        )
        raise damaged(shown, what, "put the right value back, or a copy of the database") from None
