"""`labelmix suppliers llm`: a language model answers a table of items."""

import json
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from budget.commands.console import guarded
from budget.commands.options import (
    AnswersOption,
    ChoicesOption,
    ColumnOption,
    Json,
    read_choices,
    read_columns,
)
from budget.commands.printing import say

if TYPE_CHECKING:
    from annotation.items.read import UserTable


@guarded
def llm(
    items: Annotated[
        Path,
        typer.Argument(metavar="ITEMS", help="Items with choices (JSONL, CSV, Parquet)."),
    ],
    model: Annotated[
        str, typer.Option(metavar="NAME", help="As the endpoint calls it, e.g. gpt-4o-mini.")
    ],
    url: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="An endpoint that speaks as OpenAI's does, e.g. https://api.openai.com/v1 or "
            "http://127.0.0.1:8000/v1.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write ITEMS with the model's answers and how sure it was, e.g. answered.jsonl. "
            "What was asked is kept beside it, in FILE.answers.sqlite.",
        ),
    ] = None,
    key_variable: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Environment variable with the key; default: OPENAI_API_KEY."
        ),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file that holds the key alone.")
    ] = None,
    instructions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What the model is told before each item, instead of the usual."
        ),
    ] = None,
    prefix: Annotated[
        str,
        typer.Option(help="Of the new columns, PREFIX_label and PREFIX_confidence."),
    ] = "llm",
    price_per_item: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="What one answer costs, e.g. .002.")
    ] = None,
    price_in: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="What a million tokens that are sent cost, e.g. .15."),
    ] = None,
    price_out: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="What a million tokens of answers cost, e.g. .60."),
    ] = None,
    most: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            help="Money that all runs for this --out may spend together, e.g. 5. No request is "
            "sent that could go beyond it.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take, and send nothing.")
    ] = False,
    longest_answer: Annotated[
        int, typer.Option(min=1, max=100_000, help="Tokens of an answer, at most.")
    ] = 16,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds to wait for one answer.")
    ] = 60,
    patience: Annotated[
        float,
        typer.Option(min=0, max=86_400, help="Seconds to try an item again while a server fails."),
    ] = 60,
    column: ColumnOption = None,
    choices: ChoicesOption = None,
    answers: AnswersOption = None,
    as_json: Json = False,
) -> None:
    """Let a language model answer items, each in a request of its own, within a sum of money.

    Then 'suppliers measure' says how often it is wrong, and 'suppliers route' which items it may
    label. Run again after an interruption: what was answered is not asked, nor paid, twice.

    Example: labelmix suppliers llm items.csv --model m --url http://gpu:8000/v1 --dry-run
    """
    from annotation.errors import InputError
    from annotation.items.extended_table import write_extended
    from annotation.items.read import read_user_table
    from annotation.items.write import check_table_path
    from annotation.machines.language_model.address import checked_address
    from annotation.machines.language_model.answer_file import KeptAnswers, answer_file
    from annotation.machines.language_model.api_key import find_key
    from annotation.machines.language_model.asking import Questions, ask_items, forecast
    from annotation.machines.language_model.failures import Patience
    from annotation.machines.language_model.question import check_askable
    from annotation.machines.language_model.tariff import amount, tariff_of
    from annotation.whole_files import check_outputs
    from budget.commands.show.suppliers_llm import (
        asked_json,
        forecast_json,
        show_asked,
        show_forecast,
    )
    from budget.commands.watchers import progress_watcher

    for path in check_outputs((out,), (items, instructions, key_file)):
        check_table_path(path)
    address = checked_address(url)
    tariff = tariff_of(price_per_item, price_in, price_out)
    bound = amount(most, "--most")
    if bound is not None and not tariff.is_known:
        raise InputError(
            "--most needs prices: give --price-per-item, or --price-in and --price-out."
        )
    if out is None and not dry_run:
        raise InputError("give --out FILE for the answers, or --dry-run to see what it would take.")
    told = _instructions(instructions)
    table = read_user_table(
        items, read_columns(column), read_choices(choices), mapped_by="option", answers=answers
    )
    names = (f"{prefix}_label", f"{prefix}_confidence")
    _check_names(table, names)
    check_askable(table.items, str(items))
    questions = Questions(table.items, address, model, told, longest_answer)
    with ExitStack() as stack:
        own = None if out is None else answer_file(out)
        if dry_run or own is None or out is None:
            there = own is not None and own.exists()
            kept = stack.enter_context(KeptAnswers(own)) if own is not None and there else None
            expected = forecast(questions, tariff, kept)
            if as_json:
                say(json.dumps(forecast_json(expected, tariff, bound), indent=2))
            else:
                show_forecast(expected, tariff, bound)
            return
        key = find_key(key_file, key_variable, address)
        _need_client()
        from annotation.machines.language_model.endpoint import Endpoint

        kept = stack.enter_context(KeptAnswers(own))
        asks = stack.enter_context(Endpoint(address, model, key, longest_answer, timeout))
        with progress_watcher() as watcher:
            watcher.stage(f"asking {key.redact(model)}", len(questions))
            found = ask_items(
                questions,
                asks,
                kept,
                tariff,
                None if bound is None else Fraction(bound),
                Patience(patience),
                watcher.advance,
            )
        write_extended(table, dict(zip(names, (found.labels, found.confidences), strict=True)), out)
        bills = kept.bill(this_run=True), kept.bill()
    if as_json:
        say(json.dumps(asked_json(found, tariff, *bills), indent=2))
        return
    show_asked(found, tariff, *bills)
    say(f"wrote {out}")


def _instructions(path: Path | None) -> str:
    """What the model is told before each item.

    Raises InputError if the file cannot be read, is empty or too long.
    """
    from annotation.errors import InputError
    from annotation.files import readable
    from annotation.machines.language_model.question import INSTRUCTIONS, LONGEST_INSTRUCTIONS

    if path is None:
        return INSTRUCTIONS
    with readable(path):
        text = path.read_text(encoding="utf-8-sig").strip()
    if not 0 < len(text) <= LONGEST_INSTRUCTIONS:
        raise InputError(
            f"{path}: has {len(text):,} characters; instructions should have 1 to "
            f"{LONGEST_INSTRUCTIONS:,}, as they are sent with every item."
        )
    return text


def _check_names(table: "UserTable", names: tuple[str, ...]) -> None:
    """Raise InputError if the file has a column of such a name."""
    from annotation.errors import InputError, short

    there = {name for record in table.records for name in record}
    for name in names:
        if name in there:
            raise InputError(
                f"{table.path}: has a column {short(name)} already; give the new ones another "
                "name: --prefix NAME."
            )


def _need_client() -> None:
    """Raise InputError if the client is not installed."""
    from annotation.errors import InputError

    try:
        import httpx2  # noqa: F401
        import openai  # noqa: F401
    except ImportError:
        raise InputError(
            "asking a language model needs the extra 'llm': pip install 'labelmix[llm]'."
        ) from None
