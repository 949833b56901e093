"""QLoRA: a base model, in 4 bits as a rule, with a low-rank adapter trained on a purchase.

Dettmers et al. 2023 (arXiv 2305.14314) for the method; Hase et al. 2024 (arXiv 2401.06751),
section 3, for the objectives. Decoders answer by the log-probability of the choices' texts,
encoders by a head of their own; both train and score through `train_and_score`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from peft import PeftModel
from torch import Tensor

from annotation.errors import InputError
from training.models.load import LoadedModel
from training.progress import TokenProgress, no_token_progress
from training.scoring.choices import (
    EncodedItem,
    Normalisation,
    choice_lengths,
    encode_items,
    score_batch,
    score_items,
)
from training.tuning.adapters import adapted, save_adapter
from training.tuning.diverged import diverged
from training.tuning.encoders import EncodedText, encode_texts, score_text_batch, score_texts
from training.tuning.finetune import Objective, train
from training.tuning.loading import load_for_tuning, prepare
from training.tuning.objectives import (
    TargetValues,
    choice_losses,
    own_choices,
    target_probabilities,
)
from training.tuning.settings import PRESETS, QloraSettings

__all__ = [
    "PRESETS",
    "QloraSettings",
    "Tries",
    "encode_for_tuning",
    "load_for_tuning",
    "prepare",
    "save_adapter",
    "score_encoded",
    "share_of_training",
    "train_and_score",
    "train_on_choices",
    "train_on_sequences",
]

Encoded = EncodedItem | EncodedText


@dataclass
class Tries:
    """How often a training was begun anew, and whether its loss fell under that of guessing."""

    restarts: int = 0
    failed: bool = False


def encode_for_tuning(
    loaded: LoadedModel,
    questions: Sequence[str],
    choices: Sequence[Sequence[str]],
    item_ids: Sequence[str],
) -> Sequence[Encoded]:
    """Tokenise a task's rows as the model reads them, for `train_and_score`.

    Raises InputError, naming the item, if one does not fit a decoder's context; what an encoder
    cannot read is cut.
    """
    if loaded.head is not None:
        return encode_texts(loaded, questions, choices)
    return encode_items(loaded, questions, choices, item_ids)


def train_and_score(
    loaded: LoadedModel,
    train: Sequence[Encoded],
    targets: TargetValues,
    test: Sequence[Encoded],
    settings: QloraSettings,
    seed: int,
    progress: TokenProgress = no_token_progress,
    redraw_rates: NDArray[np.float64] | None = None,
    normalisation: Normalisation = "sum",
    testing: Callable[[], TokenProgress] = lambda: no_token_progress,
    tries: Tries | None = None,
) -> Tensor:
    """Train a fresh adapter and score the test items; afterwards the model is as it was before.

    Returns scores (test items, most choices), -inf where an item has fewer: a decoder's summed
    log-probabilities of the choices' texts, normalised as `score_items` does it; an encoder's
    log-probabilities of the choices, which need no normalisation. Of several members it is the
    logarithm of the mean of their probabilities of the choices.
    Parameters and errors as for `train_on_choices`; `test` is encoded as `train` is. `testing`
    is called when the test begins; what it gives is told test items done and in all, and their
    tokens. Scores of choices that are not finite raise TrainingDivergedError too.
    """
    own = torch.from_numpy(own_choices([_choices(item) for item in test]))
    updates, told = settings.updates(len(train)), tries or Tries()
    of_members = []
    for member in range(settings.members):
        training = train_on_choices(
            loaded,
            train,
            targets,
            settings,
            seed if not member else _another_seed(seed, 0, member),
            _after(progress, member * updates, settings.members * updates),
            redraw_rates,
            normalisation,
            own_tries := Tries(),
        )
        with training as model:
            scores = score_encoded(loaded, test, model, normalisation, testing())
        if not scores[own].isfinite().all():
            broken = int((~scores.isfinite() & own).any(1).sum())
            what = f"after {updates} updates the scores of {broken} test items "
            raise diverged(len(train), seed, what + "are not finite")
        told.restarts += own_tries.restarts
        told.failed |= own_tries.failed
        of_members.append(scores)
    if len(of_members) == 1:
        return of_members[0]
    log_p = torch.stack([scores.log_softmax(1) for scores in of_members])
    return log_p.logsumexp(0) - math.log(len(of_members))


def _after(progress: TokenProgress, updates: int, total: int) -> TokenProgress:
    """Tells of one training among several, of `total` updates together."""
    if not updates:
        return lambda done, _, tokens: progress(done, total, tokens)
    return lambda done, _, tokens: progress(
        updates + done, total, round(tokens * (1 + updates / done))
    )


def score_encoded(
    loaded: LoadedModel,
    items: Sequence[Encoded],
    model: PeftModel,
    normalisation: Normalisation = "sum",
    progress: TokenProgress = no_token_progress,
) -> Tensor:
    """Scores (items, most choices) of a model in training, see `train_and_score`."""
    if loaded.head is not None:
        return score_texts(loaded, _texts(items), model, progress=progress)
    return score_items(
        loaded, _items(items), model=model, normalisation=normalisation, progress=progress
    )


def share_of_training(
    train: Sequence[Encoded], test: Sequence[Encoded], settings: QloraSettings
) -> float:
    """About what share of the time training takes, and testing the rest.

    A pass that trains takes three times the operations of one that scores (Kaplan et al. 2020,
    arXiv:2001.08361, section 2.1).
    """
    passes = settings.updates(len(train)) / math.ceil(len(train) / settings.batch)
    training = 3 * passes * sum(map(_tokens, train))
    return training / (training + sum(map(_tokens, test)))


@contextmanager
def train_on_choices(
    loaded: LoadedModel,
    train_items: Sequence[Encoded],
    targets: TargetValues,
    settings: QloraSettings,
    seed: int,
    progress: TokenProgress = no_token_progress,
    redraw_rates: NDArray[np.float64] | None = None,
    normalisation: Normalisation = "sum",
    tries: Tries | None = None,
) -> Iterator[PeftModel]:
    """Within the block, the model with an adapter trained on items and their targets.

    Parameters
    ----------
    loaded
        A model that went through `prepare`.
    train_items
        From `encode_for_tuning`.
    targets
        Labels (items,), or probabilities of the choices (items, most choices).
    settings
        Of adapter and optimiser; `PRESETS["paper"]` is the paper's.
    seed
        Of the adapter, a head, the order of items and dropout.
    progress
        Told updates done and in all, and the tokens of their items.
    redraw_rates
        (items,): shares of labels drawn at random, for forward correction; see `choice_losses`.
    normalisation
        Of the scores that a decoder is tested by. It is trained on the same, times the mean length
        of the item's choices: the same order of choices, on the scale of their summed
        log-probabilities, so that settings of the training mean the same.
    tries
        Told how often the training was begun anew, and whether it failed in the end.

    Raises
    ------
    TrainingDivergedError
        If a loss or a gradient is not finite, the loss after the last update included.
    InputError
        If the model has none of the layers that adapters are to go on.
    ValueError
        If targets or rates do not fit the items.
    """
    counts = [_choices(item) for item in train_items]
    probabilities = torch.from_numpy(target_probabilities(targets, counts))
    own = torch.from_numpy(own_choices(counts))
    if redraw_rates is not None and np.shape(redraw_rates) != (len(counts),):
        raise ValueError(f"'redraw_rates' should be ({len(counts)},).")
    rates = None if redraw_rates is None else torch.from_numpy(np.asarray(redraw_rates))

    def losses(model: PeftModel, indices: Sequence[int]) -> Tensor:
        batch = [train_items[i] for i in indices]
        scores = _score_batch(loaded, batch, model)
        if normalisation != "sum" and loaded.head is None:
            lengths = choice_lengths(_items(batch), normalisation, scores.shape[1]).to(
                scores.device
            )
            there = own[torch.tensor(indices)][:, : scores.shape[1]].to(scores.device)
            mean = (lengths * there).sum(1, keepdim=True) / there.sum(1, keepdim=True)
            scores = scores * (mean / lengths)
        picked = torch.tensor(indices)
        most = scores.shape[1]
        their_rates = None if rates is None else rates[picked].to(scores.device)
        their_targets = probabilities[picked][:, :most].to(scores.device)
        return choice_losses(
            scores, their_targets, own[picked][:, :most].to(scores.device), their_rates
        )

    tokens = [_tokens(item) for item in train_items]
    guessing = float(np.log(counts).mean())  # whatever the targets are
    with _trained(
        loaded, Objective(losses, tokens), settings, seed, progress, guessing, tries or Tries()
    ) as model:
        yield model


@contextmanager
def train_on_sequences(
    loaded: LoadedModel,
    prompts: Sequence[list[int]],
    targets: Sequence[list[int]],
    settings: QloraSettings,
    seed: int,
    progress: TokenProgress = no_token_progress,
    names: Sequence[str] | None = None,
) -> Iterator[PeftModel]:
    """Within the block, a decoder with an adapter trained to write targets, then to end.

    Minimises the mean over sequences of minus the SUMMED log-probability of the target's tokens
    and the end token given the prompt: chain of thought (Hase et al. 2024, section 3).

    Parameters
    ----------
    loaded
        A decoder that went through `prepare`.
    prompts, targets
        Token ids; the end token is added to a target that does not end with it.
    settings, seed, progress
        As for `train_on_choices`.
    names
        What errors call the sequences: the ids of their items.

    Raises
    ------
    TrainingDivergedError
        If a loss or a gradient is not finite, the loss after the last update included.
    InputError
        If the model is an encoder, a sequence is longer than its context, or the model has none
        of the layers that adapters are to go on.
    """
    if loaded.kind != "decoder":
        raise InputError(
            f"model '{loaded.name}' is an encoder and writes no text: train it on choices, or "
            "use a decoder (causal) language model."
        )
    end = loaded.tokenizer.eos_token_id
    sequences = []
    for index, (prompt, target) in enumerate(zip(prompts, targets, strict=True)):
        ends = end is None or (len(target) > 0 and target[-1] == end)
        whole = EncodedItem(list(prompt), [list(target) if ends else [*target, end]])
        if _tokens(whole) > loaded.context_length:
            name = f"sequence {index + 1}" if names is None else f"item '{names[index]}'"
            raise InputError(
                f"{name}: prompt and target take {_tokens(whole)} tokens, model "
                f"'{loaded.name}' reads at most {loaded.context_length}; shorten it or use "
                "another model."
            )
        sequences.append(whole)

    def losses(model: PeftModel, indices: Sequence[int]) -> Tensor:
        return -_score_batch(loaded, [sequences[i] for i in indices], model)[:, 0]

    tokens = [_tokens(sequence) for sequence in sequences]
    with _trained(loaded, Objective(losses, tokens), settings, seed, progress) as model:
        yield model


@contextmanager
def _trained(
    loaded: LoadedModel,
    objective: Objective,
    settings: QloraSettings,
    seed: int,
    progress: TokenProgress,
    guessing: float = math.inf,
    tries: Tries | None = None,
) -> Iterator[PeftModel]:
    """A trained model; begun anew where its loss ended no lower than that of `guessing`."""
    for start in range(settings.restarts + 1):
        own_seed = seed if not start else _another_seed(seed, start)
        with adapted(loaded, settings, own_seed) as model:
            failed = train(model, objective, settings, own_seed, progress) >= guessing
            if failed and start < settings.restarts:
                continue
            if tries is not None:
                tries.restarts, tries.failed = start, failed
            yield model
            return


def _another_seed(seed: int, *which: int) -> int:
    """The seed of another start, or of another member: (start), (0, member)."""
    return int(np.random.SeedSequence([seed, *which]).generate_state(1)[0])


def _score_batch(loaded: LoadedModel, items: Sequence[Encoded], model: PeftModel) -> Tensor:
    if loaded.head is not None:
        return score_text_batch(loaded, _texts(items), model)
    padding_id = int(loaded.tokenizer.pad_token_id or 0)
    return score_batch(model, _items(items), padding_id).log_probabilities


def _choices(item: Encoded) -> int:
    return len(item.choices) if isinstance(item, EncodedItem) else item.choices


def _tokens(item: Encoded) -> int:
    """Tokens that an item takes in one pass: prompt and all choices."""
    return item.tokens if isinstance(item, EncodedText) else item.all_tokens


def _texts(items: Sequence[Encoded]) -> list[EncodedText]:
    return [item for item in items if isinstance(item, EncodedText)]


def _items(items: Sequence[Encoded]) -> list[EncodedItem]:
    return [item for item in items if isinstance(item, EncodedItem)]
