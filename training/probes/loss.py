"""The probe's loss for many fits at once: soft targets, missing choices, forward correction.

Tensors have the axes (sets, items, classes, fits): a set holds fits on the same rows. Class 0 is
the reference: its score is 0, and the scores of the other classes are relative to it.

An item's loss is  -sum_k t_k log q_k  with q = p, the softmax over its choices; or, where a share r
of the labels was redrawn at random from its m choices,  q = (1 - r) p + r / m  (forward correction,
Patrini et al. 2017, arXiv 1609.03683, equation 4).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

NO_CHOICE = -1e30  # added to the score of a choice that is not there; finite, so 0 times it is 0


@dataclass(frozen=True)
class ProbeTargets:
    """What the fits learn from.

    Attributes
    ----------
    targets : (sets, items, classes, fits), summing to 1 over an item's choices
    choices : (sets, items, 1, 1), how many an item has
    absent : (sets, items, classes, 1), 0 for a choice that is there, else NO_CHOICE; None if all
        are there
    log_kept, log_floor : (sets, items, 1, fits), log(1 - r) and log(r / m); None if nothing is
        corrected
    """

    targets: Tensor
    choices: Tensor
    absent: Tensor | None = None
    log_kept: Tensor | None = None
    log_floor: Tensor | None = None

    def pick(self, columns: Tensor) -> "ProbeTargets":
        """The labels of some fits of every set; `columns` (sets, chosen)."""
        kept, floor = self.log_kept, self.log_floor
        return ProbeTargets(
            pick(self.targets, columns),
            self.choices,
            self.absent,
            None if kept is None else pick(kept, columns),
            None if floor is None else pick(floor, columns),
        )

    def scores(self, others: Tensor) -> Tensor:
        """Scores of all classes from those relative to the reference, (..., classes - 1, fits)."""
        scores = F.pad(others, (0, 0, 1, 0))
        return scores if self.absent is None else scores + self.absent

    def losses(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Losses (sets, items, fits); their gradient in the scores; and the chances p."""
        shifted = scores - scores.amax(2, keepdim=True)
        chances = shifted.exp()
        total = chances.sum(2, keepdim=True)
        chances = chances / total
        if self.log_kept is None or self.log_floor is None:
            losses = total.log()[:, :, 0] - (self.targets * shifted).sum(2)
            return losses, chances - self.targets, chances
        kept = self.log_kept + shifted - total.log()
        corrected = torch.logaddexp(kept, self.log_floor)
        losses = -(self.targets * corrected).sum(2)
        learned = self.targets * (kept - corrected).exp()  # what of a target is the model's doing
        return losses, chances * learned.sum(2, keepdim=True) - learned, chances


def pick(values: Tensor, columns: Tensor) -> Tensor:
    """Some fits of every set: `columns` (sets, chosen) of the last axis of (sets, ..., fits)."""
    if len(columns) == 1:
        return values.index_select(-1, columns[0])
    index = columns.view(len(columns), *[1] * (values.ndim - 2), -1)
    return values.take_along_dim(index, -1)
