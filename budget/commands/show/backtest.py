"""What `labelmix backtest` prints for a person."""

from collections.abc import Sequence

from rich.table import Table

from analysis.estimates import Estimate
from analysis.run.wording import method_name
from budget.backtest.regret import KINDS
from budget.backtest.result import BacktestResult, PolicySummary
from budget.commands.screen import Screen

_HEADINGS = {"easy": "easy", "hard": "hard", "mix": "a mix", "equal": "no matter"}


def show_backtest(result: BacktestResult) -> None:
    """Every policy over all worlds, then its regret by what is the best buy."""
    console = Screen()
    half = "design" if result.half == "design" else "held-out"
    title = f"{len(result.worlds)} {half} worlds, {result.markets} campaigns each"
    if result.method != "probe":
        title += f", {method_name(result.method)}"
    console.print(_regrets(title, result.overall))
    console.print(
        "Accuracy points forgone against the best of the grid: mean and 95th percentile over "
        "worlds, below the mean its 95 % interval. 'more': than the planner in the same worlds."
    )
    console.print(_decisions(result.overall))
    differing = max((own.right_side_worlds for own in result.overall), default=0)
    console.print(
        f"In the {differing} worlds where all easy and all hard differ by over a point - 'buys': "
        "how often the better of the two got most of the money, as much on both counting half; "
        "'named': how often the policy's own forecast held it more probable to be the better one, "
        "blank where it says nothing of that. 'covered': how often a 90 % forecast interval held "
        "the accuracy. 'left': of the money. 's': seconds to decide, per campaign."
    )
    if result.side_of_best is not None:
        console.print(
            "The best mixes themselves have most money on the better side in "
            f"{_percent(result.side_of_best)} of these worlds."
        )
    console.print("\nMean regret by what is the best buy", style="italic")
    console.print(_by_kind(result))
    optimism = sum(world.optimism for world in result.worlds) / len(result.worlds)
    console.print(
        "'easy' and 'hard': all money there is over a point better than on the other, and no mix "
        "is over a point better still. 'a mix': one is. "
        f"The luck of the grid's best is up to {100 * optimism:.2f} points of all regret."
    )
    for line in result.skipped:
        console.print(f"left out: {line}", style="yellow")


def _regrets(title: str, policies: Sequence[PolicySummary]) -> Table:
    table = _table(title, ("regret", "95th", "more"))
    for own in policies:
        table.add_row(
            own.policy,
            _points(own.regret),
            f"{100 * own.regret_95th_percentile:.1f}",
            _points(own.regret_more_than_planner),
        )
    return table


def _decisions(policies: Sequence[PolicySummary]) -> Table:
    table = _table("The better side, forecasts, money", ("buys", "named", "covered", "left", "s"))
    for own in policies:
        table.add_row(
            own.policy,
            _percent(own.right_side),
            _percent(own.named_side),
            _percent(own.coverage),
            _percent(own.money_left),
            f"{own.seconds_per_campaign:.2f}",
        )
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    """Narrow enough for 80 columns: a number is never cut."""
    table = Table(title=title, title_justify="left")
    table.add_column("policy", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _by_kind(result: BacktestResult) -> Table:
    """A row per policy, a column per kind of world."""
    kinds = [kind for kind in KINDS if kind in result.by_kind]
    table = Table()
    table.add_column("policy", no_wrap=True)
    for kind in kinds:
        worlds = sum(world.kind == kind for world in result.worlds)
        table.add_column(f"{_HEADINGS[kind]} ({worlds})", justify="right")
    for own in result.overall:
        cells = []
        for kind in kinds:
            there = [one for one in result.by_kind[kind] if one.policy == own.policy]
            cells.append(_points(there[0].regret) if there else "")
        table.add_row(own.policy, *cells)
    return table


def _points(value: Estimate | None) -> str:
    """An estimate in points, its interval in the line below."""
    if value is None or value.estimate is None:
        return ""
    if value.low is None or value.high is None:
        return f"{100 * value.estimate:.2f}"
    return f"{100 * value.estimate:.2f}\n{100 * value.low:.1f}..{100 * value.high:.1f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"
