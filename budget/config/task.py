"""From a configuration and its items to a task: strata, the test set, and what is for sale."""

from typing import TYPE_CHECKING

from annotation.items.table import REMARKS
from annotation.strata.mixed_scale import mixed_scale_remark
from budget.config.run import RunConfig
from training.task import Task, TestSizes

if TYPE_CHECKING:
    import pandas as pd


def configured_task(config: RunConfig, items: "pd.DataFrame") -> Task:
    """Items with their strata and their test set, as configured.

    Raises InputError if they cannot be cut or the test set cannot be drawn.
    """
    strata = config.strata.cut_items(items, config.items.source)
    mixed = mixed_scale_remark(items, strata)
    if mixed is not None:
        items = items.copy(deep=False)
        items.attrs[REMARKS] = (*items.attrs.get(REMARKS, ()), mixed)
    target, others = (
        None if wanted == "all" else wanted
        for wanted in (config.test.items, config.test.other_items)
    )
    sizes = TestSizes(target, others)
    return Task(items, strata, config.strata.target, sizes, config.test.seed)
