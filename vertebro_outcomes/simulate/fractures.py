"""New fractures, vertebra by vertebra."""

import numpy as np

from vertebro_outcomes.simulate.mortality import YEAR
from vertebro_outcomes.simulate.parameters import LEVEL_SHARE, number
from vertebro_outcomes.simulate.patients import Columns
from vertebro_outcomes.simulate.procedure import DISC
from vertebro_outcomes.simulate.scenarios import Scenario

_PROFILE = np.array(LEVEL_SHARE) * len(LEVEL_SHARE) / sum(LEVEL_SHARE)
_PLACES = np.arange(len(LEVEL_SHARE))


def distance_to_index(patients: Columns) -> np.ndarray:
    """Vertebrae between each level and the nearest index level, shape (n, 17)."""
    first = np.abs(_PLACES - patients["index"][:, None])
    other = np.where(patients["second"] >= 0, patients["second"], patients["index"])
    return np.minimum(first, np.abs(_PLACES - other[:, None]))


def fractures_under(
    arm: np.ndarray, patients: Columns, *, draws: np.ndarray, leak: np.ndarray, scenario: Scenario
) -> np.ndarray:
    """Days to a new fracture of each vertebra (n, 17), infinite at the index levels."""
    away = distance_to_index(patients)
    near = np.array([0.0, number("fracture_adjacent"), number("fracture_second"), 1.0])
    rate = near[np.minimum(away, 3)] * _PROFILE
    if scenario.effect:
        step = np.where(arm > 0, number("fracture_augmented"), 1.0)
        step = step * np.where((leak == DISC).any(axis=1), number("fracture_disc_leak"), 1.0)
        rate = np.where(away == 1, rate * step[:, None], rate)
    person = number("fracture_t_score") * (patients["t_score"] - number("t_score_mean"))
    person = person + number("fracture_prior") * (patients["prior"] - number("prior_mean"))
    rate = rate * (number("fracture_year") * np.exp(person))[:, None]
    with np.errstate(divide="ignore"):
        return np.asarray(YEAR * (draws / rate) ** (1 / number("fracture_shape")))
