"""What files every command writes and reads, held against the parameters that the commands have."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer

from budget.commands.app import app

Place = tuple[str, str]  # a command and its parameter

# What it writes there.
WRITES: dict[Place, str] = {
    ("hardness", "out"): "items",
    ("hardness", "figure"): "figure",
    ("hardness", "features"): "features",
    ("judgments report", "out"): "terms",
    ("judgments report", "suppliers_out"): "suppliers",
    ("judgments report", "labels_out"): "labels",
    ("judgments report", "html"): "page of judgments",
    ("judgments simulate", "out"): "judgments",
    ("judgments simulate", "truth"): "truth",
    ("labelstudio push", "out"): "pilot",
    ("labelstudio pull", "judgments"): "judgments",
    ("labelstudio watch", "judgments"): "judgments",
    ("run", "out"): "run",
    ("demo", "out"): "run",
    ("trial", "out"): "trials",
    ("curves", "out"): "curves",
    ("run", "features"): "features",
    ("trial", "features"): "features",
    ("curves", "features"): "features",
    ("backtest", "out"): "backtest",
    ("simulate", "out"): "simulation",
    ("replay", "out"): "replay",
    ("report", "out"): "page",
    ("init", "path"): "configuration",
    ("collect order-sheet", "out"): "order sheet",
    ("collect pay", "out"): "pay",
    ("judgments pay", "out"): "pay",
    ("collect new", "folder"): "collection",
    ("collect export", "out"): "training set",
    ("reproduce", "out"): "reproduction",
    ("reproduce", "features"): "features",
    ("suppliers llm", "out"): "items",
    ("suppliers measure", "out"): "items to check",
    ("suppliers route", "ask_out"): "items to check",
    ("suppliers route", "out"): "routed labels",
}
# What it says that it reads there. A configuration names files of its own, see `IN_CONFIGURATION`.
READS: dict[Place, tuple[str, ...]] = {
    ("hardness", "items"): ("items", "configuration"),
    ("hardness", "judgments"): ("judgments",),
    ("hardness", "features"): ("features",),
    ("items describe", "config"): ("configuration",),
    ("items describe", "path"): ("items",),
    ("judgments report", "files"): ("judgments",),
    ("judgments report", "items"): ("items",),
    ("judgments report", "config"): ("configuration",),
    ("labelstudio push", "items"): ("items", "configuration"),
    ("labelstudio push", "out"): ("pilot",),
    ("labelstudio pull", "pilot"): ("pilot",),
    ("labelstudio watch", "pilot"): ("pilot",),
    ("run", "config"): ("configuration",),
    ("run", "out"): ("run", "trials"),
    ("trial", "config"): ("configuration",),
    ("trial", "out"): ("trials", "run"),
    ("curves", "config"): ("configuration",),
    ("curves", "out"): ("curves",),
    ("backtest", "out"): ("backtest",),
    ("plan", "run_folder"): ("run",),
    ("plan", "suppliers"): ("suppliers",),
    ("report", "run_folder"): ("run",),
    ("simulate", "run"): ("run",),
    ("replay", "files"): ("judgments",),
    ("replay", "items"): ("items",),
    ("replay", "test"): ("items",),
    ("replay", "suppliers"): ("suppliers",),
    ("simulate", "assume"): ("terms",),
    ("judgments alarms", "files"): ("judgments",),
    ("judgments alarms", "suppliers"): ("suppliers",),
    ("judgments finish", "files"): ("judgments",),
    ("judgments finish", "past"): ("judgments",),
    ("judgments pay", "files"): ("judgments",),
    ("suppliers llm", "items"): ("items",),
    ("suppliers measure", "items"): ("items",),
    ("suppliers measure", "checked"): ("items to check",),
    ("suppliers route", "items"): ("items",),
    ("suppliers route", "checked"): ("items to check",),
    ("collect new", "items"): ("items",),
    ("collect new", "test"): ("items",),
    ("collect new", "suppliers"): ("suppliers",),
    ("collect change", "suppliers"): ("suppliers",),
    **{
        (f"collect {name}", "folder"): ("collection",)
        for name in (
            *("step", "run", "approve", "status", "cancel"),
            *("pause", "resume", "close", "change", "export"),
        )
    },
}
IN_CONFIGURATION = ("items", "judgments", "terms")  # path, judgments, [annotators.STRATUM]
CONFIGURED = (
    *("run", "trial", "curves"),
    *("items describe", "hardness", "judgments report", "labelstudio push"),
)
# Written for people, or for programs that are not labelmix: no command reads them.
FOR_OTHERS = {
    "figure": "a drawing",
    "page": "the HTML report of a run",
    "simulation": "page, drawing and numbers",
    "replay": "claim and outcome in numbers",
    "labels": "labels to train on elsewhere",
    "truth": "what was simulated, to compare estimates with",
    "page of judgments": "a page for people",
    "order sheet": "a page for a supplier",
    "pay": "what each annotator is due",
    "reproduction": "page, tables, figures and numbers of claims",
    "routed labels": "labels to train on elsewhere, and whose they are",
    "training set": "labels, judgments, ledger and decisions of a collection",
}
# Files that a command reads and none writes.
OF_OTHERS: dict[Place, str] = {
    ("labelstudio push", "predictions"): "a model's answers",
    ("labelstudio push", "instructions"): "text or HTML",
    ("suppliers llm", "instructions"): "text for a language model",
    ("suppliers llm", "key_file"): "a secret",
    ("collect new", "labels"): "labels from elsewhere",
    ("collect new", "instructions"): "text or HTML",
    **{
        (command, "folder"): "a collection, which has tests of its own"
        for command in ("collect order-sheet", "collect pay")
    },
    ("collect new", "config"): "settings of a collection, which people write",
    ("replay", "config"): "settings of a collection",
    ("reproduce", "judged"): "a configuration with judgments, which has tests of its own",
    ("app", "folders"): "runs and collections; pages have tests of their own",
    ("app", "suppliers"): "suppliers, as labelmix plan reads them",
    ("app", "token_file"): "a secret",
    **{
        (command, "token_file"): "a secret"
        for command in (
            *("labelstudio push", "labelstudio pull", "labelstudio watch"),
            *("collect step", "collect run"),
        )
    },
    **{
        (command, "data_dir"): "a data set as it was downloaded"
        for command in (
            *("run", "trial", "curves", "backtest", "hardness", "items describe"),
            *("judgments report", "labelstudio push"),
        )
    },
}
# Texts that may name a file.
TEXTS: set[Place] = {("simulate", "assume")}


def commands() -> dict[str, Callable[..., Any]]:
    """Every command by its words, and the function that carries it out."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Callable[..., Any]]]:
        inner = getattr(command, "commands", {})
        for name, own in inner.items():
            yield from walk(own, (*words, name))
        if not inner:
            yield " ".join(words), inspect.unwrap(command.callback)

    return dict(walk(typer.main.get_command(app), ()))


def path_parameters() -> set[Place]:
    """Every parameter of a command that is a path, or several."""

    def is_path(kind: Any) -> bool:
        return kind is Path or any(map(is_path, get_args(kind)))

    return {
        (name, parameter)
        for name, function in commands().items()
        for parameter, kind in get_type_hints(function).items()
        if is_path(kind)
    }
