"""A collection that is over, played again by the command: small made-up judgments, and real ones.

The plan never sees the answers of items for sale, spends no more than it may, and its claim is
written before anything is tested.
"""

import csv
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.sources.workshop import load_workshop
from budget.replay import run as replaying
from budget.replay.result import ClaimRecord, ReplayResult
from budget.replay.wording import headline
from tests.unit.budget.commands.command_line import labelmix

OPTIONS = ("--measure", "steps", "--cut", "edges:1", "--fee", ".1", "--seeds", "2")
SETTINGS = "[buying]\nrounds = 2\nfirst = 10\ngold = 2\n"
POOL = 120


def write(folder: Path, pool_answers: bool) -> None:
    """120 items for sale, each judged by four people of two roles, and 120 test items."""
    rng = random.Random(0)
    table = load_workshop(720)
    rows = table[table["steps"].isin([1, 2])].to_dict("records")
    items = [
        {
            **{name: own[name] for name in ("item_id", "question", "choices")},
            "steps": own["steps"],
            "answer": own["choices"][own["answer"]],
        }
        for own in rows
    ]
    judged = []
    for own in items:
        for who in ("ann", "bob", "cem", "eve"):
            share = 0.05 if who == "eve" else 0.15 * own["steps"]
            wrong = [choice for choice in own["choices"] if choice != own["answer"]]
            label = rng.choice(wrong) if rng.random() < share else own["answer"]
            role = "expert" if who == "eve" else "crowd"
            judged.append([own["item_id"], who, label, 5 + rng.random(), role])
    if not pool_answers:
        items = [{**own, "answer": None} for own in items[:POOL]] + items[POOL:]
    for name, chosen in (("pool", items[:POOL]), ("test", items[POOL:])):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, chosen)))
    with (folder / "judgments.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["item_id", "annotator", "label", "seconds", "role"], *judged])
    (folder / "settings.toml").write_text(SETTINGS)


def replayed(folder: Path, out: str, *more: str) -> dict[str, Any]:
    words: list[str | Path] = ["replay", folder / "judgments.csv"]
    words += ["--items", folder / "pool.jsonl", "--test", folder / "test.jsonl"]
    words += ["--config", folder / "settings.toml", "--out", folder / out]
    result = labelmix(*words, *OPTIONS, "--fee", "expert=.3", "--json", *more)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    assert found == json.loads((folder / out / "replay.json").read_text())
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> ReplayResult:
    folder = tmp_path_factory.mktemp("known")
    write(folder, pool_answers=True)
    return ReplayResult.model_validate(replayed(folder, "out", "--budget", "24"))


def test_a_small_collection_played_again(found: ReplayResult) -> None:
    assert (found.judgments, found.paid, found.budget) == (480, 72.0, 24.0)
    assert found.items == {"easy": 60, "hard": 60}
    assert all(0 < arm.cost <= 24 for arm in found.arms)
    assert found.plan.cost > 18
    names = {arm.name for arm in found.arms}
    assert names == {"plan", "done", "all_easy", "all_hard", "equal_spend", "proportional"}
    suppliers = Counter((arm.supplier, arm.judgments) for arm in found.arms)
    assert suppliers == {(None, None): 2, ("crowd", 1): 4, ("crowd", 3): 4, ("expert", 1): 4}
    own = found.arms[found.best_rule].accuracy.estimate
    assert own == max(arm.accuracy.estimate or 0 for arm in found.arms[2:])
    assert [point.money for point in found.done_curve] == [9.0, 18.0, 24.0, 36.0, 54.0, 72.0]
    assert sum(found.ended.values()) == found.seeds == 2
    # The embedded model reads these stories well enough to learn something.
    assert (found.plan.accuracy.estimate or 0) > found.nothing_learnt + 0.1


def test_the_claim_comes_before_the_test_and_never_saw_answers_of_items_for_sale(
    found: ReplayResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, pool_answers=False)
    monkeypatch.setattr(replaying, "Outcomes", None)  # testing ends in an error
    with pytest.raises(TypeError):
        replayed(tmp_path, "out", "--budget", "24")
    claim = ClaimRecord.model_validate_json((tmp_path / "out" / "claim.json").read_text())
    assert claim.expected_accuracy is not None
    assert 0 < claim.gold_cost < claim.cost <= 24
    assert claim == found.claim
    assert not (tmp_path / "out" / "replay.json").exists()


def test_real_judgments_played_again(
    tmp_path: Path, data_folder: Callable[[str], Path], minilm_path: Path
) -> None:
    data = data_folder("medical_treat")
    lines = (data / "items.jsonl").read_text(encoding="utf-8").splitlines()
    answered = [line for line in lines if json.loads(line)["adjudicated"]]
    (tmp_path / "items.jsonl").write_text("\n".join(answered[:260]), encoding="utf-8")
    (tmp_path / "settings.toml").write_text(SETTINGS)
    result = labelmix(
        *("replay", data / "judgments.csv", "--items", tmp_path / "items.jsonl"),
        *("--column", "answer=adjudicated", "--judgments-for-strata", "5", "--cut", "edges:0.1"),
        *("--fee", ".05", "--budget", "20", "--seeds", "2", "--model", str(minilm_path)),
        *("--config", tmp_path / "settings.toml", "--out", tmp_path / "out"),
    )
    assert result.exit_code == 0, result.stderr
    told = result.stdout
    assert told.index("The claim, before the outcome") < told.index("The outcome: the plan reached")
    found = ReplayResult.model_validate_json((tmp_path / "out" / "replay.json").read_text())
    assert headline(found) in (tmp_path / "out" / "replay.html").read_text(encoding="utf-8")
    assert found.in_time_order
    assert max(arm.cost for arm in found.arms) <= 20
    assert 0.5 < (found.plan.accuracy.estimate or 0) < 1
