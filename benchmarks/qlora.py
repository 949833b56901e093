"""QLoRA, 160 labels and 1,000 test items: labelmix against a plain peft and transformers loop.

Same random Llama in 4 bits, same items, same adapter to begin with, same batches, optimiser and
schedule. The peer is what one writes first: transformers' Trainer on a peft model, every (prompt,
choice) pair a sequence of its own, in training and in testing. Log-probabilities after training
must be equal, so accuracies are too. Loading and tokenising are the same and not timed.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, SequentialSampler
from transformers import PreTrainedModel, Trainer, TrainingArguments

from _machine import write_result
from _measure import counted_work, fitted_exponent
from _models import Language, LlamaSize, write_llama
from training.models.load import LoadedModel, load_model, set_threads
from training.models.quiet import quiet_libraries
from training.models.source import find_model
from training.scoring.choices import EncodedItem, encode_items, score_items
from training.tuning.qlora import PRESETS, QloraSettings, load_for_tuning, train_on_choices

SIZE = LlamaSize(layers=8, width=256, heads=8, key_value_heads=4, inner=704, vocabulary=8192)
LABELS, TESTED = 160, 1000
SEED = 1
# The default (adapters on all linear layers, 16 items an update, no dropout) for half its epochs,
# to spare the peer; and fast enough to move the scores far beyond the tolerance.
# Restarts, which the peer does not have, would train on other batches.
SETTINGS = replace(PRESETS["default"], learning_rate=1e-3, epochs=2, least_updates=20, restarts=0)
ONE_EPOCH = replace(SETTINGS, epochs=1, least_updates=1)
TOLERANCE = 1e-3  # of log-probabilities, summed over up to 20 tokens of about -9 each
PEER_TEST_ITEMS = 16  # a batch; 64 sequences

Example = tuple[EncodedItem, int]


@dataclass
class Outcome:
    """What one contestant did: seconds, tokens computed, log-probabilities (items, choices)."""

    train_seconds: float
    test_seconds: float
    train_tokens: int
    test_tokens: int
    scores: Tensor

    @property
    def seconds(self) -> float:
        return self.train_seconds + self.test_seconds


@dataclass(frozen=True)
class Data:
    """Items to train on with their labels, and items to test on."""

    train: list[EncodedItem]
    labels: list[int]
    test: list[EncodedItem]
    answers: list[int]


def draw(language: Language, loaded: LoadedModel, labels: int, tested: int, choices: int) -> Data:
    """ARC-sized items in made-up words; labels are right."""
    items = language.items(labels + tested, seed=0, choices=choices)
    encoded = encode_items(loaded, items.questions, items.choices, items.item_ids)
    return Data(encoded[:labels], items.answers[:labels], encoded[labels:], items.answers[labels:])


def run_ours(loaded: LoadedModel, data: Data, settings: QloraSettings = SETTINGS) -> Outcome:
    with counted_work(loaded.model) as work:
        started = time.perf_counter()
        with train_on_choices(loaded, data.train, data.labels, settings, SEED) as model:
            trained, of_training = time.perf_counter(), work.tokens
            scores = score_items(loaded, data.test, model=model)
            ended = time.perf_counter()
    return Outcome(
        trained - started, ended - trained, of_training, work.tokens - of_training, scores
    )


class Ordered(Dataset[Example]):
    """Examples in the order in which all epochs take them."""

    def __init__(self, data: Data, settings: QloraSettings) -> None:
        shuffler = torch.Generator().manual_seed(SEED)
        items = len(data.train)
        epochs = settings.updates(items) // -(-items // settings.batch)
        self.order = [
            index for _ in range(epochs) for index in torch.randperm(items, generator=shuffler)
        ]
        self.data = data

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> Example:
        index = int(self.order[place])
        return self.data.train[index], self.data.labels[index]


def collate(examples: Sequence[Example]) -> dict[str, Tensor]:
    """Every pair as one sequence, padded on the right: (items x choices, tokens)."""
    pairs = [(item.prompt, choice) for item, _ in examples for choice in item.choices]
    width = max(len(prompt) + len(choice) for prompt, choice in pairs)
    ids = torch.zeros((len(pairs), width), dtype=torch.long)
    mask, answer = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, (prompt, choice) in enumerate(pairs):
        end = len(prompt) + len(choice)
        ids[row, :end] = torch.tensor([*prompt, *choice])
        mask[row, :end] = 1
        answer[row, len(prompt) : end] = 1
    labels = torch.tensor([label for _, label in examples])
    return {"input_ids": ids, "attention_mask": mask, "answer": answer, "labels": labels}


def pair_scores(model: PreTrainedModel, batch: dict[str, Tensor]) -> Tensor:
    """Summed log-probabilities of the answers' tokens, (items, choices)."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    chances = logits[:, :-1].float().log_softmax(-1)
    of_tokens = chances.gather(-1, batch["input_ids"][:, 1:, None]).squeeze(-1)
    sums = (of_tokens * batch["answer"][:, 1:]).sum(1)
    scores: Tensor = sums.view(len(batch["labels"]), -1)
    return scores


