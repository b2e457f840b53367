"""A block of patients with everything that could happen to them under every treatment."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.simulate.dropout import draw_attendance
from vertebro_outcomes.simulate.fractures import fractures_under
from vertebro_outcomes.simulate.mortality import death_under
from vertebro_outcomes.simulate.pain import draw_pain_noise, scores_under
from vertebro_outcomes.simulate.parameters import LEVEL_SHARE
from vertebro_outcomes.simulate.patients import Columns, draw_patients
from vertebro_outcomes.simulate.procedure import draw_procedure, events_under, leakage_under
from vertebro_outcomes.simulate.scenarios import Scenario
from vertebro_outcomes.simulate.treatment import choose, draw_delay, propensities

BLOCK: Final = 4096  # patients that share a random stream: part of what a seed means
_STAGES: Final = 8


@dataclass(frozen=True)
class Outcomes:
    """What happens under one assignment of arms: latent, before anyone fails to record it."""

    scores: Columns
    death: np.ndarray
    cement: np.ndarray
    leak: np.ndarray
    events: np.ndarray
    fractures: np.ndarray


@dataclass(frozen=True)
class Block:
    """Patients, their treatment, and the draws that decide outcomes under any treatment."""

    scenario: Scenario
    patients: Columns
    chances: np.ndarray
    intended: np.ndarray
    delay: np.ndarray
    noise: Columns
    death_draw: np.ndarray
    procedure: Columns
    fracture_draws: np.ndarray
    attendance: Columns

    def under(self, arm: np.ndarray | int) -> Outcomes:
        """Potential outcomes: `arm` is 0 NSM, 1 VP, 2 KP, for all or one per patient."""
        arms = np.broadcast_to(np.asarray(arm), self.intended.shape)
        cement, leak = leakage_under(arms, self.patients, draws=self.procedure)
        return Outcomes(
            scores=scores_under(arms, self.patients, noise=self.noise, scenario=self.scenario),
            death=death_under(arms, self.patients, draw=self.death_draw, scenario=self.scenario),
            cement=cement,
            leak=leak,
            events=events_under(arms, draws=self.procedure, scenario=self.scenario),
            fractures=fractures_under(
                arms, self.patients, draws=self.fracture_draws, leak=leak, scenario=self.scenario
            ),
        )


def draw_block(seed: int, number: int, scenario: Scenario) -> Block:
    """The block of this number: the same whatever else is drawn before or beside it."""
    streams = np.random.SeedSequence(seed, spawn_key=(number,)).spawn(_STAGES)
    rng = [np.random.Generator(np.random.PCG64(stream)) for stream in streams]
    patients = draw_patients(rng[0], BLOCK)
    chances = propensities(patients, scenario)
    return Block(
        scenario=scenario,
        patients=patients,
        chances=chances,
        intended=choose(rng[1], chances),
        delay=draw_delay(rng[2], BLOCK, scenario),
        noise=draw_pain_noise(rng[3], BLOCK),
        death_draw=rng[4].standard_exponential(BLOCK),
        procedure=draw_procedure(rng[5], BLOCK),
        fracture_draws=rng[6].standard_exponential((BLOCK, len(LEVEL_SHARE))),
        attendance=draw_attendance(rng[7], BLOCK),
    )
