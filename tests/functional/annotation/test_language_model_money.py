"""Whatever an endpoint does, and however often a run is begun again, the cap on money holds."""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.errors import InputError
from annotation.machines.language_model.answer_file import KeptAnswers
from annotation.machines.language_model.asking import Questions, ask_items
from annotation.machines.language_model.failures import SERVER_FAILED, AttemptError, Patience
from annotation.machines.language_model.question import Message
from annotation.machines.language_model.reply import Completion
from annotation.machines.language_model.tariff import Tariff, most_tokens

pytestmark = pytest.mark.functional

LONGEST = 4
COUNT = 6
AMOUNTS = st.decimals(0, 1000, places=3)
TARIFFS = st.one_of(
    st.builds(lambda own: Tariff(per_item=own), AMOUNTS),
    st.builds(lambda a, b: Tariff(None, a, b), AMOUNTS, AMOUNTS),
)
OUTCOMES = st.lists(
    st.sampled_from(["told", "untold", "lost", "busy", "killed", "wrong key"]), max_size=30
)


class Killed(BaseException):
    """The process ends while a request is under way."""


class Provider:
    """Charges what a request may cost, wherever it acts on it, whether we hear of it or not."""

    def __init__(self, tariff: Tariff, outcomes: list[str]) -> None:
        self.tariff = tariff
        self.outcomes = outcomes
        self.charged = Fraction(0)
        self.answered: list[str] = []

    def ask(self, asked: Sequence[Message]) -> Completion:
        outcome = self.outcomes.pop(0) if self.outcomes else "told"
        if outcome in ("busy", "wrong key"):
            ends_all = outcome == "wrong key"
            raise AttemptError(SERVER_FAILED, outcome, may_pass=not ends_all, ends_all=ends_all)
        tokens = most_tokens(asked), LONGEST
        self.charged += self.tariff.cost(*tokens)
        if outcome == "killed":
            raise Killed
        if outcome == "lost":
            raise AttemptError(SERVER_FAILED, "lost", may_pass=True, may_have_cost=True)
        self.answered.append(asked[1]["content"])
        told = outcome == "told"
        return Completion("A", False, False, *(tokens if told else (None, None)))


@settings(max_examples=25, deadline=None)
@given(tariff=TARIFFS, outcomes=OUTCOMES, share=st.fractions(0, 2), runs=st.integers(1, 4))
def test_the_cap_holds(tariff: Tariff, outcomes: list[str], share: Fraction, runs: int) -> None:
    items = pd.DataFrame(
        {
            "question": [f"Is {k} odd?" + " so" * k for k in range(COUNT)],
            "choices": [["no", "yes"]] * COUNT,
        }
    )
    questions = Questions(items, "http://x/v1", "m", "Judge.", LONGEST)
    costs = (tariff.cost(most_tokens(asked), LONGEST) for _, asked, _ in questions.requests())
    most = share * sum(costs, Fraction(0))
    provider = Provider(tariff, outcomes)
    patience = Patience(1e9, sleep=lambda _: None, clock=lambda: 0.0)
    with TemporaryDirectory() as folder:
        for _ in range(runs):
            with KeptAnswers(Path(folder) / "answers.sqlite") as kept:
                with suppress(InputError, Killed):
                    ask_items(questions, provider, kept, tariff, most, patience, lambda: None)
                assert provider.charged == kept.spent == kept.bill().cost
    assert provider.charged <= most
    assert len(set(provider.answered)) == len(provider.answered)  # nobody pays twice


def test_money_that_is_enough_answers_all() -> None:
    tariff = Tariff(per_item=Decimal("0.1"))
    provider = Provider(tariff, [])
    items = pd.DataFrame({"question": ["a", "b", "c"], "choices": [["no", "yes"]] * 3})
    questions = Questions(items, "http://x/v1", "m", "Judge.", LONGEST)
    with TemporaryDirectory() as folder, KeptAnswers(Path(folder) / "a.sqlite") as kept:
        most = Fraction("0.3")
        found = ask_items(questions, provider, kept, tariff, most, Patience(0), lambda: None)
    assert found.labels == ["no"] * 3 and provider.charged == most
