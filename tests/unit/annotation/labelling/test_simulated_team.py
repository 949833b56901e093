import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.labelling.simulated_team import Workplace, simulate_judgments, truth_of


def test_the_same_seed_gives_the_same_judgments() -> None:
    one, same, other = (simulate_judgments(Workplace(), seed).judgments for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)


def test_every_item_has_its_judgments_by_different_annotators() -> None:
    for annotators in (4, 30):
        workplace = Workplace(items={"easy": 40}, annotators=annotators, judgments_per_item=3)
        table = simulate_judgments(workplace, 0).judgments
        assert (table.groupby("item_id")["annotator"].nunique() == 3).all()


def test_nobody_hands_in_more_than_time_allows() -> None:
    workplace = Workplace(items={"hard": 2000}, annotators=3, hours_per_day=2)
    table = simulate_judgments(workplace, 0).judgments.sort_values(["annotator", "created_at"])
    gap = table.groupby("annotator")["created_at"].diff().dt.total_seconds()
    assert (gap.dropna() >= table["seconds"][gap.notna()] - 1e-3).all()
    per_day = table.groupby(["annotator", table["created_at"].dt.floor("D")])["seconds"].sum()
    assert per_day.max() < 2 * 3600 + 7200 + 600  # the last one may contain a break
    assert per_day.groupby("annotator").size().min() > 5


def test_the_true_error_rate_is_that_of_many_judgments() -> None:
    workplace = Workplace(
        items={"easy": 20_000, "hard": 20_000}, judgments_per_item=1, cancelled=0.0, idle=0.0
    )
    simulation = simulate_judgments(workplace, 0)
    answers = dict(zip(simulation.item_ids, simulation.answers, strict=True))
    table = simulation.judgments
    wrong = table["label"] != table["item_id"].map(answers)
    for stratum in ("easy", "hard"):
        own = (table["stratum"] == stratum).to_numpy()
        assert wrong[own].mean() == pytest.approx(
            simulation.error_rate(stratum, "these"), abs=0.012
        )
        seconds = workplace.mean_seconds(stratum, simulation.speeds)
        assert table["seconds"][own].mean() == pytest.approx(seconds, rel=0.03)


def test_annotators_like_these_err_as_their_population_does() -> None:
    workplace = Workplace()
    abilities = workplace.ability_spread * np.random.default_rng(0).standard_normal(200_000)
    expected = workplace.error_rate("hard", abilities)
    assert workplace.error_rate("hard") == pytest.approx(expected, abs=0.002)
    # Hardness and ability both symmetric around 0: half of the answers are redrawn.
    assert workplace.error_rate("hard") == pytest.approx(0.5 * 0.75)


def test_gold_questions_have_their_right_answer() -> None:
    simulation = simulate_judgments(Workplace(gold=0.5), 0)
    answers = dict(zip(simulation.item_ids, simulation.answers, strict=True))
    told = simulation.judgments.dropna(subset="gold")
    assert 0.4 < told["item_id"].nunique() / 200 < 0.6
    assert (told["gold"] == told["item_id"].map(answers)).all()


def test_the_truth_is_told_in_plain_values() -> None:
    simulation = simulate_judgments(Workplace(items={"easy": 5, "hard": 5}), 0)
    truth = truth_of(simulation)
    assert set(truth) == {"strata", "annotators", "items"}
    assert len(truth["items"]) == 10  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"annotators": 2}, "within 1 and the 2 annotators"),
        ({"items": {"odd": 3}}, "stratum 'odd' has no hardness"),
        ({"items": {"easy": 0}}, "at least 1 item"),
        ({"items": {}}, "at least one stratum"),
        ({"gold": 1.5}, "gold should be a share"),
        ({"seconds": 0.0}, "seconds should be a number above 0"),
        ({"seconds": 1e308}, "at most 86400 seconds"),
        ({"annotators": 10**9}, "at most 10,000,000"),
        ({"choices": 1}, "at least 2 choices"),
        ({"items": {"easy": 10_000_000}}, "ask for fewer items"),
    ],
)
def test_an_impossible_workplace_is_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Workplace(**settings)  # type: ignore[arg-type]
