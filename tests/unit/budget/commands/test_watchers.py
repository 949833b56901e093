"""How far long work is: lines in a log, bars on a terminal."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from budget.commands.watchers import LineWatcher, ProgressWatcher, progress_watcher
from training.progress import Passed


def passed(done: int, seconds: float, share: float = 0.8) -> Passed:
    return Passed("training", "updates", done, 240, 100 * done, seconds, share=share)


def test_progress_in_a_log_is_told_at_every_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_watcher() as watcher:
        watcher.stage("trials", 8)
        for _ in range(8):
            watcher.advance()
    told = capsys.readouterr().err.splitlines()
    assert told == [f"trials: {done}/8" for done in (0, 2, 4, 6, 8)]


def test_lines_of_a_long_stage_tell_rate_and_time_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    watcher = LineWatcher(lambda: now[0])

    def after(seconds: float, steps: int) -> str:
        now[0] += seconds
        watcher.advance(steps, 20 * steps)
        return capsys.readouterr().err.strip()

    watcher.stage("reading items", 600)
    assert capsys.readouterr().err == "reading items: 0/600\n"
    told = after(10, 10)  # as soon as it is known that it is long
    assert told == "reading items: 10/600, 1.0 a second, 20 tokens a second, about 10 minutes left"
    assert after(10, 10) == ""  # neither a quarter nor a minute
    told = after(50, 50)
    assert told == "reading items: 70/600, 1.0 a second, 20 tokens a second, about 9 minutes left"
    told = after(40, 140)
    assert told == "reading items: 210/600, 1.9 a second, 38 tokens a second, about 3 minutes left"
    told = after(100, 380)
    assert told == "reading items: 590/600, 2.8 a second, 56 tokens a second, about 4 seconds left"
    assert after(5, 10) == "reading items: 600/600"
    watcher.stage("chain of thought", 40)
    capsys.readouterr()
    assert after(600, 2) == "chain of thought: 2/40, 0.2 a minute, about 3.2 hours left"


def test_lines_of_a_short_stage_stay_short(capsys: pytest.CaptureFixture[str]) -> None:
    watcher = LineWatcher(lambda: 0.0)
    watcher.stage("zero-shot", 4)
    watcher.advance(2)
    assert capsys.readouterr().err.splitlines() == ["zero-shot: 0/4", "zero-shot: 2/4"]


def test_a_long_step_tells_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Before it is done: what it does, tokens a second, and how long it and the stage take."""
    now = [0.0]
    watcher = LineWatcher(lambda: now[0])
    watcher.stage("qlora: pilot", 4)
    capsys.readouterr()
    now[0] = 30.0
    watcher.within("qlora on 480 easy labels, seed 1", passed(60, 30.0))
    assert capsys.readouterr().err == (
        "qlora: pilot: 0/4, 0.4 a minute, about 10 minutes left; qlora on 480 easy labels, seed 1: "
        "training 60/240 updates, 200 tokens a second, about 2 minutes left\n"
    )
    now[0] = 40.0
    watcher.within("qlora on 480 easy labels, seed 1", passed(80, 40.0))
    assert capsys.readouterr().err == ""  # told once; then now and then
    now[0] = 91.0
    watcher.within("qlora on 480 easy labels, seed 1", passed(180, 90.0))
    assert "training 180/240 updates" in capsys.readouterr().err
    watcher.ended("qlora on 480 easy labels, seed 1")
    watcher.advance()
    assert capsys.readouterr().err == "qlora: pilot: 1/4, 0.7 a minute, about 5 minutes left\n"


def test_a_short_step_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    watcher = LineWatcher(lambda: now[0])
    watcher.stage("qlora: pilot", 1)
    capsys.readouterr()
    now[0] = 6.0
    watcher.within("qlora on 8 easy labels, seed 1", passed(200, 6.0))
    assert capsys.readouterr().err == ""


@pytest.fixture
def bars() -> Iterator[tuple[Progress, ProgressWatcher]]:
    now = iter(range(1000))
    progress = Progress(
        TextColumn("{task.description} {task.completed:.2f} {task.fields[speed]}"),
        console=Console(file=io.StringIO()),
    )
    yield progress, ProgressWatcher(progress, lambda: float(next(now)))
    progress.stop()


def test_bars_of_steps_come_and_go(bars: tuple[Progress, ProgressWatcher]) -> None:
    progress, watcher = bars
    watcher.stage("qlora: pilot", 4)
    watcher.within("seed 1", passed(60, 30.0))
    stage, step = progress.tasks
    assert stage.completed == pytest.approx(0.2)  # a quarter of four fifths of a step
    assert (step.description, step.completed, step.total) == ("  seed 1: training", 60, 240)
    assert step.fields["speed"] == "updates, 200 tokens a second"
    watcher.ended("seed 1")
    watcher.advance()
    assert [task.completed for task in progress.tasks] == [1]
    watcher.within("seed 2", passed(60, 30.0))
    watcher.stage("qlora: plan", 2)
    assert [task.description for task in progress.tasks] == ["qlora: pilot", "qlora: plan"]
    watcher.advance(2, 300)
    assert progress.tasks[1].fields["speed"].endswith("tokens a second")
