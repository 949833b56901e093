"""`labelmix demo`, run once, run again, planned on, and its page in a browser."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from analysis.run import wording
from analysis.run.conclusion import conclude
from analysis.run.result import RunResult

pytestmark = pytest.mark.timeout(1800)

Rows = dict[str, tuple[Any, ...]]
Labelmix = Callable[..., str]
CHROMIUM = [
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--hide-scrollbars",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(labelmix: Labelmix, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One demo for all tests; they leave its folder as it is."""
    folder = tmp_path_factory.mktemp("runs") / "demo"
    labelmix("demo", "--out", folder)
    return folder


@pytest.fixture(scope="module")
def result(folder: Path) -> RunResult:
    return RunResult.model_validate_json((folder / "result.json").read_text())


def test_the_promised_files_are_there(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} >= {
        "report.html", "result.json", "trials.sqlite", "features",
    }  # fmt: skip


def test_the_result_has_all_promised_fields(folder: Path) -> None:
    result = json.loads((folder / "result.json").read_text())
    assert result["plan"].keys() >= {"labels", "cost"}
    assert set(result["plan"]["labels"]) == {"easy", "hard"}
    assert result["exchange_rate"].keys() >= {"estimate", "low", "high"}
    assert result["sgr"].keys() >= {
        "estimate", "low", "high", "resolved", "easy", "hard", "unsupervised",
    }  # fmt: skip
    conditions = {"plan", "all_easy", "all_hard", "equal_spend", "proportional"}
    assert result["accuracy"].keys() >= conditions | {"zero_shot", "guessing"}
    for accuracy in result["accuracy"].values():
        assert 0 <= accuracy["low"] <= accuracy["estimate"] <= accuracy["high"] <= 1
    assert result["baselines"].keys() == conditions - {"plan"}
    assert result["sgr_per_cost"].keys() >= conditions
    assert len(result["seeds"]) >= 2 and len(set(result["seeds"])) == len(result["seeds"])
    assert result["budget"] > 0
    assert result["trials"]["total"] > 0


def test_every_method_ran_and_every_trial_is_kept(
    folder: Path, result: RunResult, stored_rows: Callable[[Path], Rows]
) -> None:
    recipes = [json.loads(row[2])["recipe"] for row in stored_rows(folder).values()]
    counted = {
        method: sum(recipe["method"] == method for recipe in recipes)
        for method in ("zero_shot", "probe", "qlora")
    }
    assert min(counted.values()) > 0
    assert result.trials.by_method == counted
    assert result.trials.total == len(recipes)
    adapters = [recipe for recipe in recipes if recipe["method"] == "qlora"]
    assert {recipe["quantisation"] for recipe in adapters} == {"nf4"}


def test_nothing_costs_more_than_the_budget(result: RunResult) -> None:
    budget = Decimal(str(result.budget))
    for method in result.methods.values():
        for purchase in (method.plan, *method.baselines.values()):
            prices = [
                Decimal(str(result.strata[name].cost)) * number
                for name, number in purchase.labels.items()
            ]
            assert Decimal(str(purchase.cost)) == sum(prices) <= budget


def test_labels_close_a_real_supervision_gap(result: RunResult) -> None:
    """On hard items: zero-shot far below training, fine-tuning far above guessing."""
    qlora = result.methods["qlora"]
    assert result.planning_method == "qlora"
    assert result.sgr.resolved
    assert result.sgr.estimate is not None
    zero_shot, hard = qlora.accuracy["zero_shot"], qlora.accuracy["hard_equal_count"]
    assert hard.labels["hard"] >= 160
    assert zero_shot.estimate is not None and hard.estimate is not None
    assert hard.estimate - zero_shot.estimate >= 0.10
    assert result.chance_accuracy == pytest.approx(0.25)
    plan = qlora.accuracy["plan"].estimate
    assert plan is not None and plan >= result.chance_accuracy + 0.10
    assert hard.estimate >= result.chance_accuracy + 0.10


def test_the_exchange_rate_is_told_or_said_not_to_be_resolved(
    folder: Path, result: RunResult, report_text: Callable[[Path], str]
) -> None:
    """A pilot of 80 labels a side may fail to resolve it; then no number may stand in its place."""
    rate, page = result.exchange_rate, report_text(folder)
    text = page.split("The same with")[0]  # of the method that the plan rests on
    if rate.rate_resolved:
        assert rate.low is not None and rate.estimate is not None and rate.high is not None
        assert rate.low < rate.estimate < rate.high
        assert "The pilot cannot tell how many hard labels" not in text
    else:
        assert rate.low is rate.estimate is rate.high is rate.probability_better_buy is None
        assert "The pilot cannot tell how many hard labels one easy label is worth" in text


def test_a_second_demo_trains_nothing_and_gives_the_same(
    folder: Path, labelmix: Labelmix, stored_rows: Callable[[Path], Rows]
) -> None:
    rows, page = stored_rows(folder), (folder / "report.html").read_bytes()
    was = json.loads((folder / "result.json").read_text())
    printed = json.loads(labelmix("demo", "--out", folder, "--json"))
    written = json.loads((folder / "result.json").read_text())
    assert was.pop("checksum") == written.pop("checksum")  # of the file alone, times left out
    assert printed == written
    assert was.pop("timing").keys() == printed.pop("timing").keys()
    assert printed == was
    assert stored_rows(folder) == rows
    assert (folder / "report.html").read_bytes() == page


def test_planning_again_finds_the_same_plan(
    folder: Path, result: RunResult, labelmix: Labelmix
) -> None:
    """On the same evidence and at the same prices."""
    again = json.loads(labelmix("plan", folder, "--json"))
    assert again["plan"] == result.plan.model_dump()
    assert again["exchange_rates"]["easy"] == result.exchange_rate.model_dump()
    assert again["method"] == "qlora"


