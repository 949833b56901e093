"""Fit the probes of trials, as their settings have it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from annotation.arrays import Features, IntArray, Mask
from training.probes.paper_probe import fit_paper_probes
from training.probes.probe import PENALTIES, LinearProbe, ProbeJob, fit_probes


def fit_with(
    settings: Mapping[str, Any],
    features: Features,
    mask: Mask,
    jobs: Sequence[ProbeJob],
    groups: IntArray | None = None,
) -> list[LinearProbe]:
    """One probe per job, on a GPU where there is one; `groups` as for `fit_probes`."""
    device = "cuda" if torch.cuda.is_available() else None
    if settings.get("optimiser", "ridge") == "paper":
        return fit_paper_probes(features, mask, jobs, device=device)
    penalty = settings.get("penalty")
    penalties = PENALTIES if penalty is None else (float(penalty),)
    return fit_probes(features, mask, jobs, penalties, device, groups=groups)
