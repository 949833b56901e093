"""Items and what people said of them, in words."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from analysis.numbers import count, percent
from annotation.errors import InputError, short
from budget.collection.judged_items import PER_PAGE, WHICH, ItemPage, ItemTold, JudgmentTold, Which
from budget.web.board_view import moment
from budget.web.forms import number_of

_TITLES = {"all": "all items", "judged": "judged items", "disputed": "disputed items"}


def read_choice(given: Mapping[str, str], strata: Sequence[str]) -> tuple[str | None, Which, int]:
    """Which items an address asks for: stratum, kind and page.

    Raises InputError if there is no such stratum or kind, or the page is no number.
    """
    stratum = given.get("stratum", "")
    if stratum and stratum not in strata:
        raise InputError(
            f"there is no stratum {short(stratum)}; choose one of {', '.join(strata)}."
        )
    asked = given.get("which", WHICH[0])
    which = next((own for own in WHICH if own == asked), None)
    if which is None:
        raise InputError(f"there are no {short(asked)} items; choose one of {', '.join(WHICH)}.")
    return stratum or None, which, number_of({"page": given.get("page", "1")}, "page", "the page")


def data_view(page: ItemPage, strata: Sequence[str]) -> dict[str, object]:
    """What the template needs."""
    first = PER_PAGE * (page.number - 1) + 1 if page.found else 0
    return {
        "found": count(page.found),
        "first": count(first),
        "last": count(first + len(page.items) - 1 if page.found else 0),
        "what": _TITLES[page.which],
        "number": page.number,
        "pages": page.pages,
        "before": _query(page, page.number - 1) if page.number > 1 else "",
        "after": _query(page, page.number + 1) if page.number < page.pages else "",
        "this": _query(page, page.number),
        "strata": [(name, name == page.stratum) for name in strata],
        "which": [(own, _TITLES[own], own == page.which) for own in WHICH],
        "items": [_item(own) for own in page.items],
    }


def _query(page: ItemPage, number: int) -> str:
    fields = {"which": page.which, "page": str(number)}
    if page.stratum is not None:
        fields["stratum"] = page.stratum
    return urlencode(fields)


def _item(own: ItemTold) -> dict[str, object]:
    label = ""
    if own.label is not None and own.confidence is not None:
        label = f"{own.label} ({percent(own.confidence, 0)} sure)"
    return {
        "id": own.item_id,
        "stratum": own.stratum,
        "hardness": "" if own.hardness is None else f"{own.hardness:g}",
        "question": own.question,
        "choices": own.choices,
        "gold": own.gold or "",
        "label": label,
        "said": [_judgment(told, own) for told in own.judgments],
    }


def _judgment(told: JudgmentTold, item: ItemTold) -> dict[str, object]:
    right = item.gold if item.gold is not None else item.label
    return {
        "who": told.annotator,
        "supplier": told.supplier,
        "label": told.label,
        "seconds": "" if told.seconds is None else f"{told.seconds:.0f} s",
        "at": "" if told.at is None else moment(told.at),
        "differs": right is not None and told.label.strip() != right.strip(),
    }
