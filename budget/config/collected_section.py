"""Labels that people gave, in place of simulated annotators: a part of `[annotators]`."""

from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from annotation.errors import short
from annotation.truth.aggregation import Aggregator
from budget.config.toml import Section


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class CollectedSection(Section):
    """Train on judgments that were collected.

    `judgments` are files in any form that `labelmix judgments report` reads. The first
    `judgments_for_strata` judgments of every item tell how hard it is, by the measures
    answer_entropy and pairwise_disagreement, and are not bought: what decides who is hard must not
    be what errors are measured by. Where a column of the items says how hard they are, judgments
    that told it, or look as if they had, are refused; `strata_of_other_judgments` says that others
    did. `different_servers` says that every file is of a Label Studio of its own, so that equal
    numbers are different people. `control` is the control of Label Studio whose answers are the
    labels, where annotations answer several. `aggregate` is how a label is made of several
    judgments.
    """

    source: Literal["judgments"]
    judgments: Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]
    judgments_for_strata: Annotated[int, Field(ge=0)] = 0
    strata_of_other_judgments: bool = False
    different_servers: bool = False
    control: Annotated[str, Field(min_length=1)] | None = None
    aggregate: Aggregator = "majority"


def split_annotators(raw: Any) -> Any:  # noqa: ANN401 - whatever a TOML file holds
    """The configuration with what `[annotators]` says of its source in a section of its own.

    Raises ValueError if the source is unknown, or simulated annotators are given judgments.
    """
    if not isinstance(raw, dict):
        return raw
    if isinstance(raw.get("collected"), dict):
        raise ValueError("collected: no such section; its keys go into [annotators]")
    annotators = raw.get("annotators")
    if not isinstance(annotators, dict):
        return raw
    for name, value in annotators.items():
        meant = get_close_matches(name, CollectedSection.model_fields, 1)
        if meant and name != meant[0] and not isinstance(value, dict):
            raise ValueError(f"annotators.{name}: no such key; is {meant[0]} meant?")
    own = {
        name: value
        for name, value in annotators.items()
        if name in CollectedSection.model_fields and not isinstance(value, dict)
    }
    if not own:
        return raw
    source = own.get("source", "simulated")
    if source not in ("simulated", "judgments"):
        raise ValueError(
            f"annotators.source should be 'simulated' or 'judgments'; got {short(source)}"
        )
    if source == "simulated" and len(own) > ("source" in own):
        key = next(name for name in own if name != "source")
        raise ValueError(f'annotators.{key} goes with source = "judgments"')
    rest = {name: value for name, value in annotators.items() if name not in own}
    found = {**raw, "annotators": rest}
    return found if source == "simulated" else {**found, "collected": own}
