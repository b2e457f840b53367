"""Pain and the scores that follow it, at every visit, under any treatment."""

import numpy as np

from vertebro_outcomes.simulate.parameters import EFFECT, NSM_PAIN, OTHER_SCORES, VISITS, number
from vertebro_outcomes.simulate.patients import Columns, log_fracture_age
from vertebro_outcomes.simulate.scenarios import Scenario

_EFFECTS = np.array([[0.0] * len(VISITS), EFFECT["VP"], EFFECT["KP"]])
_LIMITS = {"odi": (0.0, 100.0, 0), "rmdq": (0.0, 24.0, 0), "eq5d": (-0.59, 1.0, 3)}


def draw_pain_noise(rng: np.random.Generator, n: int) -> Columns:
    """What varies between persons and visits whatever the treatment."""
    shape = (n, len(VISITS))
    noise = {"person": rng.standard_normal(n), "visit": rng.standard_normal(shape)}
    return noise | {name: rng.standard_normal(shape) for name in OTHER_SCORES}


def scores_under(
    arm: np.ndarray, patients: Columns, *, noise: Columns, scenario: Scenario
) -> Columns:
    """`pain_vas odi rmdq eq5d` by patient and visit, as they would be recorded under `arm`."""
    old = log_fracture_age(patients)
    later = np.array(VISITS) > 0
    own = number("pain_carry") * (patients["pain"] - number("pain_mean"))
    own = own + number("pain_person_sd") * noise["person"]
    if scenario.hidden:
        own = own + number("pain_hidden") * patients["hidden"]
    size = scenario.effect * np.clip(1 + number("effect_fracture_age") * old, 0.3, 1.7)
    latent = np.array(NSM_PAIN) + own[:, None] + number("pain_visit_sd") * noise["visit"]
    latent = latent + number("pain_fracture_age") * np.outer(old, np.array(VISITS) >= 30)
    latent = latent + _EFFECTS[arm] * size[:, None]
    latent = np.where(later, latent, patients["pain"][:, None])
    pain = np.clip(latent, 0, 10)
    scores: Columns = {"pain_vas": np.round(pain, 1)}
    for name, (start, slope, sd) in OTHER_SCORES.items():
        low, high, digits = _LIMITS[name]
        value = start + slope * pain + sd * noise[name]
        scores[name] = np.round(np.clip(value, low, high), digits)
    return scores
