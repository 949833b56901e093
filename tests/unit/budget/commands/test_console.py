import pytest
import typer
from pydantic import BaseModel

from annotation.errors import InputError
from budget.commands.console import guarded, progress_watcher, tell


@guarded
def double(number: int) -> int:
    """Twice a number."""
    if number < 0:
        raise InputError(f"the number should be at least 0; got {number}.")
    if number == 13:
        raise KeyboardInterrupt
    return 2 * number


def test_a_guarded_command_is_the_same_command() -> None:
    assert double(4) == 8
    assert (double.__name__, double.__doc__) == ("double", "Twice a number.")


def test_wrong_input_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        double(-1)
    assert left.value.exit_code == 2
    assert capsys.readouterr().err == "labelmix: the number should be at least 0; got -1.\n"


def test_an_interruption_says_that_it_can_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        double(13)
    assert left.value.exit_code == 130
    assert capsys.readouterr().err == (
        "labelmix: interrupted; what is done is kept, the same command goes on from there.\n"
    )


def test_a_result_for_machines_or_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    class Found(BaseModel):
        labels: int

    for as_json in (True, False):
        tell(Found(labels=3), as_json, lambda found: typer.echo(f"{found.labels} labels"))
    assert capsys.readouterr().out == '{\n  "labels": 3\n}\n3 labels\n'


def test_progress_in_a_log_is_told_at_every_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_watcher() as watcher:
        watcher.stage("trials", 8)
        for _ in range(8):
            watcher.advance()
    told = capsys.readouterr().err.splitlines()
    assert told == [f"trials: {done}/8" for done in (0, 2, 4, 6, 8)]
