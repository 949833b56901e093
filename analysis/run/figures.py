"""The figures of the report, as inline SVG with text as text."""

from collections.abc import Sequence

from analysis.crossover import crossover_sentence
from analysis.figure_style import drawing, stratum_styles, svg_element
from analysis.numbers import (
    interval_name,
    money,
    percent,
    ratio,
    span,
)
from analysis.run.curve_drawing import (
    accuracy_limits,
    direct_labels,
    draw_curves,
    draw_tests,
    is_logarithmic,
    money_range,
    percent_axis,
    reference_lines,
    tested_conditions,
)
from analysis.run.rate_drawing import draw_rates, drawable
from analysis.run.result import ExchangeRate, RunResult
from analysis.run.verdicts import plain_name


def learning_curve(result: RunResult, *, compact: bool = False) -> str:
    """Accuracy on the target stratum against money spent, for the planning method.

    On the left (above, if `compact`) the fitted curves with their intervals and the pilot's
    measured points; beside it, on the same scale, what was measured after training on the plan
    and on each simple rule. Horizontal lines: no training, and guessing.

    Returns an `<svg>` element; the compact one is for a phone's width.
    """
    method = result.methods[result.planning_method]
    references = reference_lines(result, method)
    limits = accuracy_limits(method, references)
    width, height = (3.9, 6.3) if compact else (8.2, 4.1)
    with drawing((width, height)) as figure:
        if compact:
            curves = figure.add_axes((0.13, 0.53, 0.61, 0.40))
            tests = figure.add_axes((0.13, 0.08, 0.61, 0.33))
        else:
            curves = figure.add_axes((0.06, 0.13, 0.40, 0.77))
            tests = figure.add_axes((0.605, 0.13, 0.275, 0.77))
        ends = draw_curves(curves, result, method)
        draw_tests(tests, result, method)
        for axes in (curves, tests):
            axes.set_ylim(*limits)
            percent_axis(axes)
            for _, accuracy, colour in references:
                axes.axhline(accuracy, color=colour, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
        if not compact:
            tests.tick_params(labelleft=False)  # one scale for both; its room is for the labels
        direct_labels(curves, ends + (references if compact else []), height)
        direct_labels(tests, references, height)
        name = "learning-curve-compact" if compact else "learning-curve"
        return svg_element(figure, name, describe_learning_curve(result))


def describe_learning_curve(result: RunResult) -> str:
    """The learning-curve figure in words, for readers who cannot see it."""
    method = result.methods[result.planning_method]
    parts = [
        f"{plain_name(curve.name)} rises from {percent(curve.estimate[0], 0)} at "
        f"{money(curve.costs[0], result.currency)} to {percent(curve.estimate[-1], 0)} at "
        f"{money(curve.costs[-1], result.currency)}"
        if curve.estimate[-1] >= curve.estimate[0]
        else f"{plain_name(curve.name)} goes from {percent(curve.estimate[0], 0)} down to "
        f"{percent(curve.estimate[-1], 0)}"
        for curve in method.fitted_curves
        if curve.costs
    ]
    parts += [
        f"{name} was measured at {percent(found.estimate)} ({span(found)})"
        for name, found in tested_conditions(method)
    ]
    lines = [text.replace("\n", " ") for text, _, _ in reference_lines(result, method)]
    crossovers = "".join(
        f" {crossover_sentence(own, result.currency)}"
        for own in method.crossovers.values()
        if own.verdict == "changes"
    )
    return (
        f"Accuracy on {result.target} items against the cost of labels: {'; '.join(parts)}. "
        f"Dotted lines: {'; '.join(lines)}.{crossovers}"
    )


def has_logarithmic_money(result: RunResult) -> bool:
    """Whether the learning curve's money axis is logarithmic."""
    return is_logarithmic(*money_range(result, result.methods[result.planning_method]))


def exchange_rate_figure(result: RunResult, *, compact: bool = False) -> str | None:
    """The exchange-rate interval of each stratum against its price ratio, on a log axis.

    Returns an `<svg>` element, or None where no exchange rate above zero is resolved.
    """
    method = result.methods[result.planning_method]
    rates = [rate for rate in method.exchange_rates.values() if rate.stratum != rate.target]
    if not any(drawable(rate) for rate in rates):
        return None
    height = 0.6 + 0.95 * len(rates)
    with drawing((3.9 if compact else 8.2, height)) as figure:
        inset = 0.05 if compact else 0.12
        bottom = 0.52 / height
        axes = figure.add_axes((inset, bottom, 1 - 2 * inset, 1 - bottom - 0.05 / height))
        draw_rates(axes, rates, stratum_styles(list(result.strata), result.target))
        name = "exchange-rate-compact" if compact else "exchange-rate"
        return svg_element(figure, name, describe_exchange_rates(result, rates))


def describe_exchange_rates(result: RunResult, rates: Sequence[ExchangeRate]) -> str:
    """The exchange-rate figure in words, for readers who cannot see it."""
    parts = [
        f"one {rate.stratum} label is worth {ratio(rate.estimate)} {rate.target} labels "
        f"({interval_name(result.confidence)} {span(rate, 'ratio')}) and costs "
        f"{ratio(rate.cost_ratio)} times as much"
        if rate.rate_resolved
        else f"what one {rate.stratum} label is worth is not resolved"
        for rate in rates
    ]
    return f"Exchange rate against price: {'; '.join(parts)}."
