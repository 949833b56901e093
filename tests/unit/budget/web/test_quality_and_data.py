"""Quality and data of a collection: figures as the judgments have them, texts of anybody."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from annotation.team.report import ReportSettings, report_judgments
from budget.collection.judged_items import PER_PAGE
from tests.unit.budget.collection.by_hand import (
    answer,
    learns_nothing,
    new_collection,
    now_and_then_wrong,
    one_round,
    opened,
    right,
    rows,
    to_the_annotators,
)
from tests.unit.budget.web.conftest import Client
from training.engines import SilentWatcher

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection after one round; people err now and then."""
    with pytest.MonkeyPatch.context() as patch:
        learns_nothing(patch)
        folder = new_collection(tmp_path_factory.mktemp("answered"))
        one_round(folder)
    return folder


def test_quality_is_that_of_the_report(answered: Path, client: Client) -> None:
    facts = client(answered).get("/folder/c/quality.json").json()
    with opened(answered) as collection:
        so_far, task = collection.proposer.judgments_so_far(), collection.contents.task
        settings = ReportSettings(strata_order=("easy", "hard"))
        report = report_judgments(so_far.table, task.items, settings)
    for told, own in zip(facts["strata"], report.strata, strict=True):
        assert told["stratum"] == own.name and told["judgments"] == own.judgments == 24
        assert told["alpha"]["estimate"] == own.agreement.krippendorff_alpha.estimate
        assert told["wrong"]["low"] == own.error.rate.low
    names = [f"{own['supplier']} / {own['annotator']}" for own in facts["people"]]
    assert names == [own.name for own in report.annotators]
    # Every judgment is of one right answer, however sure that is.
    for own in facts["people"]:
        assert sum(map(sum, own["mixed_up"])) == pytest.approx(own["judgments"])


def test_mix_ups_of_one_person_are_those_of_the_gold_questions_at_least(
    answered: Path, client: Client
) -> None:
    page = client(answered).get("/folder/c/quality", params={"person": "crowd / crowd-0"}).text
    assert "What is taken for what: crowd / crowd-0" in page
    table = page.partition('class="mixed"')[2]
    for row in re.findall(r'<th class="text" scope="row">\w+</th>(.*?)</tr>', table):
        shares = [int(share) for share in re.findall(r">(\d+)\u00a0%</td>", row)]
        assert len(shares) == 2 and 99 <= sum(shares) <= 101
    everybody = client(answered).get("/folder/c/quality", params={"person": "nobody"}).text
    assert "Of everybody together" in everybody


def test_before_anybody_has_judged(planned: Path, client: Client) -> None:
    own = client(planned)
    assert "Nothing can be told yet: nobody has judged" in own.get("/folder/c/quality").text
    page = own.get("/folder/c/data").text
    assert "All items 1 to 50 of 160." in page and "Nobody has judged it." in page
    for which in ("judged", "disputed"):
        assert "There are none yet." in own.get(f"/folder/c/data?which={which}").text


def items(client: Any, **asked: str) -> Any:
    answer = client.get("/folder/c/data.json", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_item_stands_on_one_page(answered: Path, client: Client) -> None:
    own = client(answered)
    pages = [items(own, page=str(number)) for number in (1, 2, 3, 4)]
    assert [len(page["items"]) for page in pages] == [PER_PAGE, PER_PAGE, PER_PAGE, 10]
    ids = [item["item_id"] for page in pages for item in page["items"]]
    assert len(set(ids)) == 160 == pages[0]["found"]
    assert items(own, page="99")["number"] == items(own, page="4")["number"] == 4
    assert items(own, page="0")["number"] == 1
    page = own.get("/folder/c/data?page=2").text
    assert 'rel="prev" href="?which=all&amp;page=1"' in page
    assert 'rel="next" href="?which=all&amp;page=3"' in page


def test_judged_and_disputed_items_with_what_was_said(answered: Path, client: Client) -> None:
    own = client(answered)
    judged = items(own, which="judged")
    assert judged["found"] == 32
    assert sum(len(item["judgments"]) for item in judged["items"]) == 48
    hard = items(own, which="judged", stratum="hard")
    assert {item["stratum"] for item in hard["items"]} == {"hard"}
    disputed = items(own, which="disputed")["items"]
    expected = {
        item["item_id"]
        for item in judged["items"]
        if len({told["label"] for told in item["judgments"]}) > 1
    }
    assert expected and {item["item_id"] for item in disputed} == expected
    sure = [item["confidence"] for item in disputed if item["gold"] is None]
    assert sure == sorted(sure)
    for item in judged["items"]:
        if item["gold"] is not None:
            assert (item["gold"], item["label"]) == (right(item["item_id"]), None)
        for told in item["judgments"]:
            who = int(told["annotator"].rpartition("-")[2])
            assert told["label"] == now_and_then_wrong(item["item_id"], who)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"stratum": "<b>"}, "there is no stratum '<b>'; choose one of easy, hard."),
        ({"which": "secret"}, "there are no 'secret' items"),
        ({"page": "x"}, "the page should be a whole number; got 'x'."),
        ({"page": "9" * 30}, "the page should be a whole number"),
    ],
)
def test_what_is_not_there_is_said(
    answered: Path, client: Client, asked: dict[str, str], message: str
) -> None:
    answer = client(answered).get("/folder/c/data", params=asked)
    assert answer.status_code == 400
    assert message in html.unescape(answer.text) and "<b>" not in answer.text


def test_texts_of_items_people_and_suppliers_are_shown_and_not_obeyed(
    tmp_path: Path, client: Client
) -> None:
    """Names and texts are written by strangers: each of them is tried with a script."""
    for name, table in (("pool", rows(0, 120)), ("test", rows(900, 40, answered=True))):
        for row in table:
            row["question"] = f"{EVIL} {row['question']}"
            row["choices"] = [f"{text}{EVIL}" for text in row["choices"]]
            if "answer" in row:
                row["answer"] = f"{row['answer']}{EVIL}"
        lines = "".join(json.dumps(row) + "\n" for row in table)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    folder = new_collection(tmp_path, tables=False)
    with opened(folder) as collection:
        batch = to_the_annotators(collection)
        for name in ("crowd", "expert"):
            said = answer(folder, name, batch, lambda item, who: f"{right(item)}{EVIL}")
            said["annotator"] = said["annotator"] + EVIL
            said.to_csv(folder / "suppliers" / name / "back" / f"batch-{batch}.csv", index=False)
        collection.step(SilentWatcher())
    own = client(folder)
    for address in ("board", "quality", "data", "data?which=judged"):
        page = own.get(f"/folder/c/{address}").text
        assert "<script>alert" not in page and "<img" not in page
        assert "&lt;script&gt;alert(1)" in page
    person = own.get("/folder/c/quality", params={"person": f"crowd / crowd-0{EVIL}"}).text
    assert "<script>alert" not in person and "What is taken for what: crowd" in person