def test_planning_at_other_prices_and_budgets(
    folder: Path, result: RunResult, labelmix: Labelmix
) -> None:
    for arguments, budget, costs in (
        (("--budget", "900.50", "--cost", "hard=3"), 900.50, {"easy": 1, "hard": 3}),
        (("--cost", "easy=2.25", "--method", "probe"), result.budget, {"easy": 2.25, "hard": 2}),
    ):
        plan = json.loads(labelmix("plan", folder, *arguments, "--json"))
        assert plan["budget"] == budget
        labels = plan["plan"]["labels"]
        after = plan["plan"]["labels_after_pilot"]
        cost = result.pilot.cost + sum(costs[name] * number for name, number in after.items())
        assert plan["plan"]["cost"] == cost <= budget
        for name, number in result.pilot.labels.items():
            assert labels[name] == number + after[name]  # what was bought stays bought
        assert plan["exchange_rates"]["easy"]["cost_ratio"] == pytest.approx(
            costs["easy"] / costs["hard"]
        )
    words = labelmix("plan", folder)
    assert words.startswith("Buy ")


def test_the_report_is_written_again(folder: Path, labelmix: Labelmix, tmp_path: Path) -> None:
    printed = labelmix("report", folder, "--out", tmp_path / "again.html")
    assert "wrote" in printed
    assert (tmp_path / "again.html").read_bytes() == (folder / "report.html").read_bytes()


# -- the page -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browse(require: Callable[[bool, str], None], tmp_path_factory: Any) -> Callable[..., str]:
    """`browse(page, *options)` opens a file in Chromium; returns what it prints."""
    require(shutil.which("chromium") is not None, "chromium is not installed")

    def open_page(page: Path, *options: str) -> str:
        profile = tmp_path_factory.mktemp("profile")
        words = [*CHROMIUM, f"--user-data-dir={profile}", *options, page.as_uri()]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return open_page


def framed(page: Path, width: int, folder: Path) -> Path:
    """The page in a frame of so many pixels: a window cannot be narrower than about 500.

    A script beside the page tells the frame's sizes to the outer document.
    """
    measures = (
        "<script>const root = document.documentElement;"
        "const height = name => document.querySelector(name).getBoundingClientRect().height;"
        "parent.document.body.dataset.sizes ="
        " [innerWidth, root.scrollWidth, height('.wide svg'), height('.narrow svg')].join(' ');"
        "</script>"
    )
    content = page.read_text(encoding="utf-8").replace("</body>", f"{measures}</body>")
    frame = folder / "framed.html"
    frame.write_text(
        '<!DOCTYPE html><meta charset="utf-8"><body style="margin:0"><iframe scrolling="no" '
        f'style="border:0;display:block;width:{width}px;height:2000px" '
        f'srcdoc="{html.escape(content)}"></iframe></body>',
        encoding="utf-8",
    )
    return frame


def test_a_browser_finds_the_recommendation(
    folder: Path, result: RunResult, browse: Callable[..., str]
) -> None:
    document = browse(folder / "report.html", "--dump-dom")
    sentence = re.search(r'<p class="sentence">(.*?)</p>', document, flags=re.DOTALL)
    assert sentence
    # str.split parts at no-break spaces too
    assert " ".join(html.unescape(sentence[1]).split()) == wording.recommendation(
        result, conclude(result)
    )


def test_a_browser_finds_the_figures(
    folder: Path, result: RunResult, browse: Callable[..., str]
) -> None:
    document = browse(folder / "report.html", "--dump-dom")
    shown = {"learning-curve": True, "exchange-rate": result.exchange_rate.rate_resolved}
    for figure, expected in shown.items():
        drawn = re.search(rf'<svg class="{figure}"[^>]*>(.*?)</svg>', document, flags=re.DOTALL)
        assert bool(drawn) == expected
        assert drawn is None or drawn[1].count("<path") > 5


@pytest.mark.parametrize("width", [1100, 400])
def test_the_page_fits_its_window(
    folder: Path, browse: Callable[..., str], tmp_path: Path, width: int
) -> None:
    """Nothing is wider than the window, and one form of each figure is shown."""
    document = browse(framed(folder / "report.html", width, tmp_path), "--dump-dom")
    found = re.search(r'data-sizes="([\d. ]+)"', document)
    assert found
    inner, content, wide_figure, narrow_figure = map(float, found[1].split())
    assert inner == width
    assert content <= width
    assert (wide_figure > 100) == (width == 1100)
    assert (narrow_figure > 100) == (width == 400)


@pytest.mark.parametrize("width", [1100, 400])
def test_the_page_is_drawn(
    folder: Path, browse: Callable[..., str], tmp_path: Path, width: int
) -> None:
    picture = tmp_path / "page.png"
    frame = framed(folder / "report.html", width, tmp_path)
    browse(frame, "--window-size=1100,2000", f"--screenshot={picture}")
    drawn = np.asarray(imread(picture))[:, :, :3]  # (height, width, colours), 0 to 1
    assert drawn.shape[:2] == (2000, 1100)
    assert (drawn[:, width:] == 1).all()  # nothing leaves the frame
    page = drawn[:, :width]
    inked = np.asarray((page < 0.98).any(axis=2))
    assert 0.02 < inked.mean() < 0.5  # text and figures on white
    assert inked[1000:].mean() > 0.01  # further down too
    colours = np.unique((page * 255).round().astype(np.int64).reshape(-1, 3), axis=0)
    assert len(colours) > 50
