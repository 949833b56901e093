"""Tables of results, written as CSV for machines and as LaTeX for papers."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Literal

from analysis.estimates import Estimate, Record
from analysis.numbers import count, percent, points, ratio, span
from annotation.spreadsheet_cells import guarded_row

ColumnKind = Literal["text", "count", "percent", "points", "ratio", "p"]
CellValue = Estimate | float | int | str | None
_WITH_INTERVALS = ("percent", "points", "ratio")
_ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\u2212": "$-$",
        "\u00a0": "~",
    }
)


class Column(Record):
    """A column: its head, and what its numbers are."""

    name: str
    kind: ColumnKind = "text"


class Table(Record):
    """A table; `name` is that of its files, `rows` hold one cell a column."""

    name: str
    title: str
    columns: list[Column]
    rows: list[list[CellValue]]


def table(
    name: str,
    title: str,
    columns: Sequence[tuple[str, ColumnKind]],
    rows: Sequence[Sequence[CellValue]],
) -> Table:
    """A table of columns (head, kind) and rows.

    Raises ValueError if a row has not one cell a column.
    """
    if any(len(row) != len(columns) for row in rows):
        raise ValueError(f"table '{name}': every row should have {len(columns)} cells.")
    heads = [Column(name=head, kind=kind) for head, kind in columns]
    return Table(name=name, title=title, columns=heads, rows=[list(row) for row in rows])


def cell_text(cell: CellValue, kind: ColumnKind) -> str:
    """A cell for people: '57.0 (52.1 to 61.8)', in percent and points without the sign."""
    if isinstance(cell, Estimate):
        told = cell_text(cell.estimate, kind)
        if cell.estimate is None:
            return told
        if cell.low is None or cell.high is None:
            return told
        if kind == "ratio":
            return f"{told} ({ratio(cell.low, 2)} to {ratio(cell.high, 2)})"
        return f"{told} ({span(cell)})"
    if cell is None:
        return "not resolved" if kind in _WITH_INTERVALS else ""
    if isinstance(cell, str):
        return cell
    match kind:
        case "percent":
            return percent(cell).removesuffix(" %")
        case "points":
            return points(cell)
        case "ratio":
            return ratio(cell, 2)
        case "p":
            return "< 0.0001" if cell < 1e-4 else f"{cell:.4f}"
        case "count":
            return count(round(cell))
        case _:
            return f"{cell:g}"


def csv_text(own: Table) -> str:
    """The table as CSV: numbers as they are, an estimate as itself, its low and its high end."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads: list[str] = []
    for column in own.columns:
        heads.append(column.name)
        if column.kind in _WITH_INTERVALS:
            heads += [f"{column.name} low", f"{column.name} high"]
    writer.writerow(guarded_row(heads))
    for row in own.rows:
        cells: list[object] = []
        for cell, column in zip(row, own.columns, strict=True):
            known = cell if isinstance(cell, Estimate) else None
            cells.append(cell if known is None else known.estimate)
            if column.kind in _WITH_INTERVALS:
                cells += [None, None] if known is None else [known.low, known.high]
        writer.writerow(guarded_row("" if cell is None else cell for cell in cells))
    return out.getvalue()


def latex_text(own: Table) -> str:
    """The table as a LaTeX `table` with rules of the package booktabs."""
    heads = " & ".join(_head(column) for column in own.columns)
    aligned = "".join("l" if column.kind == "text" else "r" for column in own.columns)
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        f"\\caption{{{own.title.translate(_ESCAPED)}}}",
        f"\\label{{tab:{own.name}}}",
        f"\\begin{{tabular}}{{{aligned}}}",
        "\\toprule",
        f"{heads} \\\\",
        "\\midrule",
    ]
    for row in own.rows:
        cells = (cell_text(cell, c.kind) for cell, c in zip(row, own.columns, strict=True))
        lines.append(" & ".join(cell.translate(_ESCAPED) for cell in cells) + " \\\\")
    lines += ["\\bottomrule", "\\end{tabular}", "\\end{table}"]
    return "\n".join(lines) + "\n"


def head_text(column: Column) -> str:
    """The head of a column for people, with the unit of its numbers."""
    units = {"percent": " (%)", "points": " (points)", "p": " (p)"}
    return f"{column.name}{units.get(column.kind, '')}"


def _head(column: Column) -> str:
    return head_text(column).translate(_ESCAPED)
