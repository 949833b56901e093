import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.estimates import Estimate
from analysis.run.report import render_report, write_report
from analysis.run.report_tables import what_was_measured
from analysis.run.result import PromptSummary, RunResult, write_result
from annotation.errors import InputError
from tests import golden_pages
from tests.unit.analysis.run.report_page import Page

HOSTILE = "<script>alert(1)</script>\" onload='x' & </title>"


KINDS = ("resolved", "three_strata", "unresolved_gap", "unresolved_rate", "without_benefit")


@dataclass(frozen=True)
class Report:
    """A rendered page, and the same taken apart."""

    kind: str
    html: str
    page: Page


@pytest.fixture(scope="module", params=KINDS)
def report(request: pytest.FixtureRequest) -> Report:
    html = render_report(request.getfixturevalue(f"{request.param}_result"))
    return Report(request.param, html, Page(html))


def test_all_that_is_read_on_the_page(report: Report) -> None:
    """From the answer at the top on, figures left out; once to its end, which is always alike."""
    lines = report.page.lines
    if report.kind != "resolved":
        lines = lines[: lines.index("# What was assumed")]
    golden_pages.check(f"report_{report.kind}", "\n".join(lines))


def test_the_page_is_well_formed_and_has_its_parts(report: Report) -> None:
    page = report.page
    assert page.mistakes == []
    assert page.open == []
    assert page.headings[:2] == ["Workshop word problems", "Recommendation"]
    assert {
        "What the money buys",
        "Break-even: when which label is the better buy",
        "Supervision gap recovered",
        "The alternatives",
        "The same with 4-bit QLoRA",
        "What was assumed",
        "What was measured",
        "Words used here",
        "How to get this result again",
    } <= set(page.headings)
    assert page.tags.count("table") == page.tags.count("caption") == 4


def test_the_page_loads_nothing_from_anywhere(report: Report) -> None:
    text, page = report.html, report.page
    loading = {"src", "href", "xlink:href", "srcset", "data", "action", "poster", "background"}
    links = [value for _, name, value in page.attributes if name in loading]
    assert links
    assert all(link.startswith("#") for link in links)
    assert {"script", "link", "iframe", "object", "embed", "img"}.isdisjoint(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert all(place.startswith("url(#") for place in re.findall(r"url\([^)]*", text))
    assert "@import" not in text
    assert "http" not in text


def test_no_raw_value_reaches_the_page(report: Report) -> None:
    page = report.page
    labels = [value for _, name, value in page.attributes if name == "aria-label"]
    text = " ".join([page.text, *labels])
    assert not re.findall(r"\b(?:None|nan|NaN|inf|True|False)\b", text)
    assert not re.findall(r"\d\.\d{3,}", text)
    assert not re.findall(r"\d\.\d{2,}.%", text)


def test_the_same_result_gives_the_same_bytes_in_another_process(
    three_strata_result: RunResult, tmp_path: Path
) -> None:
    write_result(three_strata_result, tmp_path / "result.json")
    code = (
        "import hashlib, pathlib, sys; from analysis.run.report import render_report; "
        "from analysis.run.result import read_result; "
        "page = render_report(read_result(pathlib.Path(sys.argv[1]))); "
        "print(hashlib.sha256(page.encode()).hexdigest())"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "result.json")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[4],
        env=os.environ | {"PYTHONHASHSEED": "3"},
    ).stdout.strip()
    page = render_report(three_strata_result)
    assert printed == hashlib.sha256(page.encode()).hexdigest()


def test_the_run_s_times_do_not_change_the_page(resolved_result: RunResult) -> None:
    later = resolved_result.model_copy(update={"timing": {"seconds": 9.0}})
    assert render_report(later) == render_report(resolved_result)


