"""Train `pico`, the embedded model, from scratch on running text of the workshop world.

    python -m training.pico.pretrain --out DIRECTORY

Deterministic for one machine and thread count; under 30 minutes on 2 CPU cores. The result
is an ordinary Hugging Face checkpoint (safetensors, tokenizer.json) with a model card.
"""

import argparse
import math
import time
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.progress import track
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from tokenizers.processors import TemplateProcessing
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from annotation.sources.workshop_world import LARGEST_TOTAL
from training.pico.running_text import running_text

SEED = 20240112
CONTEXT = 256
END, PADDING, UNKNOWN = "<end>", "<pad>", "<unknown>"


def build_tokenizer(documents: int = 20_000) -> PreTrainedTokenizerFast:
    """A word-level tokenizer over the words of the running text; punctuation stands alone."""
    splitter = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("isolated")]
    )
    words = {str(number) for number in range(LARGEST_TOTAL + 1)}
    for text in islice(running_text(SEED), documents):
        words.update(word for word, _ in splitter.pre_tokenize_str(text))
    ordered = [PADDING, END, UNKNOWN, *sorted(words)]
    tokenizer = Tokenizer(
        WordLevel({word: index for index, word in enumerate(ordered)}, unk_token=UNKNOWN)
    )
    tokenizer.pre_tokenizer = splitter
    # Every document of the training stream opens with the end token: so does every prompt.
    tokenizer.post_processor = TemplateProcessing(
        single=f"{END} $A", special_tokens=[(END, ordered.index(END))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        pad_token=PADDING,
        unk_token=UNKNOWN,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def build_model(vocabulary: int, layers: int, width: int) -> LlamaForCausalLM:
    """A small Llama with tied embeddings, randomly initialised."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=1,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config)


def token_stream(tokenizer: PreTrainedTokenizerFast, tokens: int, seed: int) -> torch.Tensor:
    """Exactly `tokens` token ids: documents one after another, each opened by the end token."""
    stream = np.empty(tokens, dtype=np.int16)
    filled = 0
    documents = running_text(seed)
    while filled < tokens:
        batch = list(islice(documents, 4096))
        for ids in tokenizer(batch, add_special_tokens=False)["input_ids"]:
            ids = [1, *ids][: tokens - filled]
            stream[filled : filled + len(ids)] = ids
            filled += len(ids)
    return torch.from_numpy(stream)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over the first 3 %, then a cosine down to a twentieth of the peak."""
    warm_up = max(1, round(0.03 * steps))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return peak * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


def pretrain(
    out: Path, steps: int, layers: int, width: int, rows: int, length: int, peak: float
) -> None:
    """Train on `steps` batches of (rows, length) tokens and write the checkpoint to `out`."""
    console = Console(stderr=True)
    torch.manual_seed(SEED)
    tokenizer = build_tokenizer()
    model = build_model(len(tokenizer), layers, width)
    size = sum(parameter.numel() for parameter in model.parameters())
    console.print(f"{size:,} parameters, {len(tokenizer)} tokens, {steps} steps")
    started = time.perf_counter()
    stream = token_stream(tokenizer, steps * rows * length, SEED).view(steps, rows, length)
    console.print(f"text ready after {time.perf_counter() - started:.0f} s")
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}],
        lr=peak,
        betas=(0.9, 0.98),
        fused=True,
    )
    for step in track(range(steps), console=console, description="pretraining"):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps, peak)
        ids = stream[step].long()  # (rows, length)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=ids).logits  # (rows, length, vocabulary)
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 100 == 0 or step == steps - 1:
            seconds = time.perf_counter() - started
            console.print(f"step {step:5d}  loss {loss.item():.4f}  {seconds:.0f} s")
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def main() -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "checkpoint")
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--rows", type=int, default=64, help="sequences a step")
    parser.add_argument("--length", type=int, default=128, help="tokens a sequence")
    parser.add_argument("--peak", type=float, default=3e-3, help="largest learning rate")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    pretrain(
        given.out, given.steps, given.layers, given.width, given.rows, given.length, given.peak
    )


if __name__ == "__main__":
    main()
