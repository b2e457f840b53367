"""Cement, its leakage per level, what imaging sees of it, and complications within 30 days."""

import numpy as np

from vertebro_outcomes.simulate.parameters import EVENT_RISK, LEAK_SITE_SHARE, number
from vertebro_outcomes.simulate.patients import Columns
from vertebro_outcomes.simulate.scenarios import Scenario

DISC = 1  # position among LEAKAGE_SITES, 0 is none


def draw_procedure(rng: np.random.Generator, n: int) -> Columns:
    """Uniform and normal draws shared by all treatments of a patient."""
    return {
        "cement": rng.standard_normal((n, 2)),
        "leak": rng.random((n, 2)),
        "site": 1 + rng.choice(5, (n, 2), p=LEAK_SITE_SHARE),
        "ct": rng.random(n) < number("ct_share"),
        "seen": rng.random((n, 2)) < number("seen_without_ct"),
        "event": rng.random((n, len(EVENT_RISK))),
        "when": rng.random((n, len(EVENT_RISK))),
        "before": np.round(rng.normal(12, 6, (n, 2)), 1),
        "corrected": np.round(np.abs(rng.normal(4, 2, (n, 2))), 1),
        "height": np.round(
            np.clip(
                rng.normal(number("height_loss_mean"), number("height_loss_sd"), (n, 2)), 0, 90
            ),
            1,
        ),
    }


def leakage_under(
    arm: np.ndarray, patients: Columns, *, draws: Columns
) -> tuple[np.ndarray, np.ndarray]:
    """Cement (ml, NaN without) and true leakage site (0 none) of both index levels."""
    if_vp = np.log(number("leak_vp") / (1 - number("leak_vp")))
    if_kp = np.log(number("leak_kp") / (1 - number("leak_kp")))
    spread = number("cement_log_sd") * draws["cement"]
    mean = np.array([np.nan, number("cement_vp"), number("cement_kp")])[arm]
    cement = mean[:, None] * np.exp(spread - number("cement_log_sd") ** 2 / 2)
    logit = np.array([-np.inf, if_vp, if_kp])[arm][:, None] + number("leak_cement") * spread
    logit = logit + number("leak_cleft") * patients["cleft"][:, None]
    leaks = draws["leak"] * (1 + np.exp(-logit)) < 1
    here = np.stack([np.ones(len(arm), dtype=bool), patients["second"] >= 0], axis=1)
    return np.round(np.where(here, cement, np.nan), 1), np.where(leaks & here, draws["site"], 0)


def events_under(arm: np.ndarray, *, draws: Columns, scenario: Scenario) -> np.ndarray:
    """Day of each complication (column order of `EVENT_RISK`), -1 where it does not happen."""
    table = np.array([row[:3] for row in EVENT_RISK.values()]).T  # arm by event
    if scenario.effect == 0.0:
        table = np.broadcast_to(table.mean(axis=0), table.shape)
    last = np.array([row[3] for row in EVENT_RISK.values()])
    happens = draws["event"] < scenario.risk * table[arm]
    return np.where(happens, np.floor(draws["when"] * (last + 1)).astype(np.int64), -1)
