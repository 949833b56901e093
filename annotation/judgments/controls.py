"""Which answer of an annotation is the label: of several controls one, of several choices none."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from annotation.errors import InputError, short

_KINDS = ("choices", "textarea")  # of the answers that are read
ONE_CHOICE = (
    'a label is one choice; set choice="single" on the labelling page and have these answered again'
)
"""What to do where annotators may pick several choices at once."""


def named_control(where: str, control: str, there: Collection[str]) -> str | None:
    """Which of the controls that are there is named; None where none is.

    "mood,feeling" names several, of which each file has one.

    Raises InputError if the file has several of those.
    """
    if control in there:
        return control
    named = [name for name in map(str.strip, control.split(",")) if name in there]
    if len(named) > 1:
        raise InputError(
            f"{where}: annotations answer several of the controls that are named: "
            f"{', '.join(map(short, named))}; name one of them."
        )
    return named[0] if named else None


def check_one_control(files: Sequence[Path], controls: Sequence[Collection[str]]) -> None:
    """Hold the controls whose answers are the labels of several files against each other.

    `controls`: of every file, none where it does not tell.

    Raises InputError if there are several: two questions may have been asked, or one that has two
    names.
    """
    first: dict[str, Path] = {}
    for path, own in zip(files, controls, strict=True):
        for control in own:
            first.setdefault(control, path)
    if len(first) > 1:
        told = ", ".join(f"{short(name)} ({path})" for name, path in first.items())
        one = next(iter(first))
        raise InputError(
            f"the files answer several controls: {told}; say whose answers are the labels: "
            f"--control {one}, or --control {','.join(first)} if they are one question (in a "
            f'configuration: control = "{one}" under [annotators]).'
        )


def check_control(
    tasks: Sequence[Any], where: str, control: str | None
) -> tuple[str | None, tuple[str, ...]]:
    """Hold the named control against Label Studio's tasks; without one, ask where it is open.

    It is open where choices, or texts of annotations without a choice, are of several controls, be
    it that one annotation answers them or each its own. A text beside a choice is a comment.

    Returns the one of the named controls that is answered here, and the controls whose answers are
    the labels, where it is told: one, or none.

    Raises InputError in these cases, and if nobody answered the control that is named.
    """
    found: dict[str, None] = {}  # in the order of the file
    labels: dict[str, None] = {}  # those of them that would give labels
    for result in _results(tasks):
        names = {
            kind: dict.fromkeys(
                str(part.get("from_name"))
                for part in result
                if isinstance(part, Mapping) and part.get("type") == kind
            )
            for kind in _KINDS
        }
        labels |= names["choices"] or names["textarea"]
        for own in names.values():
            found |= own
    if control is None and len(labels) > 1:
        first = next(iter(labels))
        raise InputError(
            f"{where}: annotations answer several controls: {', '.join(map(short, labels))}; "
            f"say which answers are the labels: --control {first} (in a configuration: "
            f'control = "{first}" under [annotators]).'
        )
    if control is None:
        return None, tuple(labels)
    named = named_control(where, control, found)
    if named is None:
        told = ", ".join(map(short, found))
        raise InputError(
            f"{where}: nobody answered a control {short(control)}"
            + (
                f"; those that were answered: {told}; name one of them, or leave this file out."
                if told
                else ", nor one of another name that is read: labelmix reads Choices and TextArea."
            )
        )
    return named, (named,)


def only_choice(choices: Sequence[str]) -> str:
    """The choice that was picked; picked twice it is still one.

    Raises ValueError where several were: the first is not more meant than the others.
    """
    distinct = list(dict.fromkeys(choices))
    if len(distinct) > 1:
        raise ValueError(f"picks {len(distinct)} choices at once, {short(distinct)}; {ONE_CHOICE}.")
    return distinct[0]


def answers_of(result: object, control: str | None) -> object:
    """What an annotation says by a control: its part of the result; all of it where none is named.

    Raises ValueError if it does not answer the control.
    """
    if control is None or not isinstance(result, list):
        return result
    parts = [p for p in result if not isinstance(p, Mapping) or p.get("from_name") == control]
    if not parts:
        raise ValueError(f"has no answer by the control {short(control)}.")
    return parts


def _results(tasks: Sequence[Any]) -> Iterator[list[Any]]:
    """The results of all annotations that were not cancelled; what has no such form is left out."""
    for task in tasks:
        if not isinstance(task, Mapping):
            continue
        annotations = task.get("annotations", task.get("completions"))
        for annotation in annotations if isinstance(annotations, list) else ():
            if isinstance(annotation, Mapping) and annotation.get("was_cancelled") is not True:
                result = annotation.get("result")
                if isinstance(result, list):
                    yield result
