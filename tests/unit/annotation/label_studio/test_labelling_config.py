from xml.etree import ElementTree

import pandas as pd
import pytest
from label_studio_sdk.label_interface.interface import LabelInterface

from annotation.errors import InputError
from annotation.items.validate import validate_items
from annotation.label_studio.labelling_config import (
    PageKind,
    kind_of_items,
    labelling_config,
    option,
    read_answer_control,
    same_config,
)

CLASSES = ("positive", "very negative")


def items(*choices: list[str]) -> pd.DataFrame:
    rows = [
        {"item_id": f"i{n}", "question": "?", "choices": c, "answer": 0 if c else None}
        | ({} if c else {"answer_text": "x"})
        for n, c in enumerate(choices)
    ]
    return validate_items(pd.DataFrame(rows).astype(object), "items")


def test_kind_of_items() -> None:
    assert kind_of_items(items(["a", "b"], ["c", "d", "e"])) == "choices"
    assert kind_of_items(items(["a", "b"], ["a", "b"])) == "classification"
    assert kind_of_items(items([], [])) == "free_form"
    with pytest.raises(InputError, match="item 'i1' has no choices, others have"):
        kind_of_items(items(["a", "b"], []))


@pytest.mark.parametrize("kind", ["choices", "classification", "free_form"])
def test_what_is_written_is_read_back(kind: PageKind) -> None:
    config = labelling_config(kind, CLASSES)
    LabelInterface(config).validate()  # type: ignore[no-untyped-call]
    control = read_answer_control(config)
    assert (control.name, control.target) == ("answer", "question")
    assert control.tag == ("TextArea" if kind == "free_form" else "Choices")
    data = {"question": "?", "options": ["x", "y & z"]}
    expected = {
        "choices": {"x": "x", "y & z": "y & z"},
        "classification": {name: name for name in CLASSES},
        "free_form": {},
    }
    assert control.options(data) == expected[kind]


def test_choices_keep_clear_of_what_the_page_would_read_into_them() -> None:
    assert option("15") == {"value": "15", "alias": "15"}
    shown = {"value": "$5 & <b>\n", "alias": "$5 & <b>\n", "html": "$5 &amp; &lt;b&gt;<br>"}
    assert option("$5 & <b>\n") == shown
    control = read_answer_control(labelling_config("choices"))
    texts = ["15", "$5 & <b>", " lead"]
    data = {"options": [option(text) for text in texts]}
    assert control.options(data) == {text: text for text in texts}
    for name in ("$5", "15", 'say "hi"', "a & b"):  # these come with the data
        assert read_answer_control(labelling_config("classification", ["yes", name])) == control


def test_an_answer_is_required() -> None:
    for kind in ("choices", "classification", "free_form"):
        root = ElementTree.fromstring(labelling_config(kind, CLASSES))
        (control,) = [tag for tag in root.iter() if tag.get("name") == "answer"]
        assert control.get("required") == "true"


def test_options_with_aliases() -> None:
    control = read_answer_control('<View><Choices name="a" toName="q" value="$o"/></View>')
    data = {"o": [{"value": "Yes, it does", "alias": "1"}, {"value": "No"}, 3, {"alias": "x"}]}
    assert control.options(data) == {
        "Yes, it does": "Yes, it does",
        "1": "Yes, it does",
        "No": "No",
    }
    assert control.options({}) == {}
    assert control.options({"o": "text"}) == {}
    fixed = '<View><Choices name="a" toName="q"><Choice value="Y" alias="1"/></Choices></View>'
    assert read_answer_control(fixed).options({}) == {"Y": "Y", "1": "Y"}


SEVERAL = (
    '<View><Choices name="answer" toName="q"/><Choices name="sure" toName="q"/>'
    '<TextArea name="why" toName="q"/></View>'
)


def test_a_text_beside_a_choice_is_a_comment() -> None:
    both = '<View><TextArea name="why" toName="q"/><Choices name="mood" toName="q"/></View>'
    assert read_answer_control(both).name == "mood"
    assert read_answer_control(both, "why").tag == "TextArea"


def test_several_controls_are_a_question() -> None:
    with pytest.raises(InputError, match=r"several controls: 'answer', 'sure'; .*--control answer"):
        read_answer_control(SEVERAL)
    assert read_answer_control(SEVERAL, "sure").name == "sure"
    assert read_answer_control(SEVERAL, is_ours=True).name == "answer"  # labelmix made that one


def test_a_control_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match=r"no control 'mood'; its controls are: 'answer', 'sure'"):
        read_answer_control(SEVERAL, "mood", is_ours=True)


@pytest.mark.parametrize("name", [None, "a"])
def test_controls_of_one_name_cannot_be_told_apart(name: str | None) -> None:
    page = '<View><Choices name="a" toName="q"/><Choices name="a" toName="q"/></View>'
    with pytest.raises(InputError, match="several controls of one name: 'a'; give each"):
        read_answer_control(page, name)


@pytest.mark.parametrize("config", ["<View/>", "<View>", "", None, "<View><Labels/></View>"])
def test_page_without_an_answer_is_refused(config: str | None) -> None:
    with pytest.raises(InputError, match="labelling page"):
        read_answer_control(config)


def test_same_page_written_otherwise() -> None:
    one = "<View><Text name='q'  value='$q'/></View>"
    assert same_config(one, '<View>\n  <Text value="$q" name="q"></Text>\n</View>')
    assert not same_config(one, '<View><Text name="q" value="$other"/></View>')
    assert not same_config(one, None)