class ChoiceTrainer(Trainer):  # type: ignore[misc]
    """Cross-entropy over an item's choices, items in the order of the data set."""

    def compute_loss(self, model: PreTrainedModel, inputs: dict[str, Tensor], **_: Any) -> Tensor:  # noqa: ANN401
        return F.cross_entropy(pair_scores(model, inputs), inputs["labels"])

    def _get_train_sampler(self, *_: object) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)


def run_peer(
    loaded: LoadedModel, data: Data, folder: Path, settings: QloraSettings = SETTINGS
) -> Outcome:
    with counted_work(loaded.model) as work:
        started = time.perf_counter()
        base = prepare_model_for_kbit_training(loaded.model, use_gradient_checkpointing=False)
        torch.manual_seed(SEED)
        config = LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=settings.target_modules,
            task_type="CAUSAL_LM",
        )
        model = get_peft_model(base, config)
        updates = settings.updates(len(data.train))
        optimizer = torch.optim.AdamW(
            [p for p in model.parameters() if p.requires_grad],
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, settings.rate(updates))
        arguments = TrainingArguments(
            output_dir=str(folder),
            per_device_train_batch_size=settings.batch,
            max_steps=updates,
            max_grad_norm=settings.largest_gradient,
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        )
        trainer = ChoiceTrainer(
            model=model,
            args=arguments,
            train_dataset=Ordered(data, settings),
            data_collator=collate,
            optimizers=(optimizer, schedule),
        )
        trainer.train()
        trained, of_training = time.perf_counter(), work.tokens
        model.eval()
        tested = list(zip(data.test, data.answers, strict=True))
        loader: DataLoader[Any] = DataLoader(tested, PEER_TEST_ITEMS, collate_fn=collate)  # type: ignore[arg-type]
        with torch.no_grad():
            scores = torch.cat([pair_scores(model, batch) for batch in loader])
        ended = time.perf_counter()
    model.unload()
    return Outcome(
        trained - started, ended - trained, of_training, work.tokens - of_training, scores
    )


def compare(ours: Outcome, peer: Outcome, before: Tensor, answers: list[int]) -> dict[str, float]:
    """Assert that both came out the same, and that training changed something."""
    difference = float((ours.scores - peer.scores).abs().max())
    moved = float((ours.scores - before).abs().max())
    assert difference < TOLERANCE, f"log-probabilities differ by {difference:.4f}"
    assert moved > 1000 * TOLERANCE, f"training moved log-probabilities by {moved:.3f} only"
    chosen = [outcome.scores.argmax(1) for outcome in (ours, peer)]
    agreement = float((chosen[0] == chosen[1]).float().mean())
    assert agreement >= 0.995, f"answers agree on {agreement:.2%}"
    accuracies = [float((own == torch.tensor(answers)).float().mean()) for own in chosen]
    return {
        "largest_difference": difference,
        "largest_move": moved,
        "agreement": agreement,
        "accuracy_labelmix": accuracies[0],
        "accuracy_peer": accuracies[1],
    }


