"""What `labelmix trial` prints for a person."""

from rich.table import Table

from analysis.accuracy import CONFIDENCE
from analysis.label_words import words_for
from analysis.numbers import interval_name, labels_text, percent, span
from analysis.over_untrained import MARK, told_of_marks
from analysis.prompts_compared import ComparedPrompts, prompt_remarks, shown_order
from analysis.run.wording import short_class
from analysis.single_trial import SingleTrial
from budget.commands.screen import Screen


def _without_model(found: SingleTrial, name: str) -> str:
    """What always answering the commonest class gives, or else guessing."""
    own = found.without_model.get(name)
    if own is None:
        return ""
    if name not in found.commonest_class:
        return f"{percent(own.estimate)} (guessing)"
    told = short_class(found.commonest_class[name])
    return f"{percent(own.estimate)} (always \u201c{told}\u201d)"


def show_single_trial(found: SingleTrial) -> None:
    """A table of accuracy per stratum."""
    console = Screen()
    labels = "without labels"
    if found.labels:
        whose = words_for(not found.simulated).whose
        labels = f"{labels_text(found.labels, tuple(found.labels))} ({whose})"
    table = Table(
        "test items",
        "accuracy",
        interval_name(CONFIDENCE),
        "zero-shot",
        "without a model",
        title=f"{found.method.replace('_', '-')} on {found.model}, {labels}, "
        f"{found.seeds} seed{'s' if found.seeds > 1 else ''}",
    )
    for name, accuracy in found.accuracy.items():
        mark = f" {MARK}" if found.not_above(name) else ""
        untrained = found.zero_shot.get(name)
        table.add_row(
            name,
            percent(accuracy.estimate) + mark,
            span(accuracy),
            "" if untrained is None else percent(untrained.estimate),
            _without_model(found, name),
        )
    console.print(table)
    for said in told_of_marks((name, found.not_above(name)) for name in found.accuracy):
        console.print(said)
    told = ", ".join(
        f"{name.replace('_', ' ')} {value:.3g}" for name, value in found.details.items()
    )
    console.print(f"{found.seconds:.1f} s a seed" + (f"; {told}" if told else ""))
    if found.details.get("no_answer_share", 0) > 0.5:
        console.print("note: most of what the model wrote holds no answer that can be read.")
    for remark in found.remarks:
        console.print(f"note: {remark}", soft_wrap=True)


def show_compared_prompts(found: ComparedPrompts) -> None:
    """A table of ways to ask, the most accurate first."""
    console = Screen()
    table = Table(
        "prompt",
        "normalisation",
        "accuracy",
        interval_name(CONFIDENCE),
        "",
        title=f"{found.model}, no labels, {found.items} test items; without a model "
        f"{percent(found.without_model)}",
    )
    for way in shown_order(found.ways):
        told = "configured" if way.over_asked is None else "better" if way.is_better else ""
        accuracy = percent(way.accuracy.estimate)
        table.add_row(way.prompt, way.normalisation, accuracy, span(way.accuracy), told)
    console.print(table)
    for remark in prompt_remarks(found):
        console.print(f"note: {remark}", soft_wrap=True)
