"""Time to death: Weibull with covariates, proportional or crossing hazards."""

import numpy as np

from vertebro_outcomes.simulate.parameters import number
from vertebro_outcomes.simulate.patients import Columns
from vertebro_outcomes.simulate.scenarios import Scenario

YEAR = 365.0


def death_under(
    arm: np.ndarray, patients: Columns, *, draw: np.ndarray, scenario: Scenario
) -> np.ndarray:
    """Days from day 0 to death (not rounded); `draw` is standard exponential."""
    log_risk = (
        number("death_age") * (patients["age"] - number("age_mean"))
        + number("death_charlson") * (patients["charlson"] - number("charlson_mean"))
        + number("death_male") * ~patients["female"]
        + number("death_malignant") * (patients["etiology"] == 1)
    )
    if scenario.hidden:
        log_risk = log_risk + number("death_hidden") * patients["hidden"]
    early, late = log_hazard_ratios(scenario)
    shape, spent = number("death_shape"), draw * np.exp(-log_risk) / number("death_year")
    at_switch = (number("late_switch") / YEAR) ** shape
    before = spent * np.exp(-early[arm])
    after = at_switch + (spent - at_switch * np.exp(early[arm])) * np.exp(-late[arm])
    baseline = np.where(before <= at_switch, before, after)
    return np.asarray(YEAR * baseline ** (1 / shape))


def log_hazard_ratios(scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """Conditional log hazard ratios of NSM, VP and KP before and after the switch."""
    if not scenario.death_effect:
        return np.zeros(3), np.zeros(3)
    if scenario.nonproportional:
        early, late = number("late_early"), number("late_after")
        return np.array([0, early, early]), np.array([0, late, late])
    same = scenario.effect * np.array([0, number("death_vp"), number("death_kp")])
    return same, same
