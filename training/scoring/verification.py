"""Does the one pass over packed rows give what a model's plain runs give? Tried once per model.

Positions by distance (ALiBi), recurrent states or an attention of a model's own may take shared
prefixes and masks the wrong way, silently or not. What a configuration says of such things is
heeded, and every model first scores a few made-up items both ways.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig

from training.scoring.encoding import EncodedItem
from training.scoring.hooks import Model, base_model, text_config
from training.scoring.packed import score_packed
from training.scoring.pairs import score_pairs
from training.scoring.prefix import prefix_of
from training.scoring.token_budget import is_out_of_memory

logger = logging.getLogger(__name__)

_PREFIX, _WINDOW = 12, 7  # tokens
# Largest difference by the size of what is expected. Rounding in two bytes grows with depth;
# tokens that see what they should not, or from elsewhere, differ by more.
_TOLERANCE_WHOLE, _TOLERANCE_ROUNDED = 1e-3, 0.05
_verdicts: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def packed_is_exact(model: Model) -> bool:
    """Whether `score_packed` equals `score_pairs` for this model; what it said first holds."""
    base = base_model(model)
    if base not in _verdicts:
        reason = _obstacle(text_config(base)) or _difference(base)
        if reason is not None:
            logger.warning(
                "%s: every (prompt, choice) pair is run by itself, which is slower, because "
                "running choices side by side %s.",
                type(base).__name__,
                reason,
            )
        _verdicts[base] = reason is None
    return _verdicts[base]


def _obstacle(config: PretrainedConfig) -> str | None:
    """What the configuration names that made-up items might be too short to show."""
    types = set(getattr(config, "layer_types", None) or ())
    if unknown := types - {"full_attention", "sliding_attention"}:
        return f"does not suit its layers of type {', '.join(sorted(unknown))}"
    if "local" in (getattr(config, "attention_layers", None) or ()):
        return "does not suit its layers of local attention"
    attention = getattr(config, "attn_config", None)
    if getattr(config, "alibi", False) or getattr(attention, "alibi", False):
        return "does not suit its positions by distance (ALiBi)"
    return None


def _difference(base: Model) -> str | None:
    """What goes wrong, in words; None if nothing does."""
    items = _made_items(int(text_config(base).vocab_size))
    count = int(text_config(base).num_hidden_layers)
    layers = sorted({(count + 1) // 2, count})
    whole = all(weights.dtype == torch.float32 for weights in base.parameters())
    tolerance = _TOLERANCE_WHOLE if whole else _TOLERANCE_ROUNDED
    with _as_evaluated(base), _narrow_window(base), torch.no_grad():
        plain = score_pairs(base, items, 0, layers)
        try:
            prefix = prefix_of(base, items[0].prompt[:_PREFIX])
            shared = score_packed(base, items, 0, layers, prefix)
            alone = score_packed(base, items, 0)
        except Exception as error:
            # An architecture may fail in any way of its own; only lack of memory is another matter.
            if is_out_of_memory(error):
                raise
            return f"fails ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
    assert plain.states is not None
    assert shared.states is not None
    errors = [
        _relative(shared.log_probabilities, plain.log_probabilities),
        _relative(alone.log_probabilities, plain.log_probabilities),
        _relative(shared.states, plain.states),
    ]
    if all(error <= tolerance for error in errors):  # false for "not a number" too
        return None
    return f"gives other numbers (off by {max(errors):.2g} of their size)"


def _relative(found: Tensor, expected: Tensor) -> float:
    """Size of the difference by the size of what is expected; both without -inf."""
    present = expected.isfinite()
    found, expected = found[present].float(), expected[present].float()
    return float((found - expected).norm() / expected.norm())


def _made_items(vocabulary: int) -> list[EncodedItem]:
    """Two items with one prefix, and choices of 1 to 24 tokens, from the middle of the vocabulary.

    The ends of a vocabulary hold special tokens.
    """
    generator = torch.Generator().manual_seed(0)

    def draw(count: int) -> list[int]:
        low, high = vocabulary // 4, max(vocabulary // 4 + 1, 3 * vocabulary // 4)
        drawn: list[int] = torch.randint(low, high, (count,), generator=generator).tolist()
        return drawn

    prefix = draw(_PREFIX)
    return [
        EncodedItem(prefix + draw(question), [draw(length) for length in lengths])
        for question, lengths in ((3, (2, 24, 9)), (8, (5, 1, 16)))
    ]


@contextmanager
def _as_evaluated(base: nn.Module) -> Iterator[None]:
    """No dropout; afterwards every module is as it was."""
    training = [module for module in base.modules() if module.training]
    base.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def _narrow_window(base: Model) -> Iterator[None]:
    """A sliding window that the made-up items exceed; masks are made from the configuration."""
    config = text_config(base)
    window = getattr(config, "sliding_window", None)
    if window is None:
        yield
        return
    config.sliding_window = min(int(window), _WINDOW)
    try:
        yield
    finally:
        config.sliding_window = window
