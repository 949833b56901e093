"""Where items come from: one small file per source, behind `load_items`."""

import importlib
import inspect
from collections.abc import Callable, Iterable

import pandas as pd

from annotation.errors import InputError

# The source `x` is loaded by `load_x` of `annotation.sources.x`; the user's own tables by
# `annotation.items.read`, whatever brings them.
SOURCES: dict[str, str] = {
    "workshop": "generated multi-step word problems; needs no data and no network",
    "tabular": "your own items: a JSONL, CSV or Parquet file, or a hub id, with a column mapping",
    "arc": "ARC science questions with human grade, difficulty, Bloom skill, depth of knowledge",
    "sst5": "sentences of film reviews, positive or negative; hardness is mildness",
    "gsm8k": "grade-school word problems with solutions, free-form answers; hardness is steps",
    "mmlu_stem": "science and mathematics questions; hardness is high school or college",
    "strategyqa": "yes-or-no questions with facts; hardness is the steps that they take",
}


def load_items(source: str, **options: object) -> pd.DataFrame:
    """Load the item table of a source; `options` are those of its loader.

    Raises InputError if there is no such source, it has no such option, or it cannot be loaded.
    """
    if source not in SOURCES:
        raise InputError(f"source '{source}' is unknown; choose one of {', '.join(SOURCES)}.")
    check_options(source, options)
    return source_loader(source)(**options)


def check_options(source: str, options: Iterable[str]) -> None:
    """Raise InputError if the loader of a source has no option of such a name."""
    accepted = list(inspect.signature(source_loader(source)).parameters)
    for name in options:
        if name not in accepted:
            raise InputError(
                f"source '{source}' has no option '{name}'; it accepts {', '.join(accepted)}."
            )


def source_loader(source: str) -> Callable[..., pd.DataFrame]:
    """The function that loads a source, one of `SOURCES`; its parameters are the options."""
    # Imported only when used: sources bring their own dependencies.
    place = "annotation.items.read" if source == "tabular" else f"annotation.sources.{source}"
    loader: Callable[..., pd.DataFrame] = getattr(importlib.import_module(place), f"load_{source}")
    return loader