def growth(language: Language, loaded: LoadedModel) -> dict[str, dict[str, object]]:
    """Seconds of one epoch and of testing as items and choices grow, and their exponents."""
    cases = {
        "items": [(n, draw(language, loaded, n, 4 * n, 4)) for n in (16, 32, 64)],
        "choices": [(m, draw(language, loaded, 16, 64, m)) for m in (2, 4, 8, 16)],
    }
    found: dict[str, dict[str, object]] = {}
    for name, of_name in cases.items():
        sizes = [size for size, _ in of_name]
        outcomes = [run_ours(loaded, data, ONE_EPOCH) for _, data in of_name]
        train = [outcome.train_seconds for outcome in outcomes]
        test = [outcome.test_seconds for outcome in outcomes]
        exponents = fitted_exponent(sizes, train), fitted_exponent(sizes, test)
        found[name] = {
            "sizes": sizes,
            "train_seconds": train,
            "test_seconds": test,
            "train_exponent": exponents[0],
            "test_exponent": exponents[1],
        }
        print(
            f"growth with {name} {sizes}: training ^{exponents[0]:.2f}, testing ^{exponents[1]:.2f}"
        )
    return found


def main() -> None:
    quiet_libraries()
    set_threads()
    language = Language(SIZE.vocabulary)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = find_model(str(write_llama(folder / "llama", SIZE, language)))
        ours, peers = load_for_tuning(source, device="cpu"), load_model(source, "nf4", device="cpu")
        parameters = sum(p.numel() for p in load_model(source, device="cpu").model.parameters())
        small = draw(language, ours, 16, 32, 4)
        run_ours(ours, small, ONE_EPOCH)  # imports and caches, for both
        run_peer(peers, small, folder / "warm", ONE_EPOCH)
        data = draw(language, ours, LABELS, TESTED, 4)
        before = score_items(ours, data.test)
        own = run_ours(ours, data)
        peer = run_peer(peers, data, folder / "peer")
        equality = compare(own, peer, before, data.answers)
        ratios = {
            "end_to_end": peer.seconds / own.seconds,
            "train": peer.train_seconds / own.train_seconds,
            "test": peer.test_seconds / own.test_seconds,
        }
        grown = growth(language, ours)
    lengths = [len(item.prompt) for item in data.test]
    print(
        f"{parameters / 1e6:.1f} million parameters in 4 bits; prompts of {np.mean(lengths):.0f} "
        f"tokens; {SETTINGS.updates(LABELS)} updates of {SETTINGS.batch} items"
    )
    for name, outcome in (("labelmix", own), ("peft + Trainer", peer)):
        print(
            f"{name:14s} train {outcome.train_seconds:6.1f} s ({outcome.train_tokens:,} tokens), "
            f"test {outcome.test_seconds:6.1f} s ({outcome.test_tokens:,} tokens)"
        )
    print(
        f"log-probabilities differ by at most {equality['largest_difference']:.1e}, training moved "
        f"them by up to {equality['largest_move']:.1f}; accuracies "
        f"{equality['accuracy_labelmix']:.3f} and {equality['accuracy_peer']:.3f}"
    )
    print(f"training alone {ratios['train']:.1f}x, testing alone {ratios['test']:.1f}x")
    print(f"ratio: {ratios['end_to_end']:.1f}")
    seconds = {
        name: {
            "train": outcome.train_seconds,
            "test": outcome.test_seconds,
            "train_tokens": outcome.train_tokens,
            "test_tokens": outcome.test_tokens,
        }
        for name, outcome in (("labelmix", own), ("peft_trainer", peer))
    }
    write_result(
        "qlora",
        {
            "parameters": parameters,
            "labels": LABELS,
            "tested": TESTED,
            "updates": SETTINGS.updates(LABELS),
            "seconds": seconds,
            "ratios": ratios,
            "equality": equality,
            "growth": grown,
        },
    )


if __name__ == "__main__":
    main()
