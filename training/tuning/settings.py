"""Settings of adapter training, and the paper's as a preset."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Schedule = Literal["linear", "linear_to_tenth"]


@dataclass(frozen=True)
class QloraSettings:
    """Adapter, optimiser (AdamW) and schedule.

    Attributes
    ----------
    rank, alpha, dropout
        Of the adapter; its output is scaled by alpha / rank. The base model is frozen and runs as
        in evaluation, so dropout of its own, or of a head, is off.
    target_modules
        Where adapters go: "all-linear" (all but the output layer), "default" (what peft names for
        the architecture: the query and value projections as a rule), or names with commas
        between, such as "q_proj,v_proj".
    learning_rate, weight_decay, largest_gradient
        Of AdamW; gradients are scaled down to the norm `largest_gradient`.
    batch
        Items per update. What is left at the end of an epoch is an update of its own.
    epochs, least_updates
        At least so many passes over the items; small sets get more, until there are so many
        updates.
    schedule
        "linear" warms up over the first `warm_up` of the updates and falls to nothing;
        "linear_to_tenth" starts at the full rate and falls to a tenth of it.
    warm_up
        The share of the updates over which "linear" rises to the full rate.
    restarts
        How often a training is begun anew, from another adapter and in another order, when its
        loss ended no lower than that of guessing.
    members
        Adapters that are trained on a purchase, each from another beginning and in another order;
        the mean of their probabilities of the choices answers (deep ensembles, Lakshminarayanan et
        al. 2017, arXiv 1612.01474). Each costs a training and a test.
    tokens_per_pass
        A batch goes through the model in parts of about so many tokens; gradients add up. Without
        dropout the result depends on it by rounding alone. None: 1,024 on a processor, where items
        of like length together save padding, and 8,192 on a GPU, which they keep busy.
    checkpointing
        Compute activations twice instead of keeping them: True, False, or "auto" (only where an
        estimate of their bytes does not fit the memory at hand). Changes time and memory alone.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: str = "all-linear"
    learning_rate: float = 2e-4
    batch: int = 16
    epochs: int = 4
    least_updates: int = 40
    largest_gradient: float = 1.0
    weight_decay: float = 1e-5
    schedule: Schedule = "linear"
    warm_up: float = 0.1
    restarts: int = 2
    members: int = 1
    tokens_per_pass: int | None = None
    checkpointing: bool | Literal["auto"] = "auto"

    def updates(self, items: int) -> int:
        """Optimiser updates for a purchase of so many labels."""
        per_epoch = math.ceil(items / self.batch)
        epochs = max(self.epochs, math.ceil(self.least_updates / per_epoch))
        return epochs * per_epoch

    def pass_tokens(self, device: str) -> int:
        """Tokens of one pass on a type of device, such as "cpu"."""
        return self.tokens_per_pass or (1024 if device == "cpu" else 8192)

    def rate(self, total: int) -> Callable[[int], float]:
        """Share of the learning rate at each of `total` updates, counted from 0."""
        if self.schedule == "linear_to_tenth":
            return lambda update: 1 - 0.9 * update / total
        warm_up = max(1, int(self.warm_up * total))
        return lambda update: min((update + 1) / warm_up, (total - update) / (total - warm_up + 1))


PRESETS: dict[str, QloraSettings] = {
    "default": QloraSettings(),
    # Hase et al. 2024 (arXiv 2401.06751), as their code has it. By intent, the base model is in
    # 4 bits here, not 8, with AdamW, not its 8-bit kind; and the items that do not fill a batch at
    # the end of an epoch are trained on as well, not dropped.
    "paper": QloraSettings(
        rank=16,
        alpha=32,
        dropout=0.1,
        target_modules="default",
        learning_rate=1e-4,
        batch=50,
        epochs=3,
        least_updates=10,
        largest_gradient=1.0,
        weight_decay=1e-5,
        schedule="linear_to_tenth",
        restarts=0,  # their code has none
    ),
}
# For a chain of thought their code makes fifteen times as many updates at least.
PRESETS["paper_reasoning"] = replace(PRESETS["paper"], least_updates=150)
