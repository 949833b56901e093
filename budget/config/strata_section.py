"""The strata of a run's configuration: any number of bands under any names."""

from typing import TYPE_CHECKING, Self

from pydantic import FiniteFloat, model_validator

from annotation.errors import short
from annotation.strata.bands import Strata, usual_names
from annotation.strata.cut import cut_names, read_cut
from budget.config.toml import Section

if TYPE_CHECKING:
    import pandas as pd


class StrataSection(Section):
    """How a hardness measure is cut, which stratum counts and which are for sale.

    Either `easy_at_most` and `hard_at_least` say where the three usual bands end, or `cut`, as for
    `annotation.strata.cut.read_cut`, makes any number. What is left out is filled in: `names` by
    the usual ones, easiest first, `target` by the hardest, `buy` by the easiest and the hardest.
    """

    measure: str
    easy_at_most: FiniteFloat | None = None
    hard_at_least: FiniteFloat | None = None
    cut: str | None = None
    names: tuple[str, ...] = ()
    target: str = ""
    buy: tuple[str, ...] = ()

    def cut_items(self, items: "pd.DataFrame", source: str) -> Strata:
        """The strata of these items, which come from this source.

        Raises InputError if the items lack the measure, or it cannot be cut so.
        """
        if self.cut is not None:
            return read_cut(self.cut, self.measure, items, source, self.names)
        assert self.easy_at_most is not None and self.hard_at_least is not None
        bounds = self.easy_at_most, self.hard_at_least
        return Strata.easy_medium_hard(self.measure, *bounds).named(self.names)

    @property
    def as_cut(self) -> str:
        """The cut in the words of `cut`, however it was given."""
        return self.cut or f"edges:{self.easy_at_most!r},>={self.hard_at_least!r}"

    @model_validator(mode="after")
    def _filled_in(self) -> Self:
        usual = self._usual_names()
        names = self.names or usual
        self._check_names(names, len(usual))
        target, buy = self.target or names[-1], self.buy or (names[0], names[-1])
        for key, chosen in (("target", (target,)), ("buy", buy)):
            unknown = next((name for name in chosen if name not in names), None)
            if unknown is not None:
                there = ", ".join(names)
                raise ValueError(
                    f"{key}: no such stratum; choose from {there}; got {short(unknown)}"
                )
        if len(set(buy)) != len(buy) or len(buy) < 2:
            raise ValueError("buy should name at least two different strata")
        if target not in buy:
            raise ValueError(f"buy should hold the target stratum '{target}'")
        for field, value in (("names", names), ("target", target), ("buy", buy)):
            object.__setattr__(self, field, value)  # frozen: filled in here, once
        return self

    def _usual_names(self) -> tuple[str, ...]:
        """What the strata are called unless `names` says otherwise."""
        bounds = {"easy_at_most": self.easy_at_most, "hard_at_least": self.hard_at_least}
        given = [name for name, bound in bounds.items() if bound is not None]
        if self.cut is not None:
            if given:
                raise ValueError(
                    "give either cut, or easy_at_most and hard_at_least; got cut and "
                    f"{' and '.join(given)}"
                )
            return cut_names(self.cut)
        if len(given) < len(bounds):
            missing = [name for name in bounds if name not in given]
            raise ValueError(
                f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing; give "
                'easy_at_most and hard_at_least, or for instance cut = "quantiles:3"'
            )
        low, high = self.easy_at_most, self.hard_at_least
        assert low is not None and high is not None
        if low >= high:
            raise ValueError(f"easy_at_most ({low:g}) should be below hard_at_least ({high:g})")
        return usual_names(3)

    def _check_names(self, names: tuple[str, ...], bands: int) -> None:
        if len(names) != bands:
            raise ValueError(
                f"names: the cut makes {bands} strata; name each, easiest first; got {len(names)}"
            )
        spelled: dict[str, str] = {}
        for name in names:
            if not name.isprintable() or not name.strip() or name != name.strip():
                raise ValueError(
                    "names: a name should be plain text without spaces around it; "
                    f"got {short(name)}"
                )
            # Results and reports spell a rule such as all_easy in these ways.
            alike = name.lower().replace("_", " ").replace("-", " ")
            if alike in spelled:
                raise ValueError(
                    "names: all should differ, not only by case or signs; "
                    f"got {short(spelled[alike])} and {short(name)}"
                )
            spelled[alike] = name
