"""The page of a replay: everything that was found, in the house's style, and nothing that runs."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.estimates import Estimate
from budget.replay.page import replay_page, write_page
from budget.replay.result import (
    AskedItems,
    ClaimRecord,
    DonePoint,
    PurchaseRecord,
    ReplayResult,
    Saving,
    SeedClaim,
)
from budget.replay.wording import (
    claim_sentences,
    headline,
    outcome_sentences,
    reading_sentences,
    table_rows,
)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def text_of(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    return " ".join(" ".join(parser.words).split())


def around(middle: float, half: float = 0.05) -> Estimate:
    return Estimate(estimate=middle, low=middle - half, high=middle + half)


def purchase(
    name: str, accuracy: float, cost: float, judgments: int | None = None, behind: float = 0.0
) -> PurchaseRecord:
    """One that the plan is so far ahead of."""
    return PurchaseRecord(
        name=name,
        supplier=None if judgments is None else "crowd",
        judgments=judgments,
        cost=cost,
        items={"easy": 40.0, "hard": 20.0},
        accuracy=around(accuracy),
        plan_minus_this=None if name == "plan" else around(behind, 0.02),
        accuracy_by_seed=[accuracy, accuracy],
    )


@pytest.fixture
def result() -> ReplayResult:
    """The plan beats what was done and loses to "all hard"."""
    return ReplayResult(
        judgments=900,
        items={"easy": 100, "hard": 100},
        rules={"easy": "steps <= 2", "hard": "steps > 2"},
        target="hard",
        tested=60,
        model="models/mine",
        method="probe",
        currency="EUR",
        paid=45.0,
        budget=22.5,
        seeds=2,
        in_time_order=False,
        confidence=0.95,
        nothing_learnt=0.5,
        claim=ClaimRecord(
            seeds=2,
            cost=20.0,
            gold_cost=1.0,
            expected_accuracy=around(0.7),
            bought=[AskedItems(supplier="crowd", stratum="hard", judgments=3, items=20.0)],
            by_seed=[SeedClaim(seed=0, batch=2, spent_before=5.0, expected_accuracy=around(0.7))],
        ),
        kept_claims=1,
        arms=[
            purchase("plan", 0.66, 20.0),
            purchase("done", 0.6, 22.5, behind=0.06),
            purchase("all_easy", 0.62, 22.0, 1, behind=0.04),
            purchase("all_hard", 0.72, 22.5, 3, behind=-0.06),
            purchase("equal_spend", 0.66, 22.5, 3),
            purchase("proportional", 0.65, 22.5, 3, behind=0.01),
        ],
        best_rule=3,
        done_curve=[DonePoint(money=own, accuracy=around(0.55)) for own in (5.6, 11.2, 22.5, 45.0)],
        saving=Saving(needed=30.0, saved=around(10.0, 4.0), at_most_known=False),
        ended={"Nothing more is worth its money.": 2},
        notes=["the first 2 judgments of every item tell how hard it is."],
    )


def test_the_page_says_all_that_was_found(result: ReplayResult) -> None:
    text = text_of(replay_page(result)).replace("\u00a0", " ")
    sentences = [
        headline(result),
        *claim_sentences(result.claim, result.target, result.currency),
        *outcome_sentences(result),
        *reading_sentences(result),
        *result.notes,
        "2: Nothing more is worth its money.",
        "Planned with probe on mine.",
    ]
    for sentence in sentences:
        assert sentence in text
    for row in table_rows(result):
        for cell in row:
            assert cell in text
    assert text.index("The claim, before the outcome.") < text.index("What came of it.")


def test_gains_and_losses_are_told_alike(result: ReplayResult) -> None:
    assert headline(result) == (
        "The plan beats what was done with the same money, and loses to the best simple rule, "
        "all hard."
    )
    arms = [own.model_copy(update={"plan_minus_this": around(0.0)}) for own in result.arms]
    unclear = result.model_copy(update={"arms": arms})
    assert headline(unclear) == (
        "The plan cannot be told from what was done with the same money, nor from the best simple "
        "rule, all hard."
    )
    for learnt, told in ((0.7, "cannot be told from"), (0.8, "is worse than")):
        vain = result.model_copy(update={"nothing_learnt": learnt})
        assert headline(vain).endswith(f"It {told} what needs no labels.")
        assert any(
            own.startswith(f"That {told} what needs no labels") for own in outcome_sentences(vain)
        )


def test_the_figure_has_every_purchase_with_its_interval(result: ReplayResult) -> None:
    page = replay_page(result)
    (figure,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    label = re.search(r'aria-label="([^"]*)"', figure)
    assert label is not None
    assert "all hard, 22.50 EUR: 72.0 %" in label[1].replace("\u00a0", " ")
    assert figure.count("outcome-LineCollection") == len(result.arms) - 1  # but what was done
    assert "the plan" in text_of(figure) and "what was done" in text_of(figure)


def test_the_page_stands_alone(result: ReplayResult) -> None:
    page = replay_page(result)
    assert "<script" not in page and "@import" not in page
    for link in re.findall(r"(?:href|src)=\"([^\"]*)\"", page):
        assert link.startswith("#")


def test_names_are_texts_wherever_they_stand(result: ReplayResult) -> None:
    evil = "<script>alert(1)</script>"
    arms = [
        own.model_copy(update={"supplier": own.supplier and evil, "items": {evil: 3.0}})
        for own in result.arms
    ]
    arms[2] = arms[2].model_copy(update={"name": f"all_{evil}"})
    bought = [result.claim.bought[0].model_copy(update={"supplier": evil, "stratum": evil})]
    changed = result.model_copy(
        update={
            "arms": arms,
            "claim": result.claim.model_copy(update={"bought": bought}),
            "items": {evil: 100, "hard": 100},
            "rules": {evil: f"{evil} <= 2", "hard": evil},
            "model": evil,
            "currency": evil,
            "notes": [evil],
            "ended": {evil: 2},
            "target": evil,
        }
    )
    page = replay_page(changed)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_same_result_gives_the_same_page(result: ReplayResult, tmp_path: Path) -> None:
    write_page(result, tmp_path / "replay.html")
    assert (tmp_path / "replay.html").read_text(encoding="utf-8") == replay_page(result)
