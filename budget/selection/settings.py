"""How the next items are chosen."""

from dataclasses import dataclass
from typing import get_args

from annotation.errors import InputError
from budget.config.selection_method import SelectionMethod


@dataclass(frozen=True)
class SelectionSettings:
    """How the next items are chosen; the defaults are those that were measured.

    Attributes
    ----------
    method : see `SelectionMethod`
    random_share : of the judgments, those for new items drawn at random, from 0 to 1. Error rates
        are estimated on them: an item that was chosen for its doubt is harder than others
    judgments : of an item drawn at random, at least 1
    uncertain_share : of the new items, the most uncertain, among which different ones are chosen;
        above 0, at most 1
    clear : an item whose likeliest answer has this probability is not asked again; above 0, at
        most 1
    worth : what a right label in place of a wrong one is worth, in prices of one judgment. An item
        is asked again only where that is expected to be worth its price. None: not known, `clear`
        alone stops

    Raises
    ------
    InputError
        If a setting is out of its range.
    """

    method: SelectionMethod = "doubt"
    random_share: float = 0.2
    judgments: int = 1
    uncertain_share: float = 0.1
    clear: float = 0.95
    worth: float | None = None

    def __post_init__(self) -> None:
        if self.method not in get_args(SelectionMethod):
            raise InputError(
                f"method '{self.method}' of choosing items is unknown; choose one of "
                f"{', '.join(get_args(SelectionMethod))}."
            )
        if not 0 <= self.random_share <= 1:  # also false for NaN, as those below
            raise InputError(f"random_share should be within 0 and 1; got {self.random_share}.")
        if self.judgments < 1:
            raise InputError(f"judgments per item should be at least 1; got {self.judgments}.")
        for name, value in (("uncertain_share", self.uncertain_share), ("clear", self.clear)):
            if not 0 < value <= 1:
                raise InputError(f"{name} should be above 0 and at most 1; got {value}.")
        if self.worth is not None and not self.worth > 0:
            raise InputError(f"worth of a right label should be above 0; got {self.worth}.")
