"""Whose labels a run trained on, as its pages tell it: simulated ones are never told as bought."""

import re
from pathlib import Path

import pytest

from analysis.run import label_source
from analysis.run.report import render_report
from analysis.run.result import RunResult, StratumSummary
from tests import golden_pages
from tests.told_as_done import told_as_done
from tests.unit.analysis.run.report_page import Page
from tests.unit.analysis.runs_by_hand import collected_from

SIMULATED = (
    "resolved",
    "three_strata",
    "unresolved_gap",
    "unresolved_rate",
    "without_benefit",
    "rule_better",
    "test_against_pilot",
)


def read_aloud(result: RunResult) -> str:
    """All that is read on a report, the figures' descriptions too."""
    page = Page(render_report(result))
    told = [value for _, name, value in page.attributes if name == "aria-label"]
    return " ".join([page.text, *told]).replace("\u00a0", " ")


@pytest.mark.parametrize("kind", SIMULATED)
def test_nothing_simulated_is_told_as_done(kind: str, request: pytest.FixtureRequest) -> None:
    text = read_aloud(request.getfixturevalue(f"{kind}_result"))
    assert told_as_done(text) == []
    assert "Annotators were simulated" in text
    assert "people's own judgments" not in text


def test_nothing_that_people_gave_is_called_simulated(
    collected_result: RunResult, without_benefit_result: RunResult
) -> None:
    for result in (collected_result, collected_from(without_benefit_result)):
        text = read_aloud(result)
        assert "Trained on people's own judgments: 36,214 judgments by 470 annotators" in text
        assert re.findall(r"[^.:]*simulated[^.]*\.", text) == [" No annotator was simulated."]
        assert told_as_done(text) == []


def test_a_report_on_collected_judgments(collected_result: RunResult) -> None:
    lines = Page(render_report(collected_result)).lines
    golden_pages.check("report_collected", "\n".join(lines))


def test_where_labels_came_from(resolved_result: RunResult) -> None:
    collected = collected_from(resolved_result)
    one_each = {
        name: own.model_copy(update={"judgments": 1}) for name, own in collected.strata.items()
    }
    easy = collected.strata["easy"].model_copy(update={"error_rate": 0.2})
    results = {
        "simulated": resolved_result,
        "collected": collected,
        "one judgment for each label, strata by a column": collected_from(
            resolved_result, judgments_for_strata=0
        ).model_copy(update={"strata": one_each}),
        "posteriors, some rows unusable, two files": collected_from(
            resolved_result, aggregate="dawid_skene", left_out=12, files=["one.csv", "two.csv"]
        ),
        "the error rate of easy labels is given": collected.model_copy(
            update={"strata": {**collected.strata, "easy": easy}}
        ),
    }
    golden_pages.check(
        "run_label_source",
        golden_pages.page(
            {
                name: [
                    *label_source.where_labels_came_from(own),
                    *(
                        f"{stratum}: {label_source.error_rate(own, stratum)} | "
                        f"{label_source.basis(own, stratum)}"
                        for stratum in own.strata
                    ),
                ]
                for name, own in results.items()
            }
        ),
    )


def test_stated_error_rates_are_told_with_how_often_a_label_is_then_wrong() -> None:
    def told(rate: float, kind: str | None, wrong: float, judgments: int = 1) -> str:
        return label_source.stated_error_rate(
            StratumSummary.model_validate(
                {
                    "rule": "steps <= 2", "items": 10, "test_items": 4, "pool_items": 6,
                    "cost": 1.0, "error_rate": rate, "error_kind": kind, "true_flip_rate": wrong,
                    "judgments": judgments,
                }
            )
        )  # fmt: skip

    golden_pages.check(
        "run_error_rates",
        golden_pages.page(
            {
                "redrawn": told(0.2, "redraw", 0.15),
                "flipped": told(0.2, "flip", 0.2),
                "redrawn, majority of three": told(0.2, "redraw", 0.048, 3),
                "none": told(0.0, "redraw", 0.0),
            }
        ),
    )


GLOSSARY = Path(__file__).parents[4] / "docs" / "glossary.md"


def first_sentence(text: str) -> str:
    return text.replace("*", "").split(". ")[0].rstrip(".")


def test_the_report_s_words_are_those_of_the_glossary(resolved_result: RunResult) -> None:
    rows = re.findall(r"^\| (\S.*?) \| (.*?) \|", GLOSSARY.read_text(encoding="utf-8"), re.M)
    known = {word.strip("*").lower(): first_sentence(text) for word, text in rows}
    lines = Page(render_report(resolved_result)).lines
    own = lines[
        lines.index("# Words used here") + 1 : lines.index("# How to get this result again")
    ]
    told = dict(zip(own[::2], (line.removeprefix(": ") for line in own[1::2]), strict=True))
    assert {"Stratum", "Judgment", "Label", "Labeller", "Exchange rate", "SGR"} <= told.keys()
    for word in ("Stratum", "Label", "Error rate"):
        assert first_sentence(told[word]) == known[word.lower()]
