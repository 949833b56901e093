"""The training loop: seeded batches of items, reached by accumulation over parts that fit."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from annotation.errors import InputError
from training.progress import TokenProgress, no_token_progress
from training.scoring.token_budget import is_out_of_memory
from training.tuning.activations import activations_fit
from training.tuning.diverged import diverged
from training.tuning.settings import QloraSettings


@dataclass(frozen=True)
class Objective:
    """What is trained on, item by item.

    `losses(model, indices)` (indices,) with gradient: every item's loss, alone of the others.
    `tokens` (items,): what an item takes in a pass of the model.
    """

    losses: Callable[[PeftModel, Sequence[int]], Tensor]
    tokens: Sequence[int]

    def parts(self, indices: Sequence[int], tokens_per_pass: int) -> Iterator[list[int]]:
        """Split a batch: items of like length together, each part within a budget of tokens.

        A part holds at least one item.
        """
        part: list[int] = []
        for index in sorted(indices, key=lambda index: -self.tokens[index]):
            if part and self.tokens[part[0]] * (len(part) + 1) > tokens_per_pass:
                yield part
                part = []
            part.append(index)
        yield part


@torch.enable_grad()
def train(
    adapted: PeftModel,
    objective: Objective,
    settings: QloraSettings,
    seed: int,
    progress: TokenProgress = no_token_progress,
) -> float:
    """Minimise the mean loss over seeded batches; every update uses all items of its batch.

    Returns the mean loss over the last quarter of the updates, but over all items at least, each
    before its update.

    Where a part of a batch does not fit into memory the parts are halved, and the update is made
    again. `progress` is told updates done and in all, and the tokens of their items. The base model
    runs as in evaluation: what is dropped out are the adapters' inputs alone, as their settings
    say. Afterwards all of the model is in evaluation mode.

    Raises TrainingDivergedError if a loss or a gradient is not finite, the loss after the last
    update included, and InputError if one item alone does not fit into memory.
    """
    items = len(objective.tokens)
    total = settings.updates(items)
    trained = [p for p in adapted.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, settings.rate(total))
    shuffler = torch.Generator().manual_seed(seed)
    _drop_out_in_adapters_alone(adapted)
    checkpointing = settings.checkpointing
    if checkpointing == "auto":
        checkpointing = not activations_fit(
            adapted, lambda index: objective.losses(adapted, [index]), objective.tokens, settings
        )
    update = _Update(adapted, objective, settings.pass_tokens(trained[0].device.type))
    torch.manual_seed(seed)  # what dropout draws from
    done = tokens = 0
    losses: list[tuple[float, int]] = []  # of every update: mean, items
    with _checkpointed(adapted, checkpointing):
        while done < total:
            order = torch.randperm(items, generator=shuffler)
            for batch in order.split(settings.batch):
                loss = update.gradients(batch.tolist())
                if not math.isfinite(loss):
                    raise diverged(items, seed, f"the loss became {loss} at update {done + 1}")
                losses.append((loss, len(batch)))
                norm = nn.utils.clip_grad_norm_(trained, settings.largest_gradient)
                if not torch.isfinite(norm):
                    what = f"the gradient's norm became {norm.item()} at update {done + 1}"
                    raise diverged(items, seed, what)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                done += 1
                tokens += sum(objective.tokens[index] for index in batch.tolist())
                progress(done, total, tokens)
    adapted.eval()
    _check_last_update(adapted, objective, total, seed)
    last = losses[-max(total // 4, math.ceil(items / settings.batch)) :]
    return sum(loss * count for loss, count in last) / sum(count for _, count in last)


@torch.no_grad()
def _check_last_update(adapted: PeftModel, objective: Objective, updates: int, seed: int) -> None:
    """No further loss shows what the last update did, so the shortest item's is looked at."""
    shortest = min(range(len(objective.tokens)), key=lambda index: objective.tokens[index])
    loss = objective.losses(adapted, [shortest]).sum()
    if not torch.isfinite(loss):
        what = f"the loss became {loss.item()} after {updates} updates"
        raise diverged(len(objective.tokens), seed, what)


