"""What people decide on the board, done as the commands do it: on the ledger, with who and why."""

from collections.abc import Mapping
from pathlib import Path

from annotation.errors import InputError, short
from budget.collection.opened import opened_store
from budget.collection.store.history import CollectionState
from budget.web.forms import number_of, text_of

_DOING = "labelmix app"
_STATES: Mapping[str, CollectionState] = {"pause": "paused", "resume": "running"}
ACTIONS = ("approve", "cancel", *_STATES)


def decide(folder: Path, action: str, form: Mapping[str, str]) -> None:
    """Do what a form of the board asks for.

    Raises InputError if a field is missing, or as the store does.
    """
    who = text_of(form, "who", "your name")
    if action == "approve":
        batch = number_of(form, "batch", "the batch")
        with opened_store(folder, _DOING) as store:
            store.approve(batch, who)
    elif action == "cancel":
        batch, why = number_of(form, "batch", "the batch"), text_of(form, "why", "the reason")
        with opened_store(folder, _DOING) as store:
            store.cancel(batch, who, why)
    elif action in _STATES:
        with opened_store(folder, _DOING) as store:
            store.set_state(_STATES[action], who, form.get("why", "").strip())
    else:
        raise InputError(f"nothing is called {short(action)} here; load the page again.")
