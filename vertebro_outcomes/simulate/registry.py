"""A simulated registry and the truth behind it."""

from typing import get_args

import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.simulate.potential import BLOCK, draw_block
from vertebro_outcomes.simulate.recording import record_block
from vertebro_outcomes.simulate.scenarios import SCENARIOS, ScenarioName
from vertebro_outcomes.simulate.truth import Truth, true_effects
from vertebro_outcomes.tables.cohort import Cohort

MOST_IN_MEMORY = 500_000


def simulate_registry(
    *, n_patients: int, seed: int, scenario: ScenarioName = "confounded"
) -> tuple[Cohort, Truth]:
    """A cohort with known truth. Its parameters stand in `vo.simulation_parameters()`.

    Parameters
    ----------
    n_patients : int
        Patients, 1 to 500,000.
    seed : int
        Not negative. The first patients of a longer cohort of the same seed are the same.
    scenario : str
        `null randomised confounded unmeasured immortal_time rare_events nonproportional mnar`.

    Returns
    -------
    Cohort
        Marked synthetic. Day 0 is the procedure, for NSM (and in `immortal_time` for everybody)
        the presentation.
    Truth
        `truth.to_frame()`: `outcome treatment comparator day measure estimand value`.

    Raises
    ------
    InputError
        For a number out of range or an unknown scenario.

    Examples
    --------
    >>> cohort, truth = simulate_registry(n_patients=50, seed=1, scenario="null")
    >>> cohort.synthetic, truth.to_frame()["measure"].iloc[0]
    (True, 'MD')
    """
    check_request(n_patients, seed, scenario, most=MOST_IN_MEMORY)
    frames = simulated_frames(n_patients=n_patients, seed=seed, scenario=scenario)
    name = f"simulated registry, scenario {scenario}, seed {seed}"
    cohort = Cohort.from_frames(**frames, name=name, synthetic=True)
    return cohort, true_effects(scenario)


def simulated_frames(*, n_patients: int, seed: int, scenario: str) -> dict[str, pd.DataFrame]:
    """The canonical frames of a simulated registry."""
    blocks = []
    for number in range(-(-n_patients // BLOCK)):
        first = min(BLOCK, n_patients - number * BLOCK)
        blocks.append(
            record_block(draw_block(seed, number, SCENARIOS[scenario]), number, first=first)
        )
    return {
        name: pd.concat([block[name] for block in blocks], ignore_index=True) for name in blocks[0]
    }


def is_whole(value: object, *, low: int, high: float = float("inf")) -> bool:
    """A whole number between two limits; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def check_request(n_patients: int, seed: int, scenario: str, *, most: int) -> None:
    """Refuse what cannot be simulated."""
    requests: list[tuple[str, object, int, int]] = [
        ("n_patients", n_patients, 1, most),
        ("seed", seed, 0, 2**63 - 1),
    ]
    for name, value, low, high in requests:
        if not is_whole(value, low=low, high=high):
            allowed = f"a whole number from {low} to {high}"
            raise refuse_argument("simulate_registry", name, value, allowed)
    if scenario not in SCENARIOS:
        words = ", ".join(get_args(ScenarioName))
        raise refuse_argument("simulate_registry", "scenario", scenario, words)
