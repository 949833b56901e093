"""The board of a collection: what it tells, and what is decided there stands on the ledger."""

import html
import json
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from budget.collection.beginning import STORE, store_url
from budget.collection.store.store import CollectionStore
from budget.commands.collect_session import opened_store
from tests.unit.budget.collection.by_hand import new_collection, one_round
from tests.unit.budget.commands.command_line import labelmix
from tests.unit.budget.web.conftest import Client, form_token, posted


def decided(folder: Path) -> list[tuple[str, str, str]]:
    """Who set what, and why, since the collection was begun."""
    with CollectionStore.open(store_url(folder)) as store:
        rows = store.events().iloc[2:]
    return [(str(row.value), row.who, row.why) for row in rows.itertuples()]


def one_line(page: str) -> str:
    """The message of a page that shows nothing else."""
    assert "This cannot be shown or done" in page
    assert "Traceback" not in page
    _, _, rest = page.partition('<h1 id="told">')
    return html.unescape(rest.partition("<p>")[2].partition("</p>")[0])


def test_the_board_tells_what_the_command_tells(planned: Path, client: Client) -> None:
    told = json.loads(labelmix("collect", "status", planned, "--quality", "--json").stdout)
    own = client(planned)
    for address in ("/folder/c/board.json", "/folder/c/board?format=json"):
        answer = own.get(address)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["status"] == told


def test_a_batch_that_waits_is_shown_with_its_reason_and_price(
    planned: Path, client: Client
) -> None:
    page = client(planned).get("/folder/c/board").text
    assert "Batch 1 waits for an approval." in page
    assert "8.50 EUR at most" in page
    assert "The first batch buys 6 labels of every stratum" in page
    groups = client(planned).get("/folder/c/board.json").json()["waiting"]
    assert [(own["supplier"], own["stratum"], own["items"]) for own in groups] == [
        *(("crowd", "easy", 8), ("expert", "easy", 8), ("crowd", "hard", 8), ("expert", "hard", 8)),
    ]
    assert sum(Decimal(own["most"]) for own in groups) == 8
    assert {own["gold"] for own in groups} == {2}


def test_an_approval_stands_on_the_ledger(planned: Path, client: Client) -> None:
    own = client(planned)
    status, page = posted(own, "approve", who="Ann Lee", batch="1")
    assert status == 200
    assert "Batch 1 is approved and can be ordered." in page
    assert decided(planned)[-1] == ("approved", "Ann Lee", "")
    with CollectionStore.open(store_url(planned)) as store:
        assert store.balance().promised == Decimal("8.50")
    before = decided(planned)
    # Pressed twice, or on a second screen: once.
    token = form_token(own.get("/folder/c/board").text)
    again = own.post(
        "/folder/c/board/approve", data={"form_token": token, "who": "bob", "batch": "1"}
    )
    assert again.status_code == 200
    assert decided(planned) == before


def test_pause_resume_and_cancel_stand_there_too(planned: Path, client: Client) -> None:
    own = client(planned)
    assert posted(own, "pause", why="holidays")[0] == 200
    page = own.get("/folder/c/board").text
    assert "The collection is paused; nothing is planned or ordered." in page
    assert "it can be approved once it runs again" in page
    assert posted(own, "resume", who="bob")[0] == 200
    assert posted(own, "cancel", batch="1", why="wrong question")[0] == 200
    assert decided(planned)[-3:] == [
        ("paused", "ann", "holidays"),
        ("running", "bob", ""),
        ("cancelled", "ann", "wrong question"),
    ]


