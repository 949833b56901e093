"""The crossover budget of two measured learning curves."""

import numpy as np

from analysis.accuracy import CONFIDENCE
from analysis.crossover import CrossoverBudget, crossover_budget
from analysis.curves.comparisons import AccuracyCurve, equal_cost_tables


def equal_cost_crossover(
    easy: AccuracyCurve, hard: AccuracyCurve, names: tuple[str, str]
) -> CrossoverBudget | None:
    """The money at which the lines of two curves cross, between amounts that both were measured at.

    None where they have no two such amounts. Its draws are those of items and seeds that all
    comparisons of one test set share. `names` are those of the easy and the hard stratum.
    """
    costs, tables = equal_cost_tables(easy, hard)
    if costs.size < 2:
        return None
    draws = np.stack([easy.clusters.draws(table) for table in tables], axis=1)
    return crossover_budget(costs, tables.mean((1, 2)), draws, names, CONFIDENCE)
