"""The `labelmix` command. Heavy imports happen inside the command that needs them."""

import os
from typing import Annotated

import typer

from budget.commands import collect, collect_deciding
from budget.commands.backtest import backtest
from budget.commands.collect import collect_app
from budget.commands.collect_order_sheet import order_sheet
from budget.commands.collect_pay import pay as collect_pay
from budget.commands.console import written_output
from budget.commands.curves import curves
from budget.commands.hardness import hardness
from budget.commands.items import items_app
from budget.commands.judgments import judgments_app
from budget.commands.judgments_alarms import alarms
from budget.commands.judgments_finish import finish
from budget.commands.judgments_pay import pay
from budget.commands.labelstudio import labelstudio_app
from budget.commands.plan import plan
from budget.commands.printing import say, show_all_characters
from budget.commands.replay import replay
from budget.commands.reproduce import reproduce
from budget.commands.run import demo, init, report, run, trial
from budget.commands.simulate import simulate
from budget.commands.suppliers import suppliers_app
from budget.commands.web import web

# Two threads on a busy machine are far slower than one (OpenMP spins); who has the machine to
# himself says so by OMP_NUM_THREADS. Set before numpy and torch read it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

app = typer.Typer(
    help="Which labels should we buy? labelmix splits a labelling budget between easy and hard "
    "items, on the evidence of your own task.\n\nExample: labelmix demo\n\nExit codes: 0 done; "
    "2 wrong input or options; 3 the machine failed (a full disk, a file that may not be written, "
    "a kept file that is damaged); 130 Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# In the order of the help.
for command in (hardness, plan, simulate, demo, run, trial, init, report, curves, backtest):
    app.command()(command)
app.command()(replay)
app.command()(reproduce)
app.command("app")(web)
app.add_typer(items_app, name="items")
judgments_app.command()(alarms)
judgments_app.command()(finish)
judgments_app.command()(pay)
app.add_typer(judgments_app, name="judgments")
app.add_typer(labelstudio_app, name="labelstudio")
app.add_typer(suppliers_app, name="suppliers")
collect_app.command()(collect.new)
collect_app.command()(collect.step)
collect_app.command()(collect.run)
collect_app.command()(collect_deciding.approve)
collect_app.command()(collect.status)
collect_app.command()(collect_deciding.cancel)
collect_app.command()(collect_deciding.pause)
collect_app.command()(collect_deciding.resume)
collect_app.command()(collect_deciding.close)
collect_app.command()(collect_deciding.change)
collect_app.command()(collect.export)
collect_app.command("order-sheet")(order_sheet)
collect_app.command()(collect_pay)
app.add_typer(collect_app, name="collect")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as installed_version

        try:
            told = installed_version("labelmix")
        except PackageNotFoundError:
            told = "(not installed: run from its source)"
        say(f"labelmix {told}")
        raise typer.Exit


def main() -> None:
    """Entry point of the `labelmix` command."""
    show_all_characters()
    with written_output():
        app(prog_name="labelmix")