@pytest.mark.parametrize(
    ("action", "fields", "message"),
    [
        ("approve", {"batch": "1", "who": " "}, "your name is missing; fill it in."),
        ("approve", {"batch": "7"}, "there is no batch 7"),
        ("approve", {"batch": "-1"}, "the batch should be a whole number; got '-1'."),
        ("approve", {"batch": "\u0661"}, "the batch should be a whole number"),
        ("cancel", {"batch": "1", "why": ""}, "the reason is missing; fill it in."),
        ("pause", {"who": "a\0b"}, "who decides should be a text"),
        ("pause", {"why": "x" * 2001}, "'why' has more than 2,000 characters; shorten it."),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    planned: Path, client: Client, action: str, fields: dict[str, str], message: str
) -> None:
    before = decided(planned)
    status, page = posted(client(planned), action, **fields)
    assert status == 400
    assert message in one_line(page)
    assert decided(planned) == before


def test_while_another_process_works_nothing_is_decided(planned: Path, client: Client) -> None:
    own = client(planned)
    with opened_store(planned, "labelmix collect run"):
        assert own.get("/folder/c/board").status_code == 200
        status, page = posted(own, "approve", batch="1")
    assert status == 409
    assert "is in use by 'labelmix collect run'" in one_line(page)
    assert posted(own, "approve", batch="1")[0] == 200


def test_what_another_process_does_is_seen(planned: Path, client: Client) -> None:
    own = client(planned)
    before = own.get("/folder/c/board.json").json()
    assert own.get("/folder/c/board.json").json() == before
    assert labelmix("collect", "approve", planned, "1", "--by", "bob").exit_code == 0
    after = own.get("/folder/c/board.json").json()
    assert after["stamp"] != before["stamp"]
    assert after["status"]["batches"][0]["approved_by"] == "bob"


def test_looking_writes_nothing(
    planned: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("looking wants to write")

    monkeypatch.setattr("budget.collection.store.database.Database.writing", refused)
    own = client(planned)
    assert own.get("/folder/c/board").status_code == 200
    assert own.get("/folder/c/board.json").status_code == 200


def test_after_a_round_people_and_suppliers_are_there(tmp_path: Path, client: Client) -> None:
    folder = new_collection(tmp_path)
    one_round(folder)
    facts = client(folder).get("/folder/c/board.json").json()
    people = {own["annotator"]: own["judgments"] for own in facts["people"]}
    assert people == {"crowd-0": 16, "crowd-1": 16, "expert-0": 16}
    page = client(folder).get("/folder/c/board").text
    for told in ("crowd-0", "48 of 48", "complete", "not measured yet", "8.00 EUR"):
        assert told in page


def test_another_file_in_the_place_of_the_store_is_read(tmp_path: Path, client: Client) -> None:
    folder = new_collection(tmp_path)
    own = client(folder)
    assert own.get("/folder/c/board.json").json()["status"]["batches"] == []
    other = tmp_path / "other"
    other.mkdir()
    one_round(new_collection(other))
    shutil.copyfile(other / "c" / STORE, folder / "new.sqlite")
    (folder / "new.sqlite").replace(folder / STORE)
    assert len(own.get("/folder/c/board.json").json()["status"]["batches"]) == 1


def test_a_newer_store_is_said_to_be_one(planned: Path, client: Client) -> None:
    with closing(sqlite3.connect(planned / STORE)) as connection:
        connection.execute("UPDATE labelmix_version SET version_num = '99'")
        connection.commit()
    answer = client(planned).get("/folder/c/board")
    assert answer.status_code == 400
    assert "version" in one_line(answer.text)
    assert "99" in one_line(answer.text)


def test_a_damaged_store_is_said_to_be_one(planned: Path, client: Client) -> None:
    content = (planned / STORE).read_bytes()
    (planned / STORE).write_bytes(content[:16_384] + b"\xff" * 8_192 + content[24_576:])
    answer = client(planned).get("/folder/c/board")
    assert answer.status_code == 503
    assert f"{planned / STORE}: is damaged" in one_line(answer.text)
    found = client(planned).get("/folder/c/board.json")
    assert found.status_code == 503
    assert "is damaged" in found.json()["error"]


def test_a_table_that_was_changed_is_named(planned: Path, client: Client) -> None:
    own = client(planned)
    assert own.get("/folder/c/board").status_code == 200
    with (planned / "items" / "pool.jsonl").open("a", encoding="utf-8") as file:
        file.write("{}\n")
    with CollectionStore.open(store_url(planned)) as store:
        store.set_state("paused", "ann")
    answer = own.get("/folder/c/board")
    assert answer.status_code == 400
    assert "was changed since the collection was begun" in one_line(answer.text)


def test_a_store_that_goes_while_it_is_shown(planned: Path, client: Client) -> None:
    own = client(planned)
    assert own.get("/folder/c/board").status_code == 200
    (planned / STORE).unlink()
    answer = own.get("/folder/c/board")
    assert answer.status_code == 404
    assert own.get("/folder/c").status_code == 400


def test_a_folder_without_a_run_says_what_to_do(tmp_path: Path, client: Client) -> None:
    own = client(tmp_path)
    assert "labelmix collect new" in own.get("/").text
    answer = own.get(f"/folder/{own.get('/index.json').json()['folders'][0]['name']}")
    assert answer.status_code == 400
    assert "holds neither a run (result.json) nor a collection" in one_line(answer.text)
