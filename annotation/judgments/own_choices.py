"""Which choice of an item an answer names."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from functools import cached_property

from annotation.judgments.look_alikes import look
from annotation.judgments.number_spelling import number_of


class OwnChoices:
    """What answers to an item may say, and the choice that each means."""

    def __init__(self, meanings: Mapping[str, str]) -> None:
        """`meanings`: what may be said -> the choice; more than one saying may mean one choice."""
        self.told = {said.strip(): choice for said, choice in meanings.items()}
        self.texts = tuple(dict.fromkeys(meanings.values()))

    def find(self, answer: str) -> str | None:
        """The choice that an answer names; None if it names none, or if two fit.

        The answer is a choice's text, surrounding spaces apart; else what looks the same; else an
        equal number.
        """
        bare = answer.strip()
        if bare in self.told:
            return self.told[bare]
        seen = look(answer)
        if seen in self._by_look:
            return self._by_look[seen]
        number = number_of(seen)
        return None if number is None else self._by_number.get(number)

    @cached_property
    def _by_look(self) -> dict[Hashable, str]:
        return self._by(look)

    @cached_property
    def _by_number(self) -> dict[Hashable, str]:
        return self._by(lambda text: number_of(look(text)))

    def _by(self, key: Callable[[str], Hashable]) -> dict[Hashable, str]:
        """Key -> choice, of the keys that one choice alone has."""
        pairs = {(key(said), choice) for said, choice in self.told.items()}
        often = Counter(each for each, _ in pairs)
        return {each: choice for each, choice in pairs if each is not None and often[each] == 1}
