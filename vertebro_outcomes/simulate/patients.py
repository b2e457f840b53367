"""Who comes: covariates, index levels and the state of the fracture, before any treatment."""

import numpy as np

from vertebro_outcomes.simulate.parameters import LEVEL_SHARE, number

Columns = dict[str, np.ndarray]
L5 = 16  # position of the lowest level
YEARS = (2012, 2013, 2014, 2015)  # calendar years of day 0


def draw_patients(rng: np.random.Generator, n: int) -> Columns:
    """One entry per patient; `index` and `second` are positions from T1 = 0 (`second` -1: none)."""
    age = np.round(np.clip(rng.normal(number("age_mean"), number("age_sd"), n), 50, 99), 1)
    prior = rng.poisson(number("prior_mean") * np.exp(0.02 * (age - number("age_mean"))))
    t_score = rng.normal(number("t_score_mean"), number("t_score_sd"), n) - 0.01 * (age - 77)
    cause = rng.random(n)
    etiology = np.where(cause < number("malignant"), 1, 0)
    etiology[cause > 1 - number("traumatic")] = 2
    log_age = rng.normal(np.log(number("fracture_age_median")), number("fracture_age_log_sd"), n)
    pain = rng.normal(number("pain_mean"), number("pain_sd"), n)
    index = rng.choice(len(LEVEL_SHARE), n, p=np.array(LEVEL_SHARE) / sum(LEVEL_SHARE))
    second = np.where(index < L5, index + 1, index - 1)
    return {
        "age": age,
        "female": rng.random(n) < number("female"),
        "bmi": np.round(np.clip(rng.normal(number("bmi_mean"), number("bmi_sd"), n), 14, 50), 1),
        "t_score": np.round(np.clip(t_score, -6, 1.5), 1),
        "steroid": rng.random(n) < number("steroid"),
        "smoker": rng.random(n) < number("smoker"),
        "charlson": rng.poisson(number("charlson_mean"), n),
        "prior": np.minimum(prior, 12),
        "drug": rng.random(n) < number("drug"),
        "etiology": etiology,
        "site": rng.choice(3, n, p=[0.5, 0.3, 0.2]),
        "fracture_age": np.clip(np.round(np.exp(log_age)), 1, 364).astype(np.int64),
        "pain": np.round(np.clip(pain, 2, 10), 1),
        "index": index,
        "second": np.where(rng.random(n) < number("second_level"), second, -1),
        "cleft": rng.random(n) < number("cleft"),
        "hidden": rng.standard_normal(n),
        "year": rng.choice(YEARS, n),
    }


def log_fracture_age(patients: Columns) -> np.ndarray:
    """Log age of the fracture, zero at the median."""
    return np.asarray(np.log(patients["fracture_age"] / number("fracture_age_median")))
