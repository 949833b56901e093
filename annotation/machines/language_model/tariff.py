"""What asking a language model costs: by the item or by the token, exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from annotation.errors import InputError
from annotation.machines.language_model.question import Message
from annotation.terms.cost import money

_MILLION = 10**6
_CHARACTERS_OF_A_TOKEN = 4  # about, in English
_TOKENS_AROUND = 64  # at most, that a model's chat template adds to a request of two messages


@dataclass(frozen=True)
class Tariff:
    """Prices in the user's currency: of an item, or of a million tokens; all None: not known.

    Raises InputError if a price is no amount of money, or two ways of pricing are mixed.
    """

    per_item: Decimal | None = None
    per_million_in: Decimal | None = None
    per_million_out: Decimal | None = None

    def __post_init__(self) -> None:
        by_token = (self.per_million_in, self.per_million_out)
        if self.per_item is not None and any(own is not None for own in by_token):
            raise InputError(
                "--price-per-item and --price-in/--price-out are two ways to pay; give one of them."
            )
        if (self.per_million_in is None) != (self.per_million_out is None):
            raise InputError(
                "--price-in and --price-out go together: the price of a million tokens that are "
                "sent, and of a million that come back."
            )

    @property
    def is_known(self) -> bool:
        return self.per_item is not None or self.per_million_in is not None

    def cost(self, tokens_in: int, tokens_out: int) -> Fraction:
        """What one answered request costs; 0 where no price is known."""
        if self.per_item is not None:
            return Fraction(self.per_item)
        if self.per_million_in is None or self.per_million_out is None:
            return Fraction(0)
        parts = (
            tokens_in * Fraction(self.per_million_in),
            tokens_out * Fraction(self.per_million_out),
        )
        return sum(parts, Fraction(0)) / _MILLION


def tariff_of(per_item: str | None, price_in: str | None, price_out: str | None) -> Tariff:
    """The tariff of three options as they were typed.

    Raises InputError as `Tariff` does, naming the option.
    """
    return Tariff(
        amount(per_item, "--price-per-item"),
        amount(price_in, "--price-in"),
        amount(price_out, "--price-out"),
    )


def amount(text: str | None, option: str) -> Decimal | None:
    """An amount of money as it was typed.

    Raises InputError that names the option if it is none.
    """
    try:
        return None if text is None else money(text)
    except InputError as error:
        raise InputError(f"{option}: {error}") from None


def about_tokens(asked: Sequence[Message]) -> int:
    """About how many tokens a request has."""
    characters = sum(len(own["content"]) for own in asked)
    return -(-characters // _CHARACTERS_OF_A_TOKEN)


def most_tokens(asked: Sequence[Message]) -> int:
    """How many tokens a request has at most: a token stands for at least one byte of UTF-8."""
    sizes = (len(own["content"].encode("utf-8", "backslashreplace")) for own in asked)
    return sum(sizes) + _TOKENS_AROUND
