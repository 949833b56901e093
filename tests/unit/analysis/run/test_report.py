import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.run.report import render_report, write_report
from analysis.run.result import RunResult, write_result
from annotation.errors import InputError

VOID = {"meta", "br", "link", "img", "hr", "input"}
HOSTILE = "<script>alert(1)</script>\" onload='x' & </title>"


class Page(HTMLParser):
    """A page taken apart: visible text, attributes, headings; open tags must be closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.mistakes: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.headings: list[str] = []
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self._text: list[str] = []
        self.feed(page)
        self.close()
        self.text = " ".join(" ".join(self._text).split())

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag == "span" and self.rows and self.rows[-1]:
            self.rows[-1][-1] += " | "

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.mistakes.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self._text.append(data)
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)
        if "tbody" in self.open and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.replace("\u00a0", " ").strip()


@pytest.fixture(
    params=[
        "resolved_result",
        "three_strata_result",
        "unresolved_gap_result",
        "unresolved_rate_result",
    ]
)
def any_result(request: pytest.FixtureRequest) -> RunResult:
    result: RunResult = request.getfixturevalue(request.param)
    return result


def test_the_page_is_well_formed_and_has_its_parts(any_result: RunResult) -> None:
    page = Page(render_report(any_result))
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


def test_the_page_loads_nothing_from_anywhere(any_result: RunResult) -> None:
    text = render_report(any_result)
    page = Page(text)
    loading = {"src", "href", "xlink:href", "srcset", "data", "action", "poster", "background"}
    links = [value for _, name, value in page.attributes if name in loading]
    assert links
    assert all(link.startswith("#") for link in links)
    assert {"script", "link", "iframe", "object", "embed", "img"}.isdisjoint(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert all(place.startswith("url(#") for place in re.findall(r"url\([^)]*", text))
    assert "@import" not in text
    assert "http" not in text


def test_no_raw_value_reaches_the_page(any_result: RunResult) -> None:
    page = Page(render_report(any_result))
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


def test_the_answer_stands_at_the_top(resolved_result: RunResult) -> None:
    text = Page(render_report(resolved_result)).text.replace("\u00a0", " ")
    top = text[: text.index("What the money buys")]
    assert "Buy 520 easy and 100 hard labels for $720: expected 62 % right on hard items" in top
    assert "Budget $740" in top
    assert "Left over $20" in top
    assert "Still to buy after the pilot 420 easy labels, $420" in top
    assert "costs 0.5 times as much: easy labels are clearly the better buy" in top
    assert "is not distinguishable from zero" in top


def test_every_alternative_has_its_row(resolved_result: RunResult) -> None:
    rows = {
        row[0].split(" | ")[0]: row
        for row in reversed(Page(render_report(resolved_result)).rows)
        if row
    }
    assert rows["plan"][1:] == [
        "520", "100", "$720", "62.2 % | 58.6 to 65.8", "61.8 % | 58.4 to 65.2", "\u2013", "3.6 %",
    ]  # fmt: skip
    assert rows["all hard"][1:] == [
        "0", "370", "$740", "57.1 % | 53.7 to 60.5", "56.2 % | 52.6 to 59.8", "+5.6 | 3.4 to 7.8",
        "2.8 %",
    ]  # fmt: skip
    assert rows["all easy"][6] == "\u22121.9 | \u22124.1 to 0.3, unclear"
    assert rows["zero-shot"][1:] == [
        "0", "0", "$0", "\u2013", "35.0 % | 30.2 to 39.8", "\u2013", "\u2013",
    ]  # fmt: skip
    assert {"equal spend", "proportional"} <= rows.keys()


def test_sgr_per_cost_says_per_what(resolved_result: RunResult) -> None:
    # The plan's SGR, (61.8 - 35.0) / (45.2 - 35.0) = 262 %, cost $720: 3.6 % per $10.
    assert "SGR per $10" in Page(render_report(resolved_result)).text


def test_a_negative_sgr_per_cost_is_no_amount(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    per_cost = {"plan": 0.0036, "all_hard": -72.0}
    page = Page(render_report(change_planning_method(resolved_result, sgr_per_cost=per_cost)))
    rows = {row[0].split(" | ")[0]: row for row in reversed(page.rows) if row}
    assert rows["plan"][-1] == "3.6 %"
    assert rows["all hard"][-1] == "negative"
    assert rows["all easy"][-1] == "\u2013"


def test_an_unresolved_gap_is_said_and_no_sgr_is_given(unresolved_gap_result: RunResult) -> None:
    text = Page(render_report(unresolved_gap_result)).text.replace("\u00a0", " ")
    assert (
        "The supervision gap is not resolved: training on hard labels was not distinguishably "
        "better than no training (difference +1.2 points, \u22121.0 to 3.4), so no SGR is given."
    ) in text
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
                "sgr_per_cost": {"plan": 0.0777},
            }
        )
        for key, method in resolved_result.methods.items()
    }
    text = Page(render_report(resolved_result.model_copy(update={"methods": methods}))).text
    assert "7.7" not in text
    assert "777" not in text
    assert text.count("so no SGR is given.") == 2


def test_an_unresolved_rate_is_said_and_a_larger_pilot_advised(
    unresolved_rate_result: RunResult,
) -> None:
    page = render_report(unresolved_rate_result)
    text = Page(page).text
    assert "The pilot cannot tell how many hard labels one easy label is worth." in text
    assert "A larger pilot would tell" in text
    assert "Please note" in text
    assert 'class="exchange-rate"' not in page


def test_three_strata_have_three_columns_and_two_rates(three_strata_result: RunResult) -> None:
    page = Page(render_report(three_strata_result))
    assert "Buy 360 easy, 120 medium and 100 hard labels for $740" in page.text
    assert "One easy label is worth 1.4 hard labels" in page.text
    assert "One medium label is worth 1.2 hard labels" in page.text
    plan = next(row for row in page.rows if row and row[0].startswith("plan"))
    assert plan[1:5] == ["360", "120", "100", "$740"]


def test_text_of_the_result_is_escaped_everywhere(resolved_result: RunResult) -> None:
    names = {"easy", "medium", "hard", "all_easy", "probe"}
    fixed = {"kind", "error_kind", "origin"}  # chosen from a list, not free text

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
    assert "Trained on its own plan, shown below, the model got 63.6" in text
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


def test_where_nothing_is_recommended_the_page_calls_nothing_so(
    unresolved_gap_result: RunResult,
) -> None:
    accuracy = unresolved_gap_result.accuracy
    low = accuracy["plan"].model_copy(update={"estimate": 0.34, "low": 0.30, "high": 0.39})
    result = unresolved_gap_result.model_copy(update={"accuracy": {**accuracy, "plan": low}})
    text = Page(render_report(result)).text.replace("\u00a0", " ")
    assert "Do not buy yet" in text
    assert "this purchase" not in text
    assert "the best purchase found" in text
    assert "this purchase" in Page(render_report(unresolved_gap_result)).text
