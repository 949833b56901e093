"""The planner of `labelmix run`: a pilot, the response surface, the plan, bought in one go."""

from dataclasses import dataclass, field

import numpy as np

from budget.backtest.market import Market
from budget.backtest.policies.pilot import PilotDesign, run_pilot
from budget.backtest.policies.simple import equal_spend
from budget.backtest.policy import FORECAST_CONFIDENCE, Forecast, Play
from budget.planner import plan_purchase
from budget.response import fit_surface


@dataclass(frozen=True)
class SurfacePlanner:
    """`budget.response` and `budget.planner` as they stand, the pilot paid from the budget.

    As in `labelmix run`, the surface is told what the pilot measured on the fixed test set and
    not the error rates. Where the budget allows no pilot, the money is spent equally and nothing
    is forecast.
    """

    design: PilotDesign = field(default_factory=PilotDesign)
    name: str = "planner"

    def play(self, market: Market) -> Play:
        """Pilot, surface, plan; the forecast is the surface's."""
        pilot = self.design.mix(market)
        if pilot is None:
            market.buy(equal_spend(market))
            return None
        observations = yield from run_pilot(market, self.design, pilot)
        surface = fit_surface(
            observations,
            market.strata,
            market.target,
            None,  # a probe starts from guessing
            market.chance,
            market.groups,
            pilot=pilot,
        )
        plan = plan_purchase(surface, market.terms, market.budget, market.capacity, pilot)
        market.buy(plan.after_pilot)
        draws = surface.predict([plan.mix])[:, 0]
        tail = (1 - FORECAST_CONFIDENCE) / 2
        low, high = np.quantile(draws, [tail, 1 - tail])
        return Forecast(float(draws.mean()), float(low), float(high))
