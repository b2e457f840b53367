"""Who is seen when: single missed visits, and leaving for good."""

import numpy as np

from vertebro_outcomes.simulate.parameters import VISITS, number
from vertebro_outcomes.simulate.scenarios import Scenario


def draw_attendance(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Draws for leaving, missing a visit, the day of leaving, and the end of the study."""
    shape = (n, len(VISITS))
    return {
        "leave": rng.random(shape),
        "miss": rng.random(shape),
        "between": rng.random(n),
        "end": rng.integers(735, 2190, n),
    }


def attendance(
    pain: np.ndarray, *, draws: dict[str, np.ndarray], scenario: Scenario
) -> tuple[np.ndarray, np.ndarray]:
    """Which visits are attended (n, visits), and the last day under observation."""
    n, k = pain.shape
    start = np.log(number("dropout_visit") / (1 - number("dropout_visit")))
    left, last = np.zeros(n, dtype=bool), draws["end"].copy()
    seen = np.ones((n, k), dtype=bool)
    for visit in range(1, k):
        logit = np.full(n, start)
        if scenario.dropout == "observed":
            logit += number("dropout_observed") * (pain[:, visit - 1] - 4)
        elif scenario.dropout == "unobserved":
            logit += number("dropout_unobserved") * (pain[:, visit] - 4)
        leaves = ~left & (draws["leave"][:, visit] < 1 / (1 + np.exp(-logit)))
        gap = VISITS[visit] - VISITS[visit - 1]
        day = VISITS[visit - 1] + np.floor(draws["between"] * gap).astype(np.int64)
        last = np.where(leaves, np.minimum(last, np.maximum(day, 1)), last)
        left |= leaves
        seen[:, visit] = ~left & (draws["miss"][:, visit] >= number("missed_visit"))
    return seen, last
