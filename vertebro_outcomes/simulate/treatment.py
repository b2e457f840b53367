"""Who gets what: by lot, or by indication."""

from typing import Final

import numpy as np

from vertebro_outcomes.simulate.parameters import number
from vertebro_outcomes.simulate.patients import YEARS, Columns, log_fracture_age
from vertebro_outcomes.simulate.scenarios import Scenario

ARMS: Final = ("NSM", "VP", "KP")


def propensities(patients: Columns, scenario: Scenario) -> np.ndarray:
    """Probability of NSM, VP and KP per patient, shape (n, 3)."""
    n = len(patients["age"])
    if not scenario.by_indication:
        return np.full((n, 3), 1 / 3)
    need = (
        number("choice_pain") * (patients["pain"] - number("pain_mean"))
        + number("choice_age") * (patients["age"] - number("age_mean"))
        + number("choice_charlson") * (patients["charlson"] - number("charlson_mean"))
        + number("choice_fracture_age") * log_fracture_age(patients)
    )
    if scenario.hidden:
        need = need + number("choice_hidden") * patients["hidden"]
    habit = number("choice_site") * (patients["site"] - 1.0)
    habit = habit + number("choice_year") * (patients["year"] - np.mean(YEARS))
    logits = np.stack(
        [np.zeros(n), number("vp_logit") + need + habit, number("kp_logit") + need - habit], axis=1
    )
    odds = np.exp(logits)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def choose(rng: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    """The arm of each patient: 0 NSM, 1 VP, 2 KP."""
    return np.asarray((rng.random((len(chances), 1)) > chances.cumsum(axis=1)[:, :2]).sum(axis=1))


def draw_delay(rng: np.random.Generator, n: int, scenario: Scenario) -> np.ndarray:
    """Days from presentation to the procedure, were there one."""
    mean = number("delay_mean_immortal" if scenario.from_presentation else "delay_mean")
    return np.asarray(np.ceil(rng.exponential(mean, n)).astype(np.int64))
