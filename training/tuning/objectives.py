"""What training minimises: one loss per item."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Labels (items,), or probabilities over the choices (items, most choices).
TargetValues = Sequence[int] | NDArray[np.int64] | NDArray[np.float64]


def target_probabilities(
    targets: TargetValues, choice_counts: Sequence[int]
) -> NDArray[np.float64]:
    """Targets as probabilities (items, most choices); labels become one-hot rows.

    Raises ValueError if they do not fit the items: one row each, which sums to 1 over the item's
    own choices and is 0 beyond.
    """
    given = np.asarray(targets)
    counts = np.asarray(choice_counts)
    most = int(counts.max())
    own = own_choices(choice_counts)
    if given.ndim == 1:
        if given.shape != counts.shape or np.any((given < 0) | (given >= counts)):
            raise ValueError("'targets' should hold, per item, the index of one of its choices.")
        return np.asarray(given[:, None] == np.arange(most)[None, :], dtype=np.float64)
    if given.shape[0] != counts.size or given.shape[1] < most or np.any(given[:, most:]):
        raise ValueError(f"'targets' should be {own.shape}; got {given.shape}.")
    given = given[:, :most].astype(np.float64)
    fits = np.isclose(given.sum(1), 1) & (given >= 0).all(1) & ~((given != 0) & ~own).any(1)
    if not fits.all():
        row = int(np.flatnonzero(~fits)[0])
        raise ValueError(f"'targets' row {row} is no distribution over its choices: {given[row]}.")
    return given


def own_choices(choice_counts: Sequence[int]) -> NDArray[np.bool_]:
    """Which places of a table hold one of the item's own choices: (items, most choices)."""
    counts = np.asarray(choice_counts)
    return np.asarray(np.arange(int(counts.max()))[None, :] < counts[:, None])


def choice_losses(
    scores: Tensor, targets: Tensor, own: Tensor, redraw_rates: Tensor | None = None
) -> Tensor:
    """Cross-entropy between targets and the softmax over an item's choices, (items,).

    -sum_k t_k log p_k, with p the softmax of the choices' scores: for decoders the summed
    log-probabilities of their texts (Hase et al. 2024, section 3). With redraw rates r the loss is
    -sum_k t_k log((1 - r) p_k + r / m) over m choices: forward correction (Patrini et al. 2017,
    arXiv 1609.03683) for labels of which a share r was drawn at random.

    The loss is infinite where a target is on a choice that the model gives no chance at all.

    Parameters
    ----------
    scores
        (items, choices), -inf where an item has fewer.
    targets
        (items, choices), rows sum to 1 over the item's own choices.
    own
        (items, choices), which choices an item has, see `own_choices`: the scores do not say it,
        since a model can give -inf to a choice that is there.
    redraw_rates
        (items,), each in [0, 1].
    """
    log_p = scores.masked_fill(~own, -torch.inf).log_softmax(1)
    # Masked before anything else is computed from it: -inf there would become a NaN gradient.
    log_p = log_p.masked_fill(targets == 0, 0)
    if redraw_rates is not None:
        rates = redraw_rates[:, None].to(scores.dtype)
        by_chance = (rates / own.sum(1, keepdim=True)).log()
        log_p = torch.logaddexp(torch.log1p(-rates) + log_p, by_chance)
    return -(targets.to(scores.dtype) * log_p).sum(1)
