"""A response surface as a result keeps it, and back."""

import numpy as np

from analysis.run.result import (
    MethodResult,
    SurfaceSummary,
)
from annotation.errors import InputError
from budget.surface.response import ResponseSurface


def surface_of(method: MethodResult) -> ResponseSurface:
    """The response surface that a result holds.

    Raises InputError if it is that of another version, with other parameters.
    """
    stored = method.surface
    surface = ResponseSurface(
        strata=tuple(stored.strata),
        target=stored.target,
        draws=np.array(stored.draws),
        root_mean_square_residual=stored.root_mean_square_residual,
        root_mean_square_noise=stored.root_mean_square_noise,
        clean=stored.clean,
        luck=stored.luck,
        item_deviation=stored.item_deviation,
        training_deviation=stored.training_deviation,
    )
    if surface.parameter_names != stored.parameter_names:
        raise InputError(
            f"the run's response surface for '{method.method}' is that of another version of "
            "labelmix; start the run again: its trials are kept and only the rest is done anew."
        )
    return surface


def surface_summary(surface: ResponseSurface) -> SurfaceSummary:
    """What a result keeps of a surface: its draws, and the medians that people read."""
    medians = np.median(surface.draws, axis=0)
    names = surface.parameter_names
    return SurfaceSummary(
        strata=list(surface.strata),
        target=surface.target,
        parameters=dict(zip(names, medians.tolist(), strict=True)),
        parameter_names=names,
        draws=surface.draws.tolist(),
        root_mean_square_residual=surface.root_mean_square_residual,
        root_mean_square_noise=surface.root_mean_square_noise,
        clean=dict(surface.clean),
        luck=surface.luck,
        item_deviation=surface.item_deviation,
        training_deviation=surface.training_deviation,
    )
