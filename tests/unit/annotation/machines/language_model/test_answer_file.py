"""What was answered and what it cost is kept, whatever happens in between."""

import sqlite3
from fractions import Fraction
from pathlib import Path

import pytest

from annotation.errors import InputError
from annotation.machines.language_model.answer_file import KeptAnswers, TokenBill
from annotation.machines.language_model.reply import Reply

COST = Fraction(1, 1000)


def test_answers_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with KeptAnswers(path) as kept:
        for name, reply in (("r", Reply(1, 0.9)), ("s", Reply(None, reason="refused"))):
            kept.answered(kept.begin(name, 2 * COST), COST, (7, 1), reply)
        assert kept.spent == 2 * COST
    with KeptAnswers(path) as kept:
        assert kept.reply("r", 2) == Reply(1, 0.9)
        assert kept.reply("s", 2) == Reply(None, reason="refused")
        assert kept.reply("t", 2) is None
        assert kept.bill() == TokenBill(2, 0, 14, 2, 2 * COST)
        assert kept.bill(this_run=True).requests == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_request_that_was_under_way_counts_at_the_most_it_may_cost(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with KeptAnswers(path) as kept:
        kept.begin("r", COST)
        free = kept.begin("s", 5 * COST)
        assert kept.spent == 6 * COST
        kept.not_charged(free)
        assert kept.spent == COST
    with KeptAnswers(path) as kept:
        assert kept.spent == COST
        assert kept.bill() == TokenBill(1, 1, 0, 0, COST)
        assert kept.reply("r", 2) is None


def test_a_file_that_holds_nothing_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with KeptAnswers(path) as kept:
        kept.not_charged(kept.begin("r", COST))
    assert not path.exists()


def test_only_one_process_has_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.databases.PATIENCE", 0.05)
    path = tmp_path / "a.sqlite"
    with KeptAnswers(path), pytest.raises(InputError, match="another process uses it"):
        KeptAnswers(path)


def test_other_and_damaged_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_text("a letter")
    with pytest.raises(InputError, match="not a file of a language model's answers"):
        KeptAnswers(path)
    path.unlink()
    with KeptAnswers(path) as kept:
        kept.answered(kept.begin("r", COST), COST, (1, 1), Reply(7))
    with KeptAnswers(path) as kept, pytest.raises(InputError, match="is damaged"):
        kept.reply("r", 2)
    with sqlite3.connect(path) as own:
        own.execute("UPDATE attempts SET cost = 'much'")
    own.close()
    with pytest.raises(InputError, match="what a request cost is no number"):
        KeptAnswers(path)
    with sqlite3.connect(path) as own:
        own.execute("PRAGMA user_version = 99")
    own.close()
    with pytest.raises(InputError, match="newer labelmix"):
        KeptAnswers(path)