class _Update:
    """Gradients of one batch's mean loss, in parts that shrink where memory is short."""

    def __init__(self, adapted: PeftModel, objective: Objective, tokens_per_pass: int) -> None:
        self.adapted = adapted
        self.objective = objective
        self.tokens_per_pass = tokens_per_pass

    def gradients(self, batch: Sequence[int]) -> float:
        """Add the batch's gradients to the parameters; returns its mean loss, or one not finite."""
        while True:
            random_state = _random_state()
            try:
                return self._accumulate(batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            # Here the error and the tensors that its frames held are gone.
            largest = max(self.objective.tokens[index] for index in batch)
            if self.tokens_per_pass <= largest:
                raise InputError(
                    f"an item of {largest} tokens does not fit into memory in training; set "
                    "[qlora] checkpointing to true, drop long items, or use a smaller model."
                )
            self.tokens_per_pass = min(self.tokens_per_pass, largest * len(batch)) // 2
            self.adapted.zero_grad()
            _restore(random_state)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _accumulate(self, batch: Sequence[int]) -> float:
        whole = 0.0
        for part in self.objective.parts(batch, self.tokens_per_pass):
            loss = self.objective.losses(self.adapted, part).sum() / len(batch)
            whole += loss.item()
            if not math.isfinite(whole):
                break
            loss.backward()
        return whole


def _random_state() -> list[Tensor]:
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return [torch.get_rng_state(), *devices]


def _restore(state: list[Tensor]) -> None:
    torch.set_rng_state(state[0])
    if len(state) > 1:
        torch.cuda.set_rng_state_all(state[1:])


def _drop_out_in_adapters_alone(adapted: PeftModel) -> None:
    # The base's own dropout would make the result depend on how a batch is split into parts.
    adapted.eval()
    for module in adapted.modules():
        if isinstance(module, LoraLayer):
            module.lora_dropout.train()


@contextmanager
def _checkpointed(adapted: PeftModel, wanted: bool) -> Iterator[None]:
    """Activations computed twice within the block, where `wanted`."""
    if not wanted:
        yield
        return
    base = adapted.get_base_model()
    # transformers 5 renames the pair within its minor releases; the old names warn.
    enable = getattr(base, "activation_checkpointing_enable", None)
    disable = getattr(base, "activation_checkpointing_disable", None)
    try:
        (enable or base.gradient_checkpointing_enable)({"use_reentrant": False})
    except ValueError as error:
        raise InputError(
            f"this model cannot train with [qlora] checkpointing ({error}); set it to false."
        ) from None
    try:
        with warnings.catch_warnings(), _in_training_mode(_checkpoints(base)):
            warnings.filterwarnings("ignore", message=".*use_cache.*")
            yield
    finally:
        (disable or base.gradient_checkpointing_disable)()


def _checkpoints(base: nn.Module) -> list[nn.Module]:
    """The modules that compute twice what is within them."""
    return [m for m in base.modules() if getattr(m, "gradient_checkpointing", False)]


@contextmanager
def _in_training_mode(modules: Sequence[nn.Module]) -> Iterator[None]:
    """These modules themselves, not what is within them, in training mode but without dropout.

    Only in training mode do they compute activations twice. Some drop out in their own code, at
    rates that are plain numbers of theirs, such as `dropout` and `layerdrop`.
    """
    before = [(module, module.training, _dropout_rates(module)) for module in modules]
    for module, _, rates in before:
        module.training = True
        vars(module).update(dict.fromkeys(rates, 0.0))
    try:
        yield
    finally:
        for module, training, rates in before:
            module.training = training
            vars(module).update(rates)


def _dropout_rates(module: nn.Module) -> dict[str, float]:
    named = {name: value for name, value in vars(module).items() if "drop" in name}
    return {name: value for name, value in named.items() if isinstance(value, float)}
