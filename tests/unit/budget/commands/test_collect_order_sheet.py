"""The order sheet of a batch: what a supplier is to see, and nothing else."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from budget.collection.store.store import CollectionStore
from tests.unit.budget.collection.small_collection import begun, ordered, suppliers
from tests.unit.budget.commands.command_line import labelmix, one_line


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ordered(begun(tmp_path_factory.mktemp("order"), "--deadline", "2031-03-31"))


def page(folder: Path, out: Path, *options: str) -> str:
    done = labelmix("collect", "order-sheet", folder, "1", "--out", out, *options)
    assert done.exit_code == 0, done.output
    return out.read_text(encoding="utf-8")


def test_it_says_what_from_whom_at_which_price_until_when(batch: Path, tmp_path: Path) -> None:
    text = page(batch, tmp_path / "order.html", "--supplier", "crowd")
    # 8 items and 2 gold questions of each of 2 strata, two judgments of each; 5 % above.
    assert "40 judgments for 2.10 EUR at most" in text
    assert len(re.findall(r"<td>0\.05 EUR</td><td class=\"number\">1\.00 EUR", text)) == 2
    assert "2031-03-31" in text and "odd, even" in text and "batch-1.csv" in text
    assert "experts" not in text and "gold" not in text and "Draft" not in text
    assert not re.search(r"<script|src=|href=|https?:|@import", text)
    other = page(batch, tmp_path / "o.html", "--supplier", "experts", "--until", "2031-01-02")
    assert "36 EUR an hour, 60 s of each at most" in other
    assert "2031-01-02" in other and "2031-03-31" not in other and "crowd" not in other


def test_its_sums_are_what_the_ledger_promised(batch: Path, tmp_path: Path) -> None:
    sums = []
    for name in ("crowd", "experts"):
        out = tmp_path / f"{name}.html"
        options = ("--supplier", name, "--out", out, "--json")
        told = json.loads(labelmix("collect", "order-sheet", batch, "1", *options).stdout)
        rows = re.findall(r'<td class="number">([\d.]+) EUR</td></tr>', out.read_text())
        assert sum(map(Decimal, rows[:-1])) == Decimal(rows[-1]) == Decimal(told["most"])
        sums.append(Decimal(told["most"]))
    with CollectionStore.open(batch / "collection.sqlite") as store:
        assert sum(sums) == store.balance().promised


def test_a_batch_that_waits_for_approval_is_a_draft_and_texts_are_escaped(tmp_path: Path) -> None:
    folder = begun(tmp_path, "--currency", "<b>&")
    assert labelmix("collect", "step", folder).exit_code == 0
    text = page(folder, tmp_path / "order.html", "--supplier", "crowd")
    assert "Draft" in text and "&lt;b&gt;&amp;" in text and "<b>" not in text
    assert '<span class="blank">' in text  # no deadline: to be filled in by hand


def test_with_one_supplier_it_needs_no_name(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    alone = suppliers().partition("[suppliers.experts]")[0]
    (tmp_path / "alone.toml").write_text(alone, encoding="utf-8")
    labelmix("collect", "change", folder, "--suppliers", tmp_path / "alone.toml")
    labelmix("collect", "step", folder)
    assert "from crowd" in page(folder, tmp_path / "order.html")
    labelmix("collect", "cancel", folder, "1", "--why", "no")
    done = labelmix("collect", "order-sheet", folder, "1", "--out", tmp_path / "no.html")
    assert one_line(done) == "batch 1 is cancelled; nothing of it is ordered."
    assert not (tmp_path / "no.html").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("1 --out o.html", "each gets a sheet of its own; name one with --supplier: crowd,"),
        ("1 --out o.html --supplier bob", "--supplier 'bob': is asked for nothing in batch 1;"),
        ("7 --out o.html --supplier crowd", "there is no batch 7; the batches are: 1 to 1."),
        ("1 --out o.pdf --supplier crowd", "--out o.pdf: an order sheet is written as .html"),
        ("1 --out o.html --supplier crowd --until 3/4", "--until '3/4': a day should be written"),
    ],
)
def test_what_is_refused(
    batch: Path, words: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in one_line(labelmix("collect", "order-sheet", batch, *words.split()))
    assert not list(tmp_path.iterdir())
