"""Which probe fits run together, and the labels they learn from as tensors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from annotation.arrays import Array, Features, IntArray, Mask
from annotation.groups import turns
from training.probes.loss import NO_CHOICE, ProbeTargets
from training.probes.rows import ScaledRows

MEMORY_BYTES = 2**29  # of the columns that are fitted at once
BATCH_VALUES = 2**19  # rows x rank of all sets of a batch, 4 MiB: what a cache holds
DEVICE_BATCH_VALUES = 2**25  # the same on an accelerator, 256 MiB: it wants much work at a time
SMALL_ROWS = (
    200  # sets of at most so many rows are padded to one size: calls cost more than numbers
)


@dataclass(frozen=True)
class ProbeJob:
    """One probe to fit.

    Attributes
    ----------
    rows : (items,), positions into the features; jobs with equal rows are solved together
    targets : (items, classes), chances of the choices, adding up to 1; a hard label is one-hot;
        0 where the item lacks the choice
    redraw_rates : (items,), share of labels redrawn at random from the item's choices, from 0 to 1:
        forward correction, see `training.probes.loss`. None: no correction.
    """

    rows: NDArray[np.int64]
    targets: Array
    redraw_rates: Array | None = None


@dataclass(frozen=True)
class LabelledRows:
    """A set: rows that some jobs share, and those jobs' labels.

    Attributes
    ----------
    scaled : n items
    targets : (n, classes, jobs), with classes ordered as in `scaled.order`
    redraw_rates : (n, jobs), or None if no job has any
    turns : (n,), the group of every item, by the place of its first; None: each is its own
    """

    scaled: ScaledRows
    targets: Array
    redraw_rates: Array | None
    turns: IntArray | None = None

    @property
    def items(self) -> int:
        return len(self.targets)

    @property
    def jobs(self) -> int:
        return self.targets.shape[2]


def label_rows(
    jobs: Sequence[ProbeJob], scaled: ScaledRows, groups: IntArray | None = None
) -> LabelledRows:
    """The labels of jobs on the same rows, with the classes in the order of the rows.

    `groups` (items,) of all items that have features; None: each is its own.
    """
    targets = np.stack([np.take_along_axis(job.targets, scaled.order, 1) for job in jobs], 2)
    rates = None
    if any(job.redraw_rates is not None for job in jobs):
        none = np.zeros(scaled.items)
        rates = np.stack(
            [none if job.redraw_rates is None else job.redraw_rates for job in jobs], 1
        )
    own = None if groups is None else turns(groups[jobs[0].rows])
    return LabelledRows(scaled, targets, rates, own)


def padded_labels(sets: Sequence[LabelledRows], copies: int = 1) -> ProbeTargets:
    """Targets of several sets, padded to their most items and jobs, the jobs `copies` times over.

    The fits are ordered copy by copy. Padding has targets of 0.
    """
    device = sets[0].scaled.device
    classes = sets[0].targets.shape[1]
    items, jobs = max(one.items for one in sets), max(one.jobs for one in sets)
    targets = np.zeros((len(sets), items, classes, jobs))
    absent = np.zeros((len(sets), items, classes, 1))
    rates = np.zeros((len(sets), items, 1, jobs))
    for index, one in enumerate(sets):
        targets[index, : one.items, :, : one.jobs] = one.targets
        absent[index, : one.items, :, 0] = np.where(one.scaled.real, 0.0, NO_CHOICE)
        if one.redraw_rates is not None:
            rates[index, : one.items, 0, : one.jobs] = one.redraw_rates

    def tensor(values: Array) -> torch.Tensor:
        return torch.from_numpy(np.tile(values, copies)).to(device)

    choices = (absent == 0.0).sum(2, keepdims=True).astype(np.float64)
    kept, floor = None, None
    if rates.any():
        with np.errstate(divide="ignore"):
            kept, floor = tensor(np.log1p(-rates)), tensor(np.log(rates / choices))
    missing = torch.from_numpy(absent).to(device) if absent.any() else None
    counts = torch.from_numpy(choices).to(device)
    return ProbeTargets(tensor(targets), counts, missing, kept, floor)


def batches(
    jobs: Sequence[ProbeJob],
    own_choices: bool,
    job_bytes: Callable[[int], int],
    device: torch.device,
    width: int | None = None,
) -> Iterator[list[list[int]]]:
    """Jobs to solve together: sets of jobs with equal rows, padded to the largest of a batch.

    Parameters
    ----------
    jobs : all of them
    own_choices : whether items have choices of their own, and so several rows each
    job_bytes : memory that one job of so many items takes
    device : where they will be solved
    width : rows have at most so many coordinates; None: as many as there are rows
    """
    sets: dict[bytes, list[int]] = {}
    for index, job in enumerate(jobs):
        sets.setdefault(job.rows.tobytes(), []).append(index)
    values = BATCH_VALUES if device.type == "cpu" else DEVICE_BATCH_VALUES
    batch: list[list[int]] = []
    smallest, widest = 0, 0  # rows of the first set; jobs of the set with most
    for members in sorted(sets.values(), key=lambda own: jobs[own[0]].rows.size):
        items, classes = jobs[members[0]].targets.shape
        rows = items * (classes - 1 if own_choices else 1)
        together = max(1, MEMORY_BYTES // max(1, job_bytes(items)))  # jobs, over all sets
        for start in range(0, len(members), together):
            part = members[start : start + together]
            widest = max(widest, len(part))
            if batch and (
                rows > max(SMALL_ROWS, 1.25 * smallest)
                or (len(batch) + 1) * rows * min(rows, width or rows) > values
                or (len(batch) + 1) * widest > together
            ):
                yield batch
                batch = []
            if not batch:
                smallest, widest = rows, len(part)
            batch.append(part)
    if batch:
        yield batch


def check_jobs(jobs: Sequence[ProbeJob], features: Features, mask: Mask) -> None:
    """Raise ValueError where a job does not fit the features and the mask, or these each other."""
    items, choices = features.shape[:2]
    if mask.shape[0] != items or choices not in (1, mask.shape[1]):
        raise ValueError(
            "'mask' should be (items, classes) of 'features' (items, classes or 1, width); "
            f"got {mask.shape} for {features.shape}."
        )
    for index, job in enumerate(jobs):
        wrong = _wrong(job, features, mask)
        if wrong:
            raise ValueError(f"job {index}: {wrong}")


def _wrong(job: ProbeJob, features: Features, mask: Mask) -> str | None:
    rows, targets, rates = job.rows, job.targets, job.redraw_rates
    if rows.size == 0:
        return "'rows' should not be empty; a probe needs at least one label."
    if rows.min() < 0 or rows.max() >= len(features):
        return f"'rows' should be from 0 to {len(features) - 1}; got {rows.min()} to {rows.max()}."
    if targets.shape != (rows.size, mask.shape[1]):
        return f"'targets' should be of shape {(rows.size, mask.shape[1])}; got {targets.shape}."
    real = mask[rows]
    fine = np.isclose(np.where(real, targets, 0.0).sum(1), 1.0, rtol=0, atol=1e-6)
    fine &= (targets >= 0).all(1) & ((targets == 0) | real).all(1)
    if not fine.all():
        item = int(np.flatnonzero(~fine)[0])
        return (
            "'targets' should be chances of the item's choices that add up to 1; "
            f"got {targets[item].tolist()} for item {item}."
        )
    if rates is None:
        return None
    if rates.shape != rows.shape or not ((rates >= 0) & (rates <= 1)).all():
        return f"'redraw_rates' should be {rows.size} shares from 0 to 1; got {rates.tolist()}."
    return None
