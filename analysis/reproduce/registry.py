"""Every experiment, in the order in which they are run and told.

A further one is a file in `experiments/` (see `analysis.reproduce.experiment.Experiment`) and a
line here.
"""

from collections.abc import Sequence
from difflib import get_close_matches

from analysis.reproduce.experiment import Experiment
from analysis.reproduce.experiments.accuracy_by_hardness import AccuracyByHardness
from analysis.reproduce.experiments.all_to_all import AllToAll
from analysis.reproduce.experiments.difficulty_bins import DifficultyBins
from analysis.reproduce.experiments.easy_or_hard import EasyOrHard
from analysis.reproduce.experiments.easy_to_hard import EasyToHard
from analysis.reproduce.experiments.four_bits import FourBits
from analysis.reproduce.experiments.hardness import Hardness
from analysis.reproduce.experiments.learning_curves import Cost, Noise, NoiseAndCost
from analysis.reproduce.experiments.models import Models, Scaling
from analysis.reproduce.experiments.third_grade import ThirdGradeToCollege
from analysis.reproduce.experiments.train_test_gap import TrainTestGap
from analysis.reproduce.experiments.uncertainty_aware import UncertaintyAware
from annotation.errors import InputError

ALL = "all"
EXPERIMENTS: tuple[Experiment, ...] = (
    Hardness(),
    AccuracyByHardness(),
    AllToAll(),
    EasyToHard(),
    EasyOrHard(),
    TrainTestGap(),
    Cost(),
    Noise(),
    NoiseAndCost(),
    DifficultyBins(),
    Models(),
    Scaling(),
    ThirdGradeToCollege(),
    FourBits(),
    UncertaintyAware(),
)


def find_experiments(names: Sequence[str]) -> list[Experiment]:
    """Experiments by name, each once, in their own order; `all` or no name stands for all.

    Raises InputError, with the nearest name, if there is none of a name.
    """
    known = {experiment.name: experiment for experiment in EXPERIMENTS}
    asked = {name.replace("_", "-") for name in names}
    for name in sorted(asked):
        if name != ALL and name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f"did you mean '{near[0]}'? " if near else ""
            raise InputError(
                f"experiment '{name}' is unknown; {meant}choose from {', '.join(known)}, or all."
            )
    if not asked or ALL in asked:
        return list(EXPERIMENTS)
    return [known[name] for name in known if name in asked]