def test_every_alternative_has_its_row(resolved_result: RunResult) -> None:
    rows = {
        row[0].split(" | ")[0]: row
        for row in reversed(Page(render_report(resolved_result)).rows)
        if row
    }
    # The plan's SGR, (61.8 - 35.0) / (45.2 - 35.0) = 262 %, cost $720: 3.6 % per $10.
    assert rows["plan"][1:] == [
        "520", "100", "$720", "62.2 % | 58.6 to 65.8", "61.8 % | 58.4 to 65.2", "\u2013",
        "3.6 % | 3.4 to 3.9",
    ]  # fmt: skip
    assert rows["all hard"][1:] == [
        "0", "370", "$740", "57.1 % | 53.7 to 60.5", "56.2 % | 52.6 to 59.8", "+5.6 | 3.4 to 7.8",
        "2.8 % | 2.5 to 3.1",
    ]  # fmt: skip
    assert rows["all easy"][6] == "\u22121.9 | \u22124.1 to 0.3, unclear"
    assert rows["zero-shot"][1:] == [
        "0", "0", "$0", "\u2013", "35.0 % | 30.2 to 39.8", "\u2013", "\u2013",
    ]  # fmt: skip
    assert {"equal spend", "proportional"} <= rows.keys()


def test_a_negative_sgr_per_cost_is_no_amount(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    per_cost = {
        "plan": Estimate(estimate=0.0036, low=-2.0, high=0.0041),
        "all_hard": Estimate(estimate=-72.0, low=-90.0, high=-3.0),
        "equal_spend": Estimate(estimate=0.0030, low=0.0021, high=0.0039),
    }
    page = Page(render_report(change_planning_method(resolved_result, sgr_per_cost=per_cost)))
    rows = {row[0].split(" | ")[0]: row for row in reversed(page.rows) if row}
    assert rows["plan"][-1] == "3.6 % | negative to 4.1"
    assert rows["equal spend"][-1] == "3.0 % | 2.1 to 3.9"
    assert "the dearer of two such purchases would look better" in page.text
    assert rows["all hard"][-1] == "negative"
    assert rows["all easy"][-1] == "\u2013"


def test_an_unresolved_gap_has_no_sgr(unresolved_gap_result: RunResult) -> None:
    text = Page(render_report(unresolved_gap_result)).text.replace("\u00a0", " ")
    assert "125 %" not in text  # (36.5 - 35.0) / (36.2 - 35.0)
    assert "SGR per" not in text
    assert not re.findall(r"SGR[^.]{0,60}\d", text)


def test_an_unresolved_gap_hides_numbers_that_were_left_in_the_result(
    resolved_result: RunResult,
) -> None:
    methods = {
        key: method.model_copy(
            update={
                "sgr": method.sgr.model_copy(update={"resolved": False, "estimate": 7.77}),
                "sgr_per_cost": {"plan": Estimate(estimate=0.0777, low=0.07, high=0.0778)},
            }
        )
        for key, method in resolved_result.methods.items()
    }
    text = Page(render_report(resolved_result.model_copy(update={"methods": methods}))).text
    assert "7.7" not in text
    assert "777" not in text
    assert text.count("so no SGR is given.") == 2


def test_an_unresolved_rate_has_no_figure(
    unresolved_rate_result: RunResult, resolved_result: RunResult
) -> None:
    assert 'class="exchange-rate"' not in render_report(unresolved_rate_result)
    assert 'class="exchange-rate"' in render_report(resolved_result)


def test_three_strata_have_three_columns(three_strata_result: RunResult) -> None:
    page = Page(render_report(three_strata_result))
    plan = next(row for row in page.rows if row and row[0].startswith("plan"))
    assert plan[1:5] == ["360", "120", "100", "$740"]


def test_text_of_the_result_is_escaped_everywhere(resolved_result: RunResult) -> None:
    names = {"easy", "medium", "hard", "all_easy", "probe"}
    fixed = {"kind", "error_kind", "origin", "verdict"}  # chosen from a list, not free text

    def poison(value: object) -> object:
        """The value with every free text, and every key that is a name, made hostile."""
        if isinstance(value, dict):
            free = set() if "unsupervised" in value else names  # there, easy and hard are fields
            return {
                poison(key) if key in free else key: item if key in fixed else poison(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [poison(item) for item in value]
        return f"{value}{HOSTILE}" if isinstance(value, str) else value

    result = RunResult.model_validate(poison(resolved_result.model_dump()))
    result = result.model_copy(update={"warnings": [HOSTILE]})
    text = render_report(result)
    page = Page(text)
    assert "<script" not in text
    assert page.mistakes == []
    assert page.open == []
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 50  # there, as text


def test_the_prompt_is_told_where_a_model_was_asked(resolved_result: RunResult) -> None:
    asked = PromptSummary(version="0306-mended", normalisation="character")
    told = dict(
        what_was_measured(
            resolved_result.model_copy(update={"prompt": asked}),
            resolved_result.methods[resolved_result.planning_method],
        )
    )
    assert told["Prompt"] == (
        "0306-mended; untrained, a choice is scored by log-probability per character"
    )
    encoder = resolved_result.model_copy(update={"prompt": None})
    planning = resolved_result.methods[resolved_result.planning_method]
    assert "Prompt" not in dict(what_was_measured(encoder, planning))


def test_the_result_s_warnings_are_shown(resolved_result: RunResult) -> None:
    assert "Please note" not in render_report(resolved_result)
    warned = resolved_result.model_copy(update={"warnings": ["Only 2 seeds were run."]})
    text = Page(render_report(warned)).text
    assert "Please note Only 2 seeds were run." in text


def test_a_bad_fit_is_told_in_words(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    surface = resolved_result.methods["probe"].surface.model_copy(
        update={"root_mean_square_residual": 0.041}
    )
    text = Page(render_report(change_planning_method(resolved_result, surface=surface))).text
    assert "misses the measured points by 4.1 points" in text
    assert "It fits badly" in text
    assert "the fit is bad, see the note above" in text


def test_costs_are_in_the_currency_of_the_result(resolved_result: RunResult) -> None:
    text = Page(render_report(resolved_result.model_copy(update={"currency": "EUR"}))).text
    assert "100 hard labels for 720 EUR" in text
    assert "SGR per 10 EUR" in text
    assert "$" not in text


def test_a_method_with_a_plan_of_its_own_says_so(resolved_result: RunResult) -> None:
    qlora = resolved_result.methods["qlora"]
    plan = qlora.plan.model_copy(update={"labels": {"easy": 440, "hard": 140}})
    methods = resolved_result.methods | {"qlora": qlora.model_copy(update={"plan": plan})}
    text = Page(render_report(resolved_result.model_copy(update={"methods": methods}))).text
    assert "Trained on its own plan, shown below (simulated labels), the model got 63.6" in text
    assert "own plan with 4-bit QLoRA" in text


def test_a_result_without_its_planning_method_is_an_input_error(
    resolved_result: RunResult,
) -> None:
    lost = resolved_result.model_copy(update={"planning_method": "magic"})
    with pytest.raises(InputError, match=r"methods has no 'magic'.*\['probe', 'qlora'\]"):
        render_report(lost)


def test_the_report_is_written_whole(resolved_result: RunResult, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "demo" / "report.html"
    write_report(resolved_result, path)
    assert path.read_text(encoding="utf-8") == render_report(resolved_result)
    assert [child.name for child in path.parent.iterdir()] == ["report.html"]


def test_a_failed_report_leaves_the_old_one(resolved_result: RunResult, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(InputError):
        write_report(resolved_result.model_copy(update={"planning_method": "magic"}), path)
    assert path.read_text(encoding="utf-8") == "old"


def test_a_place_that_cannot_be_written_is_an_input_error(
    resolved_result: RunResult, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"report\.html: cannot be written"):
        write_report(resolved_result, tmp_path / "file" / "report.html")
