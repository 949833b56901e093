"""Whether a collection's model can read its items, told before anything is paid for."""

import numpy as np

from budget.config.collection_config import CollectionConfig
from training.models.quiet import quiet_libraries
from training.models.source import ModelSource
from training.prompts import find_prompt
from training.task import Task

_FEW_KNOWN = 0.8  # share of a text's tokens; below it a model knows another language


def check_model(source: ModelSource, config: CollectionConfig, task: Task) -> tuple[str, ...]:
    """What there is to say about how the model reads these items; no weight of it is loaded.

    Raises InputError, naming the item, if one is too long for it.
    """
    from training.models.load import model_outline
    from training.scoring.encoding import encode_items

    quiet_libraries()
    outline = model_outline(source)
    items, method = task.items, config.methods.plan_with
    questions, choices = items["question"].tolist(), items["choices"].tolist()
    told = []
    if source.kind == "encoder" and method == "probe":
        longest = outline.context_length
        cut = sum(len(own) > longest for own in outline.tokenizer(questions)["input_ids"])
        if cut:
            told.append(
                f"model '{source.label}' reads {longest:,} tokens at most, so the ends of {cut:,} "
                "long questions are not read."
            )
    else:
        prompt = find_prompt(config.prompt_version(method), source.label)
        encode_items(outline, questions, choices, items["item_id"].tolist(), prompt)
    unknown = outline.tokenizer.unk_token_id
    if unknown is not None:
        ids = outline.tokenizer(questions, add_special_tokens=False)["input_ids"]
        known = 1 - float(np.mean([token == unknown for own in ids for token in own]))
        if known < _FEW_KNOWN:
            told.append(
                f"model '{source.label}' knows {known:.0%} of the words of these questions, so it "
                "will learn little from their labels; name another by --model."
            )
    return tuple(told)
