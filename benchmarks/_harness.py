"""lm-evaluation-harness on generated items, offline: its own task format, sorting and batches."""

import io
import json
import logging
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from _models import GeneratedItems
from training.models.load import LoadedModel
from training.prompts import DEFAULT_PROMPT, Prompt


@dataclass
class Evaluation:
    """What the harness saw and found.

    `requests` are its own (context, continuation) pairs, item by item; `scores` (items, most
    choices) are their summed log-probabilities, -inf where an item has fewer choices. `accuracy`
    is its own `acc`, that of the likeliest choice.
    """

    requests: list[tuple[str, str]]
    scores: Tensor
    accuracy: float


class Harness:
    """A multiple-choice task over a prompt of ours, scored by its model for transformers.

    The worked examples are its few-shot split, taken in order, so that every item has the same.
    `folder` receives the task, its data and the harness's caches.
    """

    def __init__(
        self,
        folder: Path,
        loaded: LoadedModel,
        items: GeneratedItems,
        examples: GeneratedItems,
        prompt: Prompt = DEFAULT_PROMPT,
    ) -> None:
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager

        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        folder.mkdir(parents=True)
        files = {"test": folder / "test.jsonl", "examples": folder / "examples.jsonl"}
        _write(files["test"], items, prompt)
        _write(files["examples"], examples, prompt)
        task = {
            "task": "generated",
            "dataset_path": "json",
            "dataset_kwargs": {
                "data_files": {split: str(path) for split, path in files.items()},
                "cache_dir": str(folder / "cache"),
            },
            "test_split": "test",
            "fewshot_split": "examples",
            "fewshot_config": {"sampler": "first_n"},
            "output_type": "multiple_choice",
            "doc_to_text": "query",
            "doc_to_choice": "choices",
            "doc_to_target": "answer",
            "target_delimiter": " ",
            "fewshot_delimiter": "\n\n",
            "metric_list": [{"metric": "acc"}],
        }
        # Any JSON is YAML.
        (folder / "generated.yaml").write_text(json.dumps(task), encoding="utf-8")
        self._tasks = TaskManager(include_path=str(folder), include_defaults=False)
        self._model: Any = HFLM(
            pretrained=loaded.model, tokenizer=loaded.tokenizer, device=str(loaded.device)
        )

    def evaluate(self, shots: int, batch_size: int) -> Evaluation:
        """The harness's whole evaluation: building requests, scoring, metrics."""
        from lm_eval import simple_evaluate

        self._model.batch_size_per_gpu = batch_size
        with redirect_stderr(io.StringIO()):  # progress bars
            found = simple_evaluate(
                self._model,
                tasks=["generated"],
                num_fewshot=shots,
                task_manager=self._tasks,
                bootstrap_iters=0,
                log_samples=True,
            )
        samples = sorted(found["samples"]["generated"], key=lambda sample: sample["doc_id"])
        requests = [tuple(pair) for sample in samples for pair in sample["arguments"]]
        rows = [torch.tensor([answer[0] for (answer,) in s["resps"]]) for s in samples]
        accuracy = float(found["results"]["generated"]["acc,none"])
        return Evaluation(requests, pad_sequence(rows, True, -torch.inf), accuracy)

    def loglikelihood(self, requests: list[tuple[str, str]], batch_size: int) -> list[float]:
        """The scoring alone, texts to log-probabilities."""
        from lm_eval.api.instance import Instance

        self._model.batch_size_per_gpu = batch_size
        instances = [
            Instance("loglikelihood", {}, pair, index) for index, pair in enumerate(requests)
        ]
        answers = self._model.loglikelihood(instances, disable_tqdm=True)
        return [float(score) for score, _ in answers]


def _write(path: Path, items: GeneratedItems, prompt: Prompt) -> None:
    rows = zip(items.questions, items.choices, items.answers, strict=True)
    with path.open("w", encoding="utf-8") as file:
        for question, choices, answer in rows:
            query = prompt.query(question, choices)
            file.write(json.dumps({"query": query, "choices": choices, "answer": answer}) + "\n")
