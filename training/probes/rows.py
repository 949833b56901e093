"""Rows of a probe: scaled, compared within items, and turned into few coordinates.

A softmax sees differences only. Where items have choices of their own, an item with m choices gives
m - 1 rows, each the difference between one choice and the item's first (its reference). Where items
share their choices, every item gives one row, centred. Fits run on these rows in the eigenbasis of
their Gram matrix: of rows x rows where there are fewer rows than features, else of features x
features. It loses nothing, and the curvature of the softmax at equal chances is diagonal there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from annotation.arrays import Features, Mask, Positions

# Directions of less than this share of the largest eigenvalue may be rounding of the Gram matrix.
# The objective's gradient along them is below 3e-7, and as a rule far below.
SMALLEST_EIGENVALUE = 1e-14
# Above this many coordinates an eigenbasis costs more than it saves: the features stay as they are.
LARGEST_BASIS = 4096
CHUNK_VALUES = 2**19  # float64 values of one block of features, 4 MiB: what a cache holds


class ScaledRows:
    """Rows of some items: features minus their mean, over their deviation times `divisor`.

    Parameters
    ----------
    features : (items, choices, width); choices is 1 where items share their choices
    mask : (items, classes), which choices an item has; other slots are never read
    positions : (n,), the items, in the order of their labels
    divisor : the scale is the standard deviation times this; a constant feature's deviation is
        taken as 1, which leaves it at zero

    Attributes
    ----------
    order : (n, classes), an item's choices with the real ones first, where choices are its own
    real : (n, classes), which of the ordered choices are real
    mean, scale : (width,)

    Raises ValueError if a feature of a real choice is not finite.
    """

    def __init__(
        self,
        features: Features,
        mask: Mask,
        positions: Positions,
        divisor: float,
        device: torch.device,
    ) -> None:
        self.width = features.shape[-1]
        self.own_choices = features.shape[1] > 1
        self.device = device
        real = mask[positions]
        if self.own_choices:
            self.order = np.argsort(~real, axis=1, kind="stable")
        else:
            self.order = np.broadcast_to(np.arange(real.shape[1]), real.shape)
        self.real = np.take_along_axis(real, self.order, 1)
        self._features = features.reshape(-1, self.width)
        self._positions = positions
        self._divisor = divisor
        if self.own_choices:
            slot = np.where(self.real, self.order, self.order[:, :1])  # no choice: a zero row
            self._places = (positions[:, None] * features.shape[1] + slot).ravel()
        else:
            self._places = positions
        self.items = positions.size
        self.slots = real.shape[1] - 1 if self.own_choices else 1
        self.rows = self.items * self.slots
        self.mean = np.empty(self.width)
        self.scale = np.empty(self.width)

    def blocks(self) -> Iterator[tuple[slice, Tensor]]:
        """Blocks of features with the rows in them, (rows, block); fills `mean` and `scale`."""
        counted = None
        if self.own_choices and not self.real.all():
            counted = torch.from_numpy(self.real.ravel()).to(self.device, torch.float64)[:, None]
        for block, values in self._raw_blocks():
            first = values[0].clone()
            values -= first  # makes a constant exactly zero, and the variance exact enough
            seen = values if counted is None else values * counted
            count = len(values) if counted is None else float(counted.sum())
            mean = seen.sum(0) / count
            variance = seen.square().sum(0) / count - mean**2
            scale = torch.where(variance > 0, variance.clamp(min=0).sqrt(), 1.0) * self._divisor
            self.mean[block] = (mean + first).cpu().numpy()
            self.scale[block] = scale.cpu().numpy()
            if not np.isfinite(self.mean[block]).all():
                bad = ~np.isfinite(self._features[self._places]).all(1)
                item = self._positions[int(bad.argmax()) // (len(bad) // self.items)]
                raise ValueError(f"'features' should be finite; those of item {item} are not.")
            if self.own_choices:
                values = values.view(self.items, self.slots + 1, -1)
                values = (values[:, 1:] - values[:, :1]).reshape(self.rows, -1)
            else:
                values -= mean
            yield block, values.div_(scale)

    def gram(self) -> Tensor:
        """Inner products of the rows, (rows, rows)."""
        nothing = torch.empty(self.width, 0, dtype=torch.float64, device=self.device)
        return self.gram_and_products(nothing)[0]

    def gram_and_products(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Inner products of the rows, (rows, rows), and with (width, columns) vectors."""
        gram = torch.zeros(self.rows, self.rows, dtype=torch.float64, device=self.device)
        products = gram.new_zeros(self.rows, vectors.shape[1])
        for block, values in self.blocks():
            gram += _self_product(values)
            products += values @ vectors[block]
        return gram, products

    def dense(self) -> Tensor:
        """The rows themselves, (rows, width)."""
        out = torch.empty(self.rows, self.width, dtype=torch.float64, device=self.device)
        for block, values in self.blocks():
            out[:, block] = values
        return out

    def combine(self, coefficients: Tensor) -> Tensor:
        """Sums of the rows by (rows, columns) coefficients, as (width, columns)."""
        columns = coefficients.shape[1]
        out = torch.empty(self.width, columns, dtype=torch.float64, device=self.device)
        mean = torch.from_numpy(self.mean).to(self.device)
        if self.own_choices:
            others = coefficients.view(self.items, self.slots, columns)
            of_choices = torch.cat([-others.sum(1, keepdim=True), others], 1)
            coefficients = of_choices.view(-1, columns)
        scale = torch.from_numpy(self.scale).to(self.device)[:, None]
        total = coefficients.sum(0)
        for block, values in self._raw_blocks():
            # The transposed product is the faster one: few columns, many features.
            out[block] = (coefficients.T @ values).T - mean[block, None] * total
        return out / scale

    def _raw_blocks(self) -> Iterator[tuple[slice, Tensor]]:
        size = max(64, CHUNK_VALUES // max(1, self._places.size))
        for start in range(0, self.width, size):
            block = slice(start, min(start + size, self.width))
            values = torch.from_numpy(self._features[:, block][self._places])
            yield block, values.to(self.device, torch.float64)


@dataclass(frozen=True)
class ReducedRows:
    """The rows in few coordinates, in which the length of a weight vector is what it was.

    Attributes
    ----------
    scaled : what the coordinates stand for
    rows : (rows, rank)
    curvature : (rank,), squares of each coordinate, summed over choices about their item's mean
    basis : (rows, rank), coefficients of the rows that make the basis vectors; or (width, rank),
        those vectors; or None where coordinates are features
    """

    scaled: ScaledRows
    rows: Tensor
    curvature: Tensor
    basis: Tensor | None

    def weights(self, coordinates: Tensor) -> Tensor:
        """(rank, columns) coordinates as weights on scaled features, (width, columns)."""
        if self.basis is None:
            return coordinates
        vectors = self.basis @ coordinates
        return self.scaled.combine(vectors) if len(self.basis) != self.scaled.width else vectors


def reduce_rows(scaled: ScaledRows) -> ReducedRows:
    """Go over to the eigenbasis of the rows' Gram matrix."""
    centring = _Centring(scaled)
    if min(scaled.rows, scaled.width) > LARGEST_BASIS:
        rows = scaled.dense()
        return ReducedRows(scaled, rows, centring.apply(rows).square().sum(0), None)
    if scaled.rows >= scaled.width:
        rows = scaled.dense()
        centred = centring.apply(rows)
        values, vectors = torch.linalg.eigh(_self_product(centred.T))
        return ReducedRows(scaled, rows @ vectors, values.clamp(min=0), vectors)
    centred = centring.apply(centring.apply(scaled.gram()).T)
    values, vectors = torch.linalg.eigh(centred)
    kept = values > SMALLEST_EIGENVALUE * values[-1:].clamp(min=1e-300)
    values, vectors = values[kept], vectors[:, kept]
    roots = values.sqrt()
    return ReducedRows(
        scaled, centring.undo(vectors * roots), values, centring.apply(vectors / roots)
    )


class _Centring:
    """From differences to the reference to rows about the item's mean, and back.

    Of m choices, E = D - b * sum(D) over the m - 1 differences D has E'E = the scatter of all m
    about their mean when (1 - b (m - 1))^2 = 1 / m. Its inverse is D = E + c * sum(E).
    """

    def __init__(self, scaled: ScaledRows) -> None:
        self.trivial = not scaled.own_choices
        if self.trivial:
            return
        real = torch.from_numpy(scaled.real[:, 1:].copy()).to(scaled.device, torch.float64)
        others = real.sum(1, keepdim=True).clamp(min=1)
        root = (others + 1).sqrt()
        self.shape = real.shape
        self.down = (real * (1 - 1 / root) / others)[:, :, None]  # (items, slots, 1)
        self.up = (real * (root - 1) / others)[:, :, None]

    def apply(self, rows: Tensor) -> Tensor:
        if self.trivial:
            return rows
        grouped = rows.reshape(*self.shape, -1)
        return (grouped - self.down * grouped.sum(1, keepdim=True)).reshape(rows.shape)

    def undo(self, rows: Tensor) -> Tensor:
        if self.trivial:
            return rows
        grouped = rows.reshape(*self.shape, -1)
        return (grouped + self.up * grouped.sum(1, keepdim=True)).reshape(rows.shape)


def _self_product(rows: Tensor) -> Tensor:
    """Rows times rows transposed."""
    if rows.device.type != "cpu":
        return rows @ rows.T
    array = rows.numpy()  # NumPy's product with its own transpose does half the work of torch's
    return torch.from_numpy(array @ array.T)
