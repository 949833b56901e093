import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from budget.commands.printing import say
from budget.commands.screen import Screen

ROOT = Path(__file__).resolve().parents[4]
RED = "\x1b[31mred"


def test_printed_lines_show_controls(capsys: pytest.CaptureFixture[str]) -> None:
    say(RED)
    say(RED, err=True)
    assert capsys.readouterr() == ("\\u001b[31mred\n", "\\u001b[31mred\n")


def shown(*things: object) -> str:
    screen = Screen()
    screen.file = io.StringIO()
    for thing in things:
        screen.print(thing)
    return screen.file.getvalue()


def test_tables_and_texts_show_controls() -> None:
    table = Table("head\x9b", title=RED)
    table.add_row(RED)
    table.add_row(Text(RED))
    said = shown(table, RED, Text(RED), f"note {RED}")
    assert not {"\x1b", "\x9b"} & set(said)
    assert said.count("\\u001b[31mred") == 6
    widths = {len(line) for line in said.splitlines() if line[:1] in "\u2502\u250f\u2514"}
    assert len(widths - {max(widths)}) <= 1  # only the text made elsewhere is wider


def test_markup_in_a_text_is_a_text() -> None:
    assert shown("[bold]item[/bold] [/]") == "[bold]item[/bold] [/]\n"


def test_a_text_of_megabytes_is_cut() -> None:
    assert len(shown("x" * 10_000_000)) < 11_000


def test_nothing_else_prints() -> None:
    """Every line for people goes one way: `say` and `Screen`."""
    own = {"budget/commands/printing.py", "budget/commands/screen.py"}
    own |= {"budget/commands/reference.py", "training/pico/pretrain.py"}  # no texts from files
    found = []
    for package in ("annotation", "training", "analysis", "budget"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if str(path.relative_to(ROOT)) in own:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _name(node.func) in (
                    "print", "typer.echo", "typer.secho", "Console",
                    "sys.stdout.write", "sys.stderr.write",
                ):  # fmt: skip
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found, f"print by budget.commands.printing or screen: {found}"


def _name(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return f"{_name(called.value)}.{called.attr}"
    return called.id if isinstance(called, ast.Name) else ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_an_encoding_that_lacks_characters_loses_none(encoding: str, tmp_path: Path) -> None:
    row = '{{"question": "{0}?", "choices": ["{0}", "b"], "answer": 0, "steps": {1}}}\n'
    lines = [row.format("\u65e5\u672c\u8a9e", number) for number in (1, 2)]
    (tmp_path / "items.jsonl").write_text("".join(lines), encoding="utf-8")
    program = "from budget.commands.app import main; main()"
    described = ["items", "describe", "--source", "tabular", "--path", "items.jsonl"]
    found = subprocess.run(
        [sys.executable, "-c", program, *described],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, b"")
    said = found.stdout.decode(encoding)
    assert ("\u65e5" if encoding == "utf-8" else "\\u65e5\\u672c\\u8a9e") in said
