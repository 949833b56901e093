"""QLoRA: a 4-bit base model with a low-rank adapter, multiple-choice objective.

Dettmers et al. 2023 (arXiv 2305.14314) for the method; Hase et al. 2024, section 3, for the
objective: cross-entropy over the softmax of the choices' summed log-probabilities.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from torch import Tensor

from annotation.errors import InputError
from training.models import LoadedModel
from training.scoring import EncodedItem, score_batch, score_items


class TrainingDivergedError(InputError):
    """The loss became NaN or infinite: the settings do not suit the model."""


@dataclass(frozen=True)
class QloraSettings:
    """Adapter and schedule. `batch` counts items; `least_updates` adds epochs to small sets."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: str = "all-linear"
    learning_rate: float = 2e-4
    batch: int = 16
    epochs: int = 4
    least_updates: int = 40
    largest_gradient: float = 1.0


def prepare(loaded: LoadedModel) -> None:
    """Freeze a 4-bit base model for adapters; once after loading.

    Raises InputError for an encoder, or a model that is not in 4 bits.
    """
    if loaded.kind != "decoder":
        raise InputError(
            f"model '{loaded.name}' is an encoder: qlora needs a decoder (causal) language model; "
            "use the method 'probe', or another model."
        )
    if loaded.quantisation != "nf4":
        raise InputError(f"model '{loaded.name}' is not in 4 bits: load it with 'nf4' for qlora.")
    prepare_model_for_kbit_training(loaded.model, use_gradient_checkpointing=False)


def train_and_score(
    loaded: LoadedModel,
    train: Sequence[EncodedItem],
    labels: Sequence[int],
    test: Sequence[EncodedItem],
    settings: QloraSettings,
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Tensor:
    """Train a fresh adapter, score the test items, and take the adapter off again.

    Returns log-probabilities (test items, most choices), -inf where an item has fewer.
    `progress` is told updates done and in all.

    Raises TrainingDivergedError if the loss is not finite.
    """
    torch.manual_seed(seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=settings.target_modules,
        task_type="CAUSAL_LM",
    )
    try:
        adapted = get_peft_model(loaded.model, config)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"model '{loaded.name}': no adapter can be put on it ({reason}); "
            "check [qlora] target_modules."
        ) from None
    try:
        _train(adapted, loaded, train, labels, settings, seed, progress)
        adapted.eval()
        return score_items(loaded, test, model=adapted)
    finally:
        base = adapted.unload()
        if hasattr(base, "peft_config"):
            del base.peft_config
        loaded.model.eval()


def updates(items: int, settings: QloraSettings) -> int:
    """Optimiser updates for a purchase of so many labels."""
    per_epoch = math.ceil(items / settings.batch)
    epochs = max(settings.epochs, math.ceil(settings.least_updates / per_epoch))
    return epochs * per_epoch


def _schedule(total: int) -> Callable[[int], float]:
    """Linear warm-up over the first twentieth of the updates, then linear decay to nothing."""
    warm_up = max(1, total // 20)
    return lambda update: min((update + 1) / warm_up, (total - update) / (total - warm_up + 1))


def _train(
    adapted: torch.nn.Module,
    loaded: LoadedModel,
    train: Sequence[EncodedItem],
    labels: Sequence[int],
    settings: QloraSettings,
    seed: int,
    progress: Callable[[int, int], None],
) -> None:
    total = updates(len(train), settings)
    trained = [p for p in adapted.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _schedule(total))
    shuffler = torch.Generator().manual_seed(seed)
    padding_id = int(loaded.tokenizer.pad_token_id or 0)
    gold = torch.tensor(labels)
    adapted.train()
    done = 0
    while done < total:
        order = torch.randperm(len(train), generator=shuffler)
        for batch in order.split(settings.batch):
            items = [train[int(i)] for i in batch]
            scores = score_batch(adapted, items, padding_id).log_probabilities
            loss = F.cross_entropy(scores, gold[batch].to(scores.device))
            if not torch.isfinite(loss):
                raise TrainingDivergedError(
                    f"qlora on {len(train)} labels, seed {seed}: the loss became {loss.item()} at "
                    f"update {done + 1}; lower [qlora] learning_rate."
                )
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, settings.largest_gradient)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            done += 1
            progress(done, total)
