"""The labelling page: written for our items, read back to know what counts as an answer."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from xml.etree import ElementTree

import pandas as pd

from annotation.errors import InputError, short
from annotation.items.table import shared_choices

PageKind = Literal["choices", "classification", "free_form"]

CONTROL = "answer"  # the control that holds the answer
QUESTION = "question"  # the key of a task's data that holds the question
OPTIONS = "options"  # the key that holds the choices of an item
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ,_-]*")  # shown as they are wherever they stand


def kind_of_items(items: pd.DataFrame) -> PageKind:
    """What annotators do: pick a shared class, pick one of the item's own choices, or write.

    Raises InputError if only some of the items have choices: one page cannot ask both.
    """
    if shared_choices(items) is not None:
        return "classification"
    has_choices = items["choices"].map(len) > 0
    if has_choices.all():
        return "choices"
    if has_choices.any():
        without = items["item_id"][~has_choices].iloc[0]
        raise InputError(
            f"item '{without}' has no choices, others have; push items with choices and items "
            "with free-form answers to projects of their own."
        )
    return "free_form"


def option(text: str) -> dict[str, str]:
    """A choice as a task's data hold it, so that the page shows its text and results say it.

    As plain texts, numbers would be shown as nothing, and "$5" as "undefined": the page takes
    what follows a dollar sign for a key of the data, everywhere but in `html`. Results hold the
    `alias`.
    """
    shown = {"value": text, "alias": text}
    markup = html.escape(text, quote=False).replace("\n", "<br>")
    return shown | {"html": markup} if markup != text or "$" in text else shown


def labelling_config(kind: PageKind, classes: Sequence[str] = ()) -> str:
    """The XML of the labelling page: the question, and below it how it is answered.

    Parameters
    ----------
    kind
        "choices" takes the choices from each task's data, see `option`; "classification" from
        `classes`, where all are plain words; "free_form" has one line to write on.
    classes
        The shared classes, for "classification" alone.
    """
    if kind == "classification" and not all(_PLAIN.fullmatch(name) for name in classes):
        kind = "choices"  # they are in the data as well
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Text", name=QUESTION, value=f"${QUESTION}")
    common = {"name": CONTROL, "toName": QUESTION, "required": "true"}
    if kind == "free_form":
        ElementTree.SubElement(
            view,
            "TextArea",
            common | {"rows": "1", "maxSubmissions": "1", "placeholder": "Your answer"},
        )
    else:
        common |= {"choice": "single"}
        if kind == "choices":
            common |= {"value": f"${OPTIONS}"}
        choices = ElementTree.SubElement(view, "Choices", common)
        if kind == "classification":
            for name in classes:
                ElementTree.SubElement(choices, "Choice", value=name)
    return ElementTree.tostring(view, encoding="unicode")


@dataclass(frozen=True)
class AnswerControl:
    """How a labelling page asks for the answer.

    `tag` is "Choices" or "TextArea". Choices come from the task's data under `options_key`, or
    are `classes`: name that a result may hold -> text of the choice.
    """

    name: str
    target: str
    tag: Literal["Choices", "TextArea"]
    options_key: str | None = None
    classes: Mapping[str, str] | None = None

    def options(self, data: Mapping[str, Any]) -> dict[str, str]:
        """What a result may hold -> the text of the choice it means, for one task's data.

        An option is a text, or has a `value` and perhaps an `alias` that results hold instead.
        """
        if self.classes is not None:
            return dict(self.classes)
        options: dict[str, str] = {}
        listed = data.get(self.options_key or "")
        for option in listed if isinstance(listed, list) else []:
            if isinstance(option, str):
                options[option] = option
            elif isinstance(option, dict) and isinstance(option.get("value"), str):
                options[option["value"]] = option["value"]
                if isinstance(option.get("alias"), str):
                    options[option["alias"]] = option["value"]
        return options


def read_answer_control(
    config: str | None, name: str | None = None, is_ours: bool = False
) -> AnswerControl:
    """Find the control of a labelling page that holds the answer.

    It is the `Choices` or `TextArea` of that `name`; without one the only `Choices`, or the only
    `TextArea` of a page that has no `Choices`: a text beside a choice is a comment. On a page that
    labelmix sent (`is_ours`) it is the one named "answer", whatever was put beside it.

    Raises InputError if there is none, or several fit.
    """
    controls = [tag for tag in _parsed(config).iter() if tag.tag in ("Choices", "TextArea")]
    if not controls:
        raise InputError(
            "the project's labelling page has neither Choices nor a TextArea; mend it in Label "
            "Studio under Settings, Labeling Interface."
        )
    if name is not None:
        fitting = [tag for tag in controls if tag.get("name") == name]
    else:
        fitting = [tag for tag in controls if is_ours and tag.get("name") == CONTROL]
        fitting = fitting or [tag for tag in controls if tag.tag == "Choices"] or controls
    if len(fitting) == 1:
        return _control(fitting[0])
    names = [tag.get("name", "") for tag in fitting or controls]
    listed = ", ".join(short(each) for each in dict.fromkeys(names))
    if len(set(names)) < len(names):
        raise InputError(
            f"the project's labelling page has several controls of one name: {listed}; give each a "
            "name of its own in Label Studio under Settings, Labeling Interface."
        )
    found = f"no control {short(name)}; its controls are" if not fitting else "several controls"
    raise InputError(
        f"the project's labelling page has {found}: {listed}; say whose answers are the labels, "
        f"e.g. --control {names[0]}."
    )


def _control(tag: ElementTree.Element) -> AnswerControl:
    name, target = tag.get("name", ""), tag.get("toName", "")
    if tag.tag == "TextArea":
        return AnswerControl(name, target, "TextArea")
    value = tag.get("value", "")
    if value.startswith("$"):
        return AnswerControl(name, target, "Choices", options_key=value[1:])
    classes: dict[str, str] = {}
    for choice in tag.iter("Choice"):
        text = choice.get("value", "")
        classes[text] = text
        if choice.get("alias"):
            classes[choice.get("alias", "")] = text
    return AnswerControl(name, target, "Choices", classes=classes)


def same_config(one: str | None, other: str | None) -> bool:
    """Whether two labelling pages are the same, whatever their spaces and quotes."""
    try:
        canonical = [ElementTree.canonicalize(c or "", strip_text=True) for c in (one, other)]
    except (ElementTree.ParseError, UnicodeEncodeError):
        return False
    return canonical[0] == canonical[1]


def _parsed(config: str | None) -> ElementTree.Element:
    try:
        # The server's own page; entities are never resolved from elsewhere by this parser.
        return ElementTree.fromstring(config or "")
    except (ElementTree.ParseError, UnicodeEncodeError) as error:
        raise InputError(f"the project's labelling page is not XML: {error}.") from None
