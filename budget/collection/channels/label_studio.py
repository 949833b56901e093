"""A supplier whose people work in Label Studio: one project for each number of judgments."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import generator
from annotation.errors import InputError, short
from annotation.label_studio.hearing import KnownProject
from annotation.label_studio.labelling_config import (
    kind_of_items,
    labelling_config,
    same_config,
)
from annotation.label_studio.overlap import ask_more
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.project import ProjectGoneError, ProjectSettings
from annotation.label_studio.pull import judgment_table
from annotation.label_studio.pull import pull as pull_judgments
from annotation.label_studio.push import push as push_tasks
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.state import PilotState
from budget.collection.channels.base import Fetched, PlaceGoneError

_LONGEST_TITLE = 50  # characters that Label Studio takes
_STATE = "label_studio.sqlite"
Server = Callable[[], AbstractContextManager[LabelStudioServer]]


class LabelStudioChannel:
    """Tasks in Label Studio.

    Label Studio asks for one number of annotators in a whole project, so items that are asked twice
    and items that are asked four times are in two projects. Of an item that is asked again in a
    later batch its own task asks for more: whoever answered it does not meet it again.

    Parameters
    ----------
    collection, supplier : their names, of which the titles of projects are made
    items : the item table
    folder : the supplier's own, with what is known of each project
    server : opens a connection to Label Studio
    instructions : what annotators read first; None leaves what is there
    """

    def __init__(
        self,
        collection: str,
        supplier: str,
        items: pd.DataFrame,
        folder: Path,
        server: Server,
        instructions: str | None = None,
    ) -> None:
        self._collection, self._supplier = collection, supplier
        self._items, self._folder, self._server = items, folder, server
        self._known: dict[int, KnownProject] = {}
        self._webhooks: dict[int, int] = {}  # number of a project -> number of its webhook
        self._instructions = instructions

    @property
    def known(self) -> Mapping[int, KnownProject]:
        """What the last `fetch` found out about projects, by their numbers."""
        return self._known

    def send(self, lines: pd.DataFrame) -> str:
        page, told = self._page(), []
        in_order = lines.sort_values("batch", kind="stable")
        by_item = in_order.groupby("item_id")["judgments"]
        # An item stays where it was asked first: its people are not asked about it once more.
        first, wanted = in_order["item_id"].map(by_item.first()), _people(in_order)
        with self._server() as server:
            for judgments, own in in_order.groupby(first):
                number = int(str(judgments))
                settings = ProjectSettings(self._title(number), page, number, self._instructions)
                again = {str(item): int(wanted[item]) for item in own["item_id"]}
                again = {item: people for item, people in again.items() if people > number}
                with self._opened(self._state(number)) as state:
                    summary = push_tasks(server, state, self._tasks(own), settings)
                    asked = ask_more(server, summary.project_id, again)
                told.append(f"{summary.sent:,} tasks sent to {summary.url}")
                if asked:
                    told.append(f"{asked:,} tasks there ask for more people than before")
        return "; ".join(told)

    def fetch(self) -> Fetched:
        tables: list[pd.DataFrame] = []
        notes: list[str] = []
        remarks: list[str] = []
        missing: set[str] = set()
        states = list(self._states())
        if not states:
            raise InputError(
                f"{self._folder}: no project of supplier '{self._supplier}' is known here; order a "
                "batch, or bring the folder's files back."
            )
        with self._server() as server:
            for path in states:
                with self._opened(path) as state:
                    summary = pull_judgments(server, state)
                    table, no_choice = self._of_choices(judgment_table(state))
                    missing |= state.items_without_task()
                    is_as_sent = same_config(state.about("label_config"), self._page())
                    project = KnownProject.of(state)
                if project is not None:
                    self._known[project.number] = project
                tables.append(table)
                notes += [*summary.left_out, *no_choice]
                if not is_as_sent:
                    remarks.append(
                        f"somebody changed the labelling page of project '{summary.title}' in "
                        "Label Studio; answers that are none of an item's choices are left out. "
                        "To put the page back: labelmix collect step with --send-again"
                    )
        judgments = pd.concat(tables, ignore_index=True)
        return Fetched(judgments, True, tuple(notes), tuple(remarks), frozenset(missing))

    def _page(self) -> str:
        """The labelling page of every project."""
        kind = kind_of_items(self._items)
        classes = self._items["choices"].iloc[0] if kind == "classification" else ()
        return labelling_config(kind, classes)

    def _of_choices(self, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """Judgments that say one of their item's choices, or skip it; and what the others say."""
        fits = self.says_a_choice(table)
        others = []
        for source, item, label in table.loc[~fits, ["source_id", "item_id", "label"]].itertuples(
            index=False
        ):
            known = " | ".join(self._choices[item])
            what = f"{short(label)} is none of the choices ({known})"
            others.append(f"{source} (item {item!r}): {what}")
        return table[fits].reset_index(drop=True), others

    def says_a_choice(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether judgments say a choice that their item has here, or skip it, (judgments,).

        Whoever may change tasks in Label Studio could add others there.
        """
        told = zip(table["item_id"], table["label"], table["cancelled"], strict=True)
        return np.array(
            [
                skipped or not (own := self._choices.get(item, ())) or label.strip() in own
                for item, label, skipped in told
            ],
            dtype=bool,
        )

    @cached_property
    def _choices(self) -> dict[str, tuple[str, ...]]:
        names, choices = self._items["item_id"], self._items["choices"]
        return {
            name: tuple(text.strip() for text in own)
            for name, own in zip(names, choices, strict=True)
        }

    def register(self, address: str, headers: Mapping[str, str]) -> int:
        """Have the projects that are known call an address, with what changed; how many are new.

        Raises InputError if the server refuses.
        """
        new = [number for number in self._known if number not in self._webhooks]
        if new:
            with self._server() as server:
                for number in new:
                    hook = server.set_webhook(number, address, headers, with_payload=True)
                    self._webhooks[number] = hook.id
        return len(new)

    def unregister(self, patience: float) -> None:
        """Take the webhooks back.

        Raises InputError if the server refuses, or does not answer for `patience` seconds.
        """
        if self._webhooks:
            with self._server() as server:
                server.connection.limit_patience(patience)
                while self._webhooks:
                    number, webhook = next(iter(self._webhooks.items()))
                    server.delete_webhook(webhook)
                    del self._webhooks[number]

    @contextmanager
    def _opened(self, path: Path) -> Iterator[PilotState]:
        """What is known of a project; where it is gone, what a collection can do then."""
        with PilotState(path) as state:
            try:
                yield state
            except ProjectGoneError:
                title = state.about("title")
                raise PlaceGoneError(
                    f"Label Studio has no project '{title}' any more: it has been deleted, or this "
                    "is another server. What was pulled is kept. Restore the project; or end the "
                    "open batch with what is there (labelmix collect step --enough, or cancel), "
                    f"give supplier '{self._supplier}' a new name in the file of suppliers, and "
                    "take that by 'labelmix collect change'."
                ) from None

    def _title(self, judgments: int) -> str:
        title = f"{self._collection} - {self._supplier} ({judgments}x)"
        if len(title) > _LONGEST_TITLE:
            raise InputError(
                f"the project's title '{title}' has {len(title)} characters, and Label Studio "
                f"takes {_LONGEST_TITLE}; give the collection or the supplier a shorter name."
            )
        return title

    def _state(self, judgments: int) -> Path:
        return self._folder / f"{judgments}x" / _STATE

    def _states(self) -> Iterator[Path]:
        return iter(sorted(self._folder.glob(f"*x/{_STATE}")))

    def _tasks(self, lines: pd.DataFrame) -> list[PilotTask]:
        """Each item once; strata and gold questions come mixed within each batch."""
        place = {item: number for number, item in enumerate(self._items["item_id"])}
        found: dict[str, PilotTask] = {}
        for batch, own in lines.groupby("batch", sort=True):
            order = generator(f"tasks of batch {batch}", 0, self._supplier).permutation(len(own))
            for row in own.iloc[np.asarray(order)].itertuples():
                item = self._items.iloc[place[str(row.item_id)]]
                found[str(row.item_id)] = PilotTask(
                    item_id=str(row.item_id),
                    stratum=str(row.stratum),
                    question=item["question"],
                    options=tuple(item["choices"]),
                    gold=row.gold if isinstance(row.gold, str) else None,
                )
        return list(found.values())


def _people(lines: pd.DataFrame) -> "pd.Series[int]":
    """Item -> how many people should answer it in all.

    Of batches before the last those who did: what did not come then is not waited for.
    """
    came = lines["judgments"]
    if "received" in lines:
        is_last = lines["batch"] == lines["batch"].max()
        came = came.where(is_last, lines[["judgments", "received"]].min(axis=1))
    return came.groupby(lines["item_id"]).sum()
