"""The error of a training whose numbers ran away; told apart without loading what trains."""

from annotation.errors import InputError


class TrainingDivergedError(InputError):
    """A loss, gradient or score became NaN or infinite: the settings do not suit the model."""


def diverged(labels: int, seed: int, what: str) -> TrainingDivergedError:
    """The error of a training on so many labels; `what` says what became of it."""
    return TrainingDivergedError(
        f"qlora on {labels} labels, seed {seed}: {what}; lower [qlora] learning_rate."
    )
